"""The trees of what is not committed yet: of the index at hand, and of the files as they are."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import GitError, UsageError
from hookci.git.ahead import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hookci.git.repository import Repository
    from hookci.git.snapshots import Scratch

__all__ = ["Staged", "index_tree", "staged", "work_tree"]


class Staged(Struct, frozen=True):
    """The ``tree`` of the index at hand, and which file it was read from; None when there was none."""

    repository: Repository
    scratch: Scratch
    tree: str
    file: tuple[int, ...] | None

    def still_is(self) -> bool:
        """Whether a commit of the index would have this tree even now.

        Git, and whoever does as git does, changes an index by putting another file in its place.  While the one that
        was read is open, no other file has its inode, so the same file is the same tree.
        """
        return _file_at(self.repository) == self.file or index_tree(self.repository, self.scratch) == self.tree


def _nothing() -> None:
    pass


@contextmanager
def staged(repository: Repository, scratch: Scratch, meanwhile: Callable[[], None] = _nothing) -> Iterator[Staged]:
    """The tree that a commit of the index at hand will have; ``meanwhile`` is done while git works.

    Raises:
        GitError: the index cannot be a tree, such as one with unmerged paths.
    """
    try:
        held = repository.index.open("rb")
    except FileNotFoundError:
        yield Staged(repository, scratch, index_tree(repository, scratch), None)
        return
    with held:
        file = _marks(held.fileno())
        yield Staged(repository, scratch, _tree_of(repository, scratch, held.read(), meanwhile), file)


def _file_at(repository: Repository) -> tuple[int, ...] | None:
    try:
        with repository.index.open("rb") as file:
            return _marks(file.fileno())
    except FileNotFoundError:
        return None


def _marks(descriptor: int) -> tuple[int, ...]:
    info = os.fstat(descriptor)
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def index_tree(repository: Repository, scratch: Scratch) -> str:
    """The tree that a commit of the index at hand will have.

    Raises:
        GitError: the index cannot be a tree, such as one with unmerged paths.
    """
    return _tree_of(repository, scratch, _content(repository))


def _content(repository: Repository) -> bytes | None:
    try:
        return repository.index.read_bytes()
    except FileNotFoundError:
        return None


def _tree_of(
    repository: Repository, scratch: Scratch, index: bytes | None, meanwhile: Callable[[], None] = _nothing
) -> str:
    """The tree of an index, written among hookci's own objects: nothing of the user's changes."""
    with _copied(repository, scratch, index) as environment:
        asked = repository.start("write-tree", env=environment)
        try:
            meanwhile()
        finally:
            done = asked.done(TIMEOUT)
    if done.returncode != 0:
        unmerged = b"unmerged" in done.stderr + done.stdout
        hint = "resolve the conflicts and `git add` the files" if unmerged else None
        raise GitError(f"the index is not a tree yet: {done.complaint}", hint)
    return done.stdout.decode("ascii").strip()


@contextmanager
def _copied(repository: Repository, scratch: Scratch, index: bytes | None) -> Iterator[dict[str, str]]:
    """An environment in which git works on a copy of an index, and writes objects among our own."""
    scratch.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy = scratch.directory / f"index-{os.getpid()}"
    for left in (copy, copy.with_name(f"{copy.name}.lock")):
        left.unlink(missing_ok=True)  # by a hookci that was killed and had this process id
    try:
        if index is not None:
            copy.write_bytes(index)
        yield {**scratch.environment(repository), "GIT_INDEX_FILE": str(copy)}
    finally:
        copy.unlink(missing_ok=True)


def work_tree(repository: Repository, scratch: Scratch) -> str:
    """The tree of the files as they are, tracked or not, without what is ignored; written among our own objects.

    Raises:
        UsageError: a bare repository has none.
        GitError: a file cannot be read.
    """
    if repository.top is None:
        raise UsageError(f"{repository.common_dir} has no work tree", "name a commit with --rev")
    with _copied(repository, scratch, _content(repository)) as environment:
        repository.git("add", "--all", "--", ".", env=environment)
        return repository.git("write-tree", env=environment).stdout.decode("ascii").strip()
