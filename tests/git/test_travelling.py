"""Git directories that go to another machine: they stand alone, and what is new of them is all that changes."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch
from hookci.git.travelling import make_travelling
from hookci.workspace.gitdir import gitdir_plan, write_gitdir

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo


@dataclass
class Journey:
    """A repository, the git directory that a workspace of it has, and what travels of that."""

    repo: Repo
    place: Path

    @property
    def alone(self) -> Path:
        return self.place / "alone"

    def borrow(self, revision: str = "HEAD") -> Path:
        """The git directory of a workspace."""
        repository = Repository.discover(self.repo.path, self.repo.env)
        path = self.place / "borrowing" / ".git"
        shutil.rmtree(path, ignore_errors=True)
        plan = gitdir_plan(repository, Scratch(self.place / "scratch"))
        write_gitdir(path, plan, head=self.repo.out("rev-parse", revision), index=self.repo.path / ".git" / "index")
        return path

    def travel(self, revision: str = "HEAD", depth: int = 20) -> None:
        repository = Repository.discover(self.repo.path, self.repo.env)
        make_travelling(self.borrow(revision), self.alone, env=repository.env, depth=depth)

    def git(self, *arguments: str) -> list[str]:
        """What git says to somebody who has nothing else."""
        return self.repo.run("git", f"--git-dir={self.alone}", *arguments, cwd=self.place).stdout.splitlines()

    def times(self) -> dict[str, int]:
        return {str(path): path.lstat().st_ctime_ns for path in self.alone.rglob("*") if path.is_file()}


@pytest.fixture
def journey(repo: Repo, tmp_path: Path) -> Journey:
    (tmp_path / "journey").mkdir()
    for number in range(5):
        repo.commit({"a.txt": str(number)}, message=f"number {number}")
    return Journey(repo, tmp_path / "journey")


def test_it_stands_alone(journey: Journey) -> None:
    journey.travel()

    shutil.rmtree(journey.repo.path / ".git")
    shutil.rmtree(journey.place / "borrowing")

    assert journey.git("log", "--format=%s") == [f"number {number}" for number in (4, 3, 2, 1, 0)]
    assert journey.git("ls-files") == ["a.txt"]
    assert journey.git("fsck", "--no-dangling") == []


def test_the_commits_that_were_asked_for_come_along_whatever_came_before(journey: Journey) -> None:
    seen = []

    for depth in (2, 0, 3, 20, 1):
        journey.travel(depth=depth)
        seen.append(len(journey.git("rev-list", "HEAD")))

    assert seen == [2, 5, 3, 5, 1]


def test_refs_come_along_with_their_commits_and_as_they_are_now(journey: Journey) -> None:
    repo = journey.repo
    repo.git("tag", "far", "HEAD~4")
    repo.git("tag", "near", "HEAD~1")
    repo.git("tag", "-am", "annotated", "moving", "HEAD~1")
    repo.git("branch", "gone")
    journey.travel(depth=2)
    before = journey.git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags", "refs/remotes")
    repo.git("tag", "-f", "-am", "moved", "moving")
    repo.git("branch", "-D", "gone")
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD~1")

    journey.travel(depth=2)

    after = journey.git(
        "for-each-ref", "--format=%(refname) %(contents:subject)", "refs/heads", "refs/tags", "refs/remotes"
    )
    assert before == ["refs/heads/gone", "refs/heads/main", "refs/tags/moving", "refs/tags/near"]
    assert after == [
        "refs/heads/main number 4",
        "refs/remotes/origin/main number 3",
        "refs/tags/moving moved",
        "refs/tags/near number 3",
    ]
    assert journey.git("describe") == ["moving"]


def test_nothing_is_written_again_when_nothing_is_new(journey: Journey) -> None:
    journey.travel()
    before = journey.times()

    journey.travel()

    assert journey.times() == before


def test_of_a_new_commit_only_what_is_new_is_added(journey: Journey) -> None:
    journey.repo.commit({"large": os.urandom(200_000).hex()})
    journey.travel()
    before = journey.times()
    journey.repo.commit({"b.txt": "b"})

    journey.travel()

    packs = [Path(name) for name in journey.times().keys() - before.keys() if name.endswith(".pack")]
    assert [pack.stat().st_size < 2000 for pack in packs] == [True]
    assert journey.git("log", "-1", "--format=%s") == ["a change"]


def test_another_commit_that_shares_nothing_travels_too(journey: Journey) -> None:
    journey.travel()
    journey.repo.git("checkout", "-q", "--orphan", "other")
    journey.repo.commit({"b.txt": "b"}, message="alone")

    journey.travel()

    assert journey.git("log", "--format=%s") == ["alone"]
    assert journey.git("fsck", "--no-dangling") == []


@pytest.mark.parametrize("lock", ["shallow.lock", "HEAD", "refs/hookci/head.lock", "config"])
def test_what_a_killed_git_left_is_no_hindrance(journey: Journey, lock: str) -> None:
    journey.travel(depth=2)
    (journey.alone / lock).write_text("torn")
    journey.repo.commit({"b.txt": "b"}, message="next")

    journey.travel(depth=2)

    assert journey.git("log", "--format=%s") == ["next", "number 4"]
    assert journey.git("fsck", "--no-dangling") == []


def test_many_small_packs_are_begun_anew(journey: Journey) -> None:
    journey.travel()
    for number in range(60):
        (journey.alone / "objects" / "pack" / f"pack-{number}.pack").touch()
    journey.repo.commit({"b.txt": "b"})

    journey.travel()

    assert len(list((journey.alone / "objects" / "pack").glob("*.pack"))) == 1


@pytest.mark.parametrize("name", ["with blank", "100%25", "caf\udce9", "quo'te"])
def test_it_is_made_wherever_it_is(journey: Journey, name: str) -> None:
    place = journey.place / name
    place.mkdir()
    journey.place = place

    journey.travel()

    assert journey.git("log", "-1", "--format=%s") == ["number 4"]


def test_a_repository_with_long_object_names_travels(make_repo: Callable[..., Repo], tmp_path: Path) -> None:
    repo = make_repo("long", object_format="sha256")
    repo.commit({"a": "1"}, message="long")
    (tmp_path / "journey").mkdir()
    journey = Journey(repo, tmp_path / "journey")

    journey.travel()

    assert [len(line) for line in journey.git("rev-parse", "HEAD")] == [64]
    assert journey.git("fsck", "--no-dangling") == []


@pytest.mark.parametrize("options", [["--depth=2"], ["--filter=blob:none"], ["--filter=tree:0"]])
def test_of_a_clone_that_lacks_objects_what_is_there_travels_and_no_address(
    journey: Journey, options: list[str]
) -> None:
    repo = journey.repo
    repo.git("push", "-q", "--no-verify", "origin", "main")
    assert repo.remote
    repo.run("git", "-C", str(repo.remote), "config", "uploadpack.allowFilter", "true")
    clone = journey.place / "clone"
    repo.run("git", "clone", "-q", *options, repo.remote.as_uri(), str(clone))
    journey.repo.path = clone
    (clone / "b.txt").write_text("b")
    repo.commit(message="on top")

    journey.travel()

    assert journey.git("log", "-1", "--format=%s") == ["on top"]
    assert journey.git("cat-file", "-p", "HEAD:a.txt") == ["4"]
    assert str(repo.remote) not in (journey.alone / "config").read_text()
