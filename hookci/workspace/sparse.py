"""The index of a work tree with some of a tree's files only: for git, all others are as in a sparse checkout."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hookci.git.repository import git

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hookci.workspace.checkout import Source

__all__ = ["write_sparse_index"]

_KEPT = 2


def write_sparse_index(source: Source, tree: str, shown: Iterable[str], where: Sequence[str], place: Path) -> None:
    """Write the index of ``tree`` in which only the paths ``shown`` are expected in the work tree.

    One in which none is expected is kept for each of the last trees, since marking a few files costs less than marking
    all others.

    Args:
        source: where objects are.
        tree: a tree.
        shown: paths of it.
        where: git's options that say which git directory and work tree are meant.
        place: the index.

    Raises:
        GitError: git could not do it.
    """
    kept = source.scratch.directory / f"sparse-{tree}"
    try:
        place.write_bytes(kept.read_bytes())
    except FileNotFoundError:
        _show_nothing(source, tree, where, place)
        fresh = kept.with_name(f"new-{kept.name}-{os.urandom(8).hex()}")
        fresh.write_bytes(place.read_bytes())
        fresh.replace(kept)
        _prune(kept)
    _mark(source, "--no-skip-worktree", shown, where, place)


def _show_nothing(source: Source, tree: str, where: Sequence[str], place: Path) -> None:
    env = source.repository.env
    git([*where, "read-tree", tree], cwd=place.parent.parent, env=env)
    names = git([*where, "ls-files", "-z"], cwd=place.parent.parent, env=env).stdout
    _mark(source, "--skip-worktree", os.fsdecode(names).split("\0")[:-1], where, place)


def _mark(source: Source, how: str, paths: Iterable[str], where: Sequence[str], place: Path) -> None:
    rows = os.fsencode("".join(f"{path}\0" for path in paths))
    git([*where, "update-index", "-z", how, "--stdin"], cwd=place.parent.parent, env=source.repository.env, stdin=rows)


def _prune(kept: Path) -> None:
    known = [path for path in kept.parent.glob("sparse-*") if path != kept]
    known.sort(key=lambda path: path.stat().st_mtime_ns if path.exists() else 0)
    for path in known[: max(0, len(known) - _KEPT + 1)]:
        path.unlink(missing_ok=True)
