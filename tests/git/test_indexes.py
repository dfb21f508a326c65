"""Whether the index that is committed is the one that was judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hookci.git.indexes import staged
from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo


class Index:
    """An index with one change, and how often git was asked for its tree."""

    def __init__(self, repo: Repo, place: Path) -> None:
        self.repo, self.trace = repo, place / "trace"
        repo.commit({"a": "1"})
        repo.write(a="2")
        repo.git("add", "a")
        self.repository = Repository.discover(repo.path, {**repo.env, "GIT_TRACE2_EVENT": str(self.trace)})
        self.scratch = Scratch(place / "scratch")
        self.path = repo.path / ".git" / "index"

    @property
    def asked(self) -> int:
        lines = self.trace.read_text().splitlines()
        return sum('"event":"start"' in line and "write-tree" in line for line in lines)


@pytest.fixture
def index(repo: Repo, tmp_path: Path) -> Index:
    return Index(repo, tmp_path)


def test_the_file_that_was_read_needs_no_second_look(index: Index) -> None:
    with staged(index.repository, index.scratch) as found:
        index.repo.write(b="not added")

        assert found.still_is()
    assert index.asked == 1
    assert found.tree == index.repo.out("write-tree")


def test_another_file_with_the_same_tree_is_as_good(index: Index) -> None:
    with staged(index.repository, index.scratch) as found:
        index.repo.git("update-index", "--index-version", "4")
        index.repo.write(a="2")
        index.repo.git("update-index", "--refresh")

        assert found.still_is()
    assert index.asked == 2


@pytest.mark.parametrize("number", range(3))
def test_an_add_is_seen_at_once(index: Index, number: int) -> None:
    with staged(index.repository, index.scratch) as found:
        # of the same size, and within one tick of many clocks
        index.repo.write(a=f"{number + 3}")
        index.repo.git("add", "a")

        assert not found.still_is()


def test_a_file_that_was_written_over_or_put_back_is_looked_at(index: Index) -> None:
    other = index.path.with_name("other")
    index.repo.write(a="9")
    index.repo.git("add", "a", env={"GIT_INDEX_FILE": str(other)})
    before, after = index.path.read_bytes(), other.read_bytes()

    with staged(index.repository, index.scratch) as found:
        index.path.write_bytes(after)
        changed = found.still_is()
        index.path.write_bytes(before)
        back = found.still_is()

    assert (changed, back) == (False, True)


def test_an_index_that_comes_or_goes_is_another_one(index: Index) -> None:
    with staged(index.repository, index.scratch) as found:
        kept = index.path.rename(index.path.with_name("kept"))
        gone = found.still_is()
    with staged(index.repository, index.scratch) as nothing:
        empty = nothing.tree, nothing.still_is()
        kept.rename(index.path)
        come = nothing.still_is()

    assert (gone, come) == (False, False)
    assert empty == (index.repo.out("hash-object", "-t", "tree", "/dev/null"), True)


def test_an_index_of_two_files_is_read_and_told_from_another(index: Index) -> None:
    index.repo.git("config", "core.splitIndex", "true")
    index.repo.git("update-index", "--split-index")
    tree = index.repo.out("write-tree")

    with staged(index.repository, index.scratch) as found:
        same = found.still_is()
        index.repo.write(a="5")
        index.repo.git("add", "a")
        other = found.still_is()

    assert (same, other) == (True, False)
    assert found.tree == tree
