"""Releases as annotated tags: made once, read back whole, and never mistaken for somebody's own tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from deploy_clones import Clone, at_once, cloned
from drawn import made
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hookci.errors import GitError
from hookci.git.releases import NumberTakenError, _message, _release, make_release, next_number, releases
from hookci.git.repository import Repository
from hookci.git.tags import TagRef, person
from hookci.model.release import Kind, Release

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo


@pytest.fixture
def clone(repo: Repo) -> Clone:
    repo.commit({"a.txt": "one\n"})
    return Clone.of(repo)


def numbers(clone: Clone, environment: str | None = "staging") -> list[int]:
    return [release.number for release in releases(clone.repository, environment)]


def test_a_release_is_read_back_as_it_was_made(clone: Clone) -> None:
    made = clone.release(
        12, kind=Kind.ROLLBACK, source=9, run=42, config="c" * 64, artifacts="a" * 64, approver="Bo <bo@example.com>",
        irreversible=True,
    )  # fmt: skip

    oid = make_release(clone.repository, made)

    assert releases(clone.repository) == [made]
    assert clone.repo.out("rev-parse", "refs/tags/deploy/staging/12") == oid
    assert clone.repo.out("cat-file", "-t", oid) == "tag"


def test_a_person_and_git_can_read_the_tag(clone: Clone) -> None:
    make_release(clone.repository, clone.release(3, run=7))

    shown = clone.repo.out("for-each-ref", "--format=%(contents)%(taggername) %(taggerdate:unix)", "refs/tags")

    assert shown.splitlines() == [
        f"staging 3: {clone.head[:8]} deployed",
        "",
        "Kind: deploy",
        "By: Ana <project@example.com>",
        "Duration: 1.500",
        "Run: 7",
        "Ana 1700000000",
    ]
    assert clone.repo.out("for-each-ref", "--format=%(trailers:key=Run,valueonly)", "refs/tags") == "7"


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_count = st.integers(min_value=1, max_value=999_999_999)
_made = made(
    Release,
    environment=st.just("staging"),
    number=_count,
    commit=st.just("3f" * 20),
    kind=st.sampled_from(Kind),
    by=_text,
    at=st.just(7.0),
    seconds=st.integers(min_value=0, max_value=10**9).map(lambda count: count / 1000),
    source=st.none() | _count,
    run=st.none() | _count,
    config=_text,
    approver=_text,
    irreversible=st.booleans(),
)


@given(made=_made)
def test_no_text_in_a_release_can_break_out_of_its_line(made: Release) -> None:
    tag = TagRef(ref=f"refs/tags/{made.tag}", name=made.tag, commit=made.commit, at=made.at, message=_message(made))

    read = _release(tag)

    assert read is not None
    assert not {"\n", "\r", "\x1b"} & set(read.by + read.config + read.approver)
    assert replace(read, by=made.by, config=made.config, approver=made.approver) == made


def test_the_newest_of_the_environment_comes_first(clone: Clone) -> None:
    for number in (2, 10, 9):
        make_release(clone.repository, clone.release(number))
    make_release(clone.repository, clone.release(1, environment="staging-eu"))
    make_release(clone.repository, clone.release(5, environment="büro"))

    assert numbers(clone) == [10, 9, 2]
    assert [release.tag for release in releases(clone.repository)] == [
        "deploy/büro/5", "deploy/staging/10", "deploy/staging/9", "deploy/staging/2", "deploy/staging-eu/1",
    ]  # fmt: skip
    assert numbers(clone, "st*") == []


def test_tags_of_other_people_are_left_out(clone: Clone) -> None:
    make_release(clone.repository, clone.release(3))
    ours = clone.repo.out("rev-parse", "refs/tags/deploy/staging/3")
    git = clone.repo.git
    git("tag", "deploy/staging/4")
    git("tag", "-a", "-m", "a note", "deploy/staging/5")
    git("tag", "-a", "-m", "a note\n\nKind: party\nDuration: 1", "deploy/staging/6")
    git("tag", "-a", "-m", "a note\n\nKind: deploy\nDuration: long", "deploy/staging/7")
    git("update-ref", "refs/tags/deploy/staging/8", ours)
    git("tag", "-a", "-m", "of a tag\n\nKind: deploy\nDuration: 1", "deploy/staging/9", "deploy/staging/3")
    git("tag", "-a", "-m", "of a tree\n\nKind: deploy\nDuration: 1", "deploy/staging/10", "HEAD^{tree}")
    git("tag", "-a", "-m", "padded\n\nKind: deploy\nDuration: 1", "deploy/staging/007")
    git("tag", "-a", "-m", "named\n\nKind: deploy\nDuration: 1", "deploy/staging/newest")

    assert numbers(clone) == [3]


def test_the_next_number_is_above_all_releases_and_free(clone: Clone) -> None:
    assert next_number(clone.repository, "staging") == 1
    make_release(clone.repository, clone.release(3))
    clone.repo.git("tag", "deploy/staging/4")
    clone.repo.git("tag", "deploy/staging/20260101")

    assert next_number(clone.repository, "staging") == 5
    assert next_number(clone.repository, "production") == 1


def test_a_number_is_given_once(clone: Clone) -> None:
    first = make_release(clone.repository, clone.release(1))

    with pytest.raises(NumberTakenError, match="deploy/staging/1 is there already"):
        make_release(clone.repository, clone.release(1, by="Bo <bo@example.com>"))

    assert clone.repo.out("rev-parse", "refs/tags/deploy/staging/1") == first


def test_of_many_at_once_one_gets_the_number(clone: Clone) -> None:
    people = [clone.release(1, by=f"{number} <n@example.com>") for number in range(8)]

    ends = at_once([lambda release=release: make_release(clone.repository, release) for release in people])  # type: ignore[misc]  # bound now

    winners = [(release, end) for release, end in zip(people, ends, strict=True) if isinstance(end, str)]
    assert len(winners) == 1
    assert all(isinstance(end, (str, NumberTakenError)) for end in ends)
    assert releases(clone.repository) == [winners[0][0]]


def test_a_lock_file_that_a_killed_git_left_does_not_block_the_release(clone: Clone) -> None:
    left = clone.repo.path / ".git/refs/tags/deploy/staging/1.lock"
    left.parent.mkdir(parents=True)
    left.touch()

    make_release(clone.repository, clone.release(1))

    assert numbers(clone) == [1]
    assert not left.exists()


def test_a_tag_in_the_way_is_named(clone: Clone) -> None:
    clone.repo.git("tag", "deploy")

    with pytest.raises(GitError, match=r"refs/tags/deploy/staging/1 cannot be made: .*'refs/tags/deploy' exists"):
        make_release(clone.repository, clone.release(1))


def test_a_commit_that_is_not_there_is_not_tagged(clone: Clone) -> None:
    with pytest.raises(GitError):
        make_release(clone.repository, clone.release(1, commit="0" * 39 + "1"))

    assert clone.repo.out("tag", "-l") == ""


def test_settings_for_tags_change_nothing(clone: Clone) -> None:
    for name, value in (
        ("tag.gpgSign", "true"),
        ("user.signingKey", "none"),
        ("tag.forceSignAnnotated", "true"),
        ("core.logAllRefUpdates", "always"),
        ("trailer.separators", "="),
        ("core.commentChar", "K"),
    ):
        clone.repo.git("config", name, value)

    make_release(clone.repository, clone.release(1))

    assert releases(clone.repository) == [clone.release(1)]


def test_hooks_of_the_repository_do_not_run(clone: Clone) -> None:
    hook = clone.repo.path / ".git/hooks/reference-transaction"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)

    make_release(clone.repository, clone.release(1))

    assert numbers(clone) == [1]


def test_without_an_identity_hookci_is_the_tagger(repo: Repo) -> None:
    repo.commit({"a.txt": "one\n"})
    repo.git("config", "user.useConfigOnly", "true")
    nameless = {name: value for name, value in repo.env.items() if not name.startswith("GIT_COMMITTER_")}

    assert person(Repository.discover(repo.path, nameless)) == "hookci <hookci@localhost>"
    assert person(Repository.discover(repo.path, repo.env)) == "Ana <ana@example.com>"


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_releases_work_with_any_object_names(make_repo: Callable[..., Repo], object_format: str) -> None:
    repo = make_repo(remote=False, object_format=object_format)
    repo.commit({"a.txt": "one\n"})
    clone = Clone.of(repo)

    oid = make_release(clone.repository, clone.release(1))

    assert len(oid) == len(clone.head)
    assert releases(clone.repository) == [clone.release(1)]


def test_a_linked_worktree_has_the_same_releases(clone: Clone) -> None:
    clone.repo.git("worktree", "add", "-q", "../linked")
    linked = Repository.discover(clone.repo.path.parent / "linked", clone.repo.env)

    make_release(linked, clone.release(1))

    assert releases(clone.repository) == releases(linked) == [clone.release(1)]


def test_packed_tags_are_read_and_not_given_again(clone: Clone) -> None:
    make_release(clone.repository, clone.release(1))
    clone.repo.git("pack-refs", "--all")

    with pytest.raises(NumberTakenError):
        make_release(clone.repository, clone.release(1))

    assert numbers(clone) == [1]


def test_a_shallow_clone_makes_and_reads_releases(repo: Repo) -> None:
    repo.commit({"a.txt": "one\n"})
    repo.commit({"a.txt": "two\n"})
    repo.git("push", "-q", "origin", "main")
    (shallow,) = cloned(repo, 1, "--depth=1")

    make_release(shallow.repository, shallow.release(1))

    assert shallow.repository.shallow
    assert numbers(shallow) == [1]
