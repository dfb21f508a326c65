"""Every way to a remote: settings, hooks, kinds of clones, and remotes that refuse, hang or are not there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from deploy_clones import Clone, cloned
from msgspec import structs

from hookci.git.releases import make_release, releases
from hookci.git.remote import PublishError, PublishFailure
from hookci.git.wire import RemoteError, without_credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

LOCK = "refs/hookci/lock/staging"


def tag(number: int) -> str:
    return f"refs/tags/deploy/staging/{number}"


def numbers(clone: Clone) -> list[int]:
    return [release.number for release in releases(clone.repository, "staging")]


def test_settings_of_a_person_change_neither_fetch_nor_push(repo: Repo) -> None:
    one, two = cloned(repo, 2)
    make_release(one.repository, one.release(1))
    one.remote.publish("staging", [1], None)
    for clone in (one, two):
        clone.repo.commit({"b.txt": clone.repo.path.name})
        for name, value in (
            ("push.default", "matching"),
            ("push.followTags", "true"),
            ("push.recurseSubmodules", "only"),
            ("push.pushOption", "ci.skip"),
            ("push.autoSetupRemote", "true"),
            ("remote.origin.push", "refs/heads/*:refs/heads/*"),
            ("remote.origin.mirror", "true"),
            ("remote.origin.tagOpt", "--tags"),
            ("remote.origin.fetch", "+refs/*:refs/*"),
            ("remote.origin.prune", "true"),
            ("remote.origin.pruneTags", "true"),
            ("fetch.prune", "true"),
            ("fetch.pruneTags", "true"),
            ("fetch.recurseSubmodules", "true"),
            ("fetch.writeCommitGraph", "true"),
            ("tag.gpgSign", "true"),
            ("core.quotePath", "true"),
            ("color.ui", "always"),
        ):
            clone.repo.git("config", "--add", name, value)
    two.repo.git("tag", "-a", "--no-sign", "-m", "reachable", "v2")
    make_release(two.repository, two.release(2))
    here = two.repo.out("for-each-ref")
    mine = two.remote.lock("staging", two.lock())
    assert two.repo.out("for-each-ref") == here

    two.remote.fetch("staging")
    two.remote.publish("staging", [2], mine)
    one.remote.fetch("staging")

    assert set(repo.remote_refs()) == {"refs/heads/main", tag(1), tag(2)}
    assert repo.remote_refs()["refs/heads/main"] == repo.out("rev-parse", "HEAD")
    assert numbers(one) == numbers(two) == [2, 1]


def test_hooks_of_the_clone_do_not_run_and_those_of_the_remote_do(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    assert repo.remote is not None
    for name in ("pre-push", "reference-transaction", "post-checkout", "pre-auto-gc"):
        hook = clone.repo.path / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\necho {name} >> {repo.path}/ran\nexit 1\n")
        hook.chmod(0o755)
    theirs = repo.remote / "hooks/post-update"
    theirs.write_text(f"#!/bin/sh\necho $* >> {repo.path}/updated\n")
    theirs.chmod(0o755)

    mine = clone.remote.lock("staging", clone.lock())
    make_release(clone.repository, clone.release(1))
    clone.remote.publish("staging", [1], mine)
    clone.repo.git(
        "tag",
        "-d",
        "deploy/staging/1",
        check=False,
        env={"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": "/dev/null"},
    )
    clone.remote.fetch("staging")

    assert not (repo.path / "ran").exists()
    assert numbers(clone) == [1]
    assert (repo.path / "updated").read_text().split() == [LOCK, LOCK, tag(1)]


def test_a_remote_without_atomic_pushes_takes_nothing(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    assert repo.remote is not None
    repo.run("git", "config", "receive.advertiseAtomic", "false", cwd=repo.remote)
    make_release(clone.repository, clone.release(1))

    with pytest.raises(PublishError, match="does not support atomic pushes") as caught:
        clone.remote.publish("staging", [1], None)

    assert caught.value.failure is PublishFailure.REFUSED
    assert tag(1) not in repo.remote_refs()


def test_a_hook_of_the_remote_that_refuses_is_heard(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    assert repo.remote is not None
    make_release(clone.repository, clone.release(1))
    mine = clone.remote.lock("staging", clone.lock())
    hook = repo.remote / "hooks/update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/tags/*) echo "no tags on Fridays" >&2; exit 1;; esac\n')
    hook.chmod(0o755)

    with pytest.raises(PublishError, match="remote: no tags on Fridays") as caught:
        clone.remote.publish("staging", [1], mine)

    assert caught.value.failure is PublishFailure.REFUSED
    assert repo.remote_refs()[LOCK] == mine.oid


def test_a_remote_that_is_gone_is_told(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    make_release(clone.repository, clone.release(1))
    clone.repo.git("config", "remote.origin.url", "/nowhere/at/all.git")

    with pytest.raises(
        PublishError, match=r"the remote origin: fatal: '/nowhere/at/all.git' does not appear"
    ) as caught:
        clone.remote.publish("staging", [1], None)
    with pytest.raises(RemoteError, match="does not appear to be a git repository"):
        clone.remote.fetch("staging")
    with pytest.raises(RemoteError, match=r"could not be taken|does not appear"):
        clone.remote.lock("staging", clone.lock())
    with pytest.raises(RemoteError, match="does not appear"):
        clone.remote.unlock(structs.replace(clone.lock(), oid=clone.head))

    assert caught.value.failure is PublishFailure.UNREACHABLE


def test_a_remote_that_hangs_is_given_up(repo: Repo) -> None:
    cloned(repo, 1)
    hanging = Clone.of(replace(repo, env={**repo.env, "GIT_SSH_COMMAND": "sleep 5 #"}), timeout=0.3)
    repo.git("config", "remote.origin.url", "ssh://ana@example.invalid/x.git")
    make_release(hanging.repository, hanging.release(1))

    with pytest.raises(RemoteError, match=r"^the remote origin did not answer within 0.3 s$"):
        hanging.remote.fetch("staging")
    with pytest.raises(PublishError, match=r"^the remote origin did not answer within 0.3 s$") as caught:
        hanging.remote.publish("staging", [1], None)

    assert caught.value.failure is PublishFailure.UNREACHABLE


def test_why_ssh_failed_is_told_in_its_own_words(repo: Repo) -> None:
    cloned(repo, 1)
    env = {
        **repo.env,
        "GIT_SSH_COMMAND": "echo 'Warning: a banner' >&2; echo 'ana@x: Permission denied (publickey).' >&2; exit 255 #",
    }
    repo.git("config", "remote.origin.url", "ssh://ana@example.invalid/x.git")

    with pytest.raises(RemoteError) as caught:
        Clone.of(replace(repo, env=env)).remote.fetch("staging")

    assert caught.value.message == "the remote origin: ana@x: Permission denied (publickey)."


def test_an_unknown_remote_is_told(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    other = Clone.of(clone.repo, "upstream")

    with pytest.raises(RemoteError, match="there is no remote named `upstream`"):
        other.remote.fetch("staging")


def test_a_remote_that_is_several_repositories_is_refused(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    clone.repo.git("remote", "set-url", "--add", "--push", "origin", "/one.git")
    clone.repo.git("remote", "set-url", "--add", "--push", "origin", "/two.git")

    with pytest.raises(RemoteError, match="the remote origin pushes to 2 addresses"):
        clone.remote.lock("staging", clone.lock())


def test_what_is_pushed_elsewhere_is_read_there(repo: Repo, make_repo: Callable[..., Repo]) -> None:
    (clone,) = cloned(repo, 1)
    fork = make_repo("fork")
    assert fork.remote is not None
    clone.repo.git("remote", "set-url", "--push", "origin", str(fork.remote))

    mine = clone.remote.lock("staging", clone.lock())
    make_release(clone.repository, clone.release(1))

    assert clone.remote.read_lock("staging") == mine
    clone.remote.publish("staging", [1], mine)
    assert clone.remote.unpublished("staging") == []
    assert set(fork.remote_refs()) == {tag(1)}
    assert set(repo.remote_refs()) == {"refs/heads/main"}


def test_no_password_of_an_address_is_shown(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    password = "hunter" + "2-secret"
    clone.repo.git("config", "remote.origin.url", f"https://ana:{password}@localhost:1/x.git")
    clone.repo.git("config", "remote.origin.pushurl", f"http://ana:{password}@localhost:1/y.git")
    make_release(clone.repository, clone.release(1))

    with pytest.raises(RemoteError, match="localhost") as of_fetch:
        clone.remote.fetch("staging")
    with pytest.raises(PublishError, match="localhost") as of_push:
        clone.remote.publish("staging", [1], None)

    assert password not in str(of_fetch.value) + str(of_push.value)
    assert without_credentials(f"'https://a:{password}@b@host/x@y' ana@host") == "'https://host/x@y' ana@host"


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_linked_worktrees_publish_with_any_object_names(make_repo: Callable[..., Repo], object_format: str) -> None:
    repo = make_repo(object_format=object_format)
    (clone,) = cloned(repo, 1)
    clone.repo.git("worktree", "add", "-q", str(repo.path.parent / "linked"))
    linked = Clone.of(replace(clone.repo, path=repo.path.parent / "linked"))
    mine = linked.remote.lock("staging", linked.lock())
    oid = make_release(linked.repository, linked.release(1))

    linked.remote.publish("staging", [1], mine)

    assert repo.remote_refs() == {"refs/heads/main": clone.head, tag(1): oid}
    assert clone.remote.unpublished("staging") == []


def test_shallow_and_partial_clones_take_part(repo: Repo) -> None:
    for number in range(4):
        repo.commit({"a.txt": f"{number}\n"})
    repo.git("push", "-q", "origin", "main")
    assert repo.remote is not None
    repo.run("git", "config", "uploadpack.allowFilter", "true", cwd=repo.remote)
    make_release(Clone.of(repo).repository, Clone.of(repo).release(1, commit=repo.out("rev-parse", "HEAD~2")))
    Clone.of(repo).remote.publish("staging", [1], None)
    for number, option in enumerate(("--depth=1", "--filter=blob:none"), 2):
        path = repo.path.parent / option.strip("-")
        repo.run("git", "clone", "-q", "--no-tags", option, repo.remote.as_uri(), str(path))
        clone = Clone.of(replace(repo, path=path))
        clone.remote.fetch("staging")
        mine = clone.remote.lock("staging", clone.lock())
        assert Clone.of(repo).remote.read_lock("staging") == mine
        make_release(clone.repository, clone.release(number))

        clone.remote.publish("staging", [number], mine)

        assert numbers(clone) == list(range(number, 0, -1))
        clone.repo.git("fsck", "--connectivity-only")
    assert len(repo.remote_refs()) == 4
