"""Releases on a shared remote: published whole or not at all, by one clone, whatever crashes."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from conftest import stress
from deploy_clones import Clone, at_once, cloned, stale_locks

from hookci.errors import GitError
from hookci.git.releases import make_release, next_number, releases
from hookci.git.remote import PublishError, PublishFailure, ReleaseConflictError
from hookci.proc.tree import TOKEN_VARIABLE, leftovers

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

LOCK = "refs/hookci/lock/staging"


def tag(number: int) -> str:
    return f"refs/tags/deploy/staging/{number}"


def numbers(clone: Clone) -> list[int]:
    return [release.number for release in releases(clone.repository, "staging")]


def test_releases_and_the_freed_lock_arrive_together(repo: Repo) -> None:
    one, two = cloned(repo, 2)
    mine = one.remote.lock("staging", one.lock())
    oids = {tag(number): make_release(one.repository, one.release(number)) for number in (1, 2)}
    assert one.remote.unpublished("staging") == [1, 2]

    one.remote.publish("staging", [1, 2], mine)

    assert repo.remote_refs() == {"refs/heads/main": one.head, **oids}
    assert one.remote.unpublished("staging") == []
    two.remote.fetch("staging")
    assert releases(two.repository) == releases(one.repository)
    assert two.remote.unpublished("staging") == []


def test_nothing_to_publish_frees_the_lock_at_most(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    mine = clone.remote.lock("staging", clone.lock())

    clone.remote.publish("staging", [], None)
    assert repo.remote_refs()[LOCK] == mine.oid
    clone.remote.publish("staging", [], mine)

    assert LOCK not in repo.remote_refs()


def test_a_release_that_is_not_here_cannot_be_published(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)

    with pytest.raises(GitError, match="there is no release 3 of staging here to publish"):
        clone.remote.publish("staging", [3], None)


def test_of_many_clones_one_gets_a_number(repo: Repo) -> None:
    clones = cloned(repo, stress(5) if stress(1) == 1 else 12)
    for number in range(1, stress(2) + 1):
        for clone in clones:
            clone.remote.fetch("staging")
            assert next_number(clone.repository, "staging") == number
            make_release(clone.repository, clone.release(number))

        ends = at_once([lambda clone=clone: clone.remote.publish("staging", [number], None) for clone in clones])  # type: ignore[misc]  # noqa: B023 (bound now, and used up in this round)

        assert [end for end in ends if end is None] == [None], ends
        lost = [end.failure for end in ends if isinstance(end, PublishError)]
        assert lost == [PublishFailure.NUMBER_TAKEN] * (len(clones) - 1), ends
        winner = clones[ends.index(None)]
        assert repo.remote_refs()[tag(number)] == winner.repo.out("rev-parse", tag(number))
        for clone in clones:
            if clone is not winner:
                clone.repo.git("tag", "-d", f"deploy/staging/{number}")


def test_who_lost_the_lock_can_publish_nothing(repo: Repo) -> None:
    owner, thief = cloned(repo, 2)
    mine = owner.remote.lock("staging", owner.lock())
    make_release(owner.repository, owner.release(1))
    seen = thief.remote.read_lock("staging")
    assert seen is not None
    thief.remote.steal("staging", seen)
    theirs = thief.remote.lock("staging", thief.lock())

    with pytest.raises(PublishError, match=r"lock of staging was taken away: Ana .* on clone-1") as caught:
        owner.remote.publish("staging", [1], mine)

    assert caught.value.failure is PublishFailure.LOCK_LOST
    assert repo.remote_refs() == {"refs/heads/main": owner.head, LOCK: theirs.oid}
    make_release(thief.repository, thief.release(1))
    thief.remote.publish("staging", [1], theirs)
    with pytest.raises(PublishError, match="was taken away: nobody holds it now"):
        owner.remote.publish("staging", [1], mine)


def test_with_the_lock_a_taken_number_is_still_refused(repo: Repo) -> None:
    one, two = cloned(repo, 2)
    make_release(one.repository, one.release(1))
    make_release(two.repository, two.release(1))
    one.remote.publish("staging", [1], None)
    mine = two.remote.lock("staging", two.lock())
    before = repo.remote_refs()

    with pytest.raises(PublishError, match="deploy/staging/1 is another release on origin") as caught:
        two.remote.publish("staging", [1], mine)

    assert caught.value.failure is PublishFailure.NUMBER_TAKEN
    assert repo.remote_refs() == before


def test_a_publication_whose_answer_was_lost_is_one(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    mine = clone.remote.lock("staging", clone.lock())
    make_release(clone.repository, clone.release(1))
    clone.remote.publish("staging", [1], mine)
    before = repo.remote_refs()

    clone.remote.publish("staging", [1], mine)
    clone.remote.publish("staging", [1], None)

    assert repo.remote_refs() == before


def test_what_a_crash_published_in_part_is_finished_by_the_next(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    assert repo.remote is not None
    mine = clone.remote.lock("staging", clone.lock())
    make_release(clone.repository, clone.release(1))
    clone.remote.publish("staging", [1], mine)
    repo.run("git", "update-ref", "-d", tag(1), cwd=repo.remote)  # the lock is gone, and the tag never came

    assert clone.remote.unpublished("staging") == [1]
    again = clone.remote.lock("staging", clone.lock("again"))
    clone.remote.publish("staging", [1], again)
    third = clone.remote.lock("staging", clone.lock("third"))
    clone.remote.publish("staging", [1], third)  # the tag had come, the lock is still there

    assert set(repo.remote_refs()) == {"refs/heads/main", tag(1)}
    assert clone.remote.unpublished("staging") == []


_PUBLISH = """
import os, sys
from pathlib import Path
from conftest import Repo
from deploy_clones import Clone
clone = Clone.of(Repo(Path(sys.argv[1]), dict(os.environ)))
held = clone.remote.read_lock("staging")
sys.stdout.write("x"); sys.stdout.flush()
clone.remote.publish("staging", [int(sys.argv[2])], held)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the processes of a killed one are found by Linux's means")
@pytest.mark.timeout(3600)
def test_a_push_that_was_killed_at_any_instant_is_repaired(repo: Repo, tmp_path: Path) -> None:
    (clone,) = cloned(repo, 1)
    assert repo.remote is not None
    chance = random.Random(7)
    ends: dict[str, int] = {}
    for number in range(1, stress(6) + 1):
        clone.remote.lock("staging", clone.lock(f"round-{number}"))
        make_release(clone.repository, clone.release(number))
        token = f"kill-{number}"
        env = {**clone.repo.env, TOKEN_VARIABLE: token, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        argv = [sys.executable, "-c", _PUBLISH, str(clone.repo.path), str(number)]
        with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, cwd=tmp_path) as process:
            assert process.stdout is not None
            assert process.stdout.read(1) == b"x"
            time.sleep(chance.uniform(0, 0.12))
            while left := leftovers(token, str(tmp_path / "nowhere"), root=process.pid):
                for each in left:
                    with contextlib.suppress(psutil.Error):
                        each.send_signal(signal.SIGKILL)
        for left_file in stale_locks(repo.remote):
            left_file.unlink()  # only who keeps the remote can do that
        refs = repo.remote_refs()
        end = f"{'tag' if tag(number) in refs else 'no tag'}, {'lock' if LOCK in refs else 'no lock'}"
        ends[end] = ends.get(end, 0) + 1

        seen = clone.remote.read_lock("staging")
        if seen is not None:
            clone.remote.steal("staging", seen)
        again = clone.remote.lock("staging", clone.lock(f"again-{number}"))
        clone.remote.publish("staging", clone.remote.unpublished("staging"), again)

        assert set(repo.remote_refs()) == {"refs/heads/main", *(tag(done) for done in range(1, number + 1))}
    print(ends)
    assert repo.run("git", "fsck", "--strict", cwd=repo.remote).returncode == 0


def test_a_release_that_is_another_on_the_remote_is_named_and_kept(repo: Repo) -> None:
    one, two = cloned(repo, 2)
    theirs = make_release(one.repository, one.release(1))
    make_release(one.repository, one.release(2))
    one.remote.publish("staging", [1, 2], None)
    ours = make_release(two.repository, two.release(1))

    with pytest.raises(ReleaseConflictError) as caught:
        two.remote.fetch("staging")

    assert caught.value.message == f"the tag deploy/staging/1 is {ours[:12]} here and {theirs[:12]} on origin"
    assert caught.value.hint == "find out which is live; `git tag -d deploy/staging/1` gives up yours"
    assert releases(two.repository) == [two.release(1)]
    two.repo.git("tag", "-d", "deploy/staging/1")
    two.remote.fetch("staging")
    assert releases(two.repository) == releases(one.repository)


def test_only_numbered_tags_of_the_environment_are_fetched(repo: Repo) -> None:
    one, two = cloned(repo, 2)
    for name in (
        "deploy/staging/newest",
        "deploy/staging/01",
        "deploy/production/1",
        "v1",
        "x/refs/tags/deploy/staging/1",
    ):
        one.repo.git("tag", "-a", "-m", "x", name)
        one.repo.git("push", "-q", "origin", f"refs/tags/{name}")
    one.repo.git("push", "-q", "origin", "HEAD:refs/heads/other")
    make_release(one.repository, one.release(3))
    one.remote.publish("staging", [3], None)
    two.repo.git("config", "--add", "remote.origin.fetch", "+refs/tags/*:refs/remotes/origin/tags/*")
    before = set(two.repo.out("for-each-ref", "--format=%(refname)").split())

    two.remote.fetch("staging")
    two.remote.fetch("staging")

    assert set(two.repo.out("for-each-ref", "--format=%(refname)").split()) == before | {tag(3)}


def test_a_fetch_that_was_killed_does_not_block_the_next(repo: Repo) -> None:
    one, two = cloned(repo, 2)
    make_release(one.repository, one.release(1))
    one.remote.publish("staging", [1], None)
    left = two.repo.path / f".git/{tag(1)}.lock"
    left.parent.mkdir(parents=True)
    left.touch()

    two.remote.fetch("staging")

    assert numbers(two) == [1]
    assert not left.exists()
