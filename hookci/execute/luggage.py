"""What of a workspace travels: each file with what tells that it has changed, and git directories that stand alone."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from hookci.git.travelling import OWN_REFS, make_travelling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Entry", "digest", "gone", "pack", "walk"]

Entry = tuple[int, int, int, int]
"""Mode, size, inode, and when the inode changed (ns), which nobody can set back: equal entries, equal files."""

_GIT = ".git"


def pack(workspace: Path, gits: Path, *, env: Mapping[str, str], depth: int) -> dict[str, tuple[Path, Entry]]:
    """All that travels, by its path below the workspace: where it is here, and its entry.

    Args:
        workspace: what a job is to see.
        gits: a directory of ours, for the git directories that stand alone in the place of those that borrow: the
            workspace's own, and those of its submodules.
        env: the environment for git.
        depth: how many commits come along, 0 for all.

    Raises:
        GitError: a git directory could not be made.
        OSError: a directory cannot be read.
    """
    gits.mkdir(exist_ok=True, mode=0o700)
    found: dict[str, tuple[Path, Entry]] = {}
    for name, entry in walk(workspace, into=lambda _name, entry: not _is_borrowing(entry)):
        place = Path(entry.path)
        found[name] = place, _entry(entry)
        if _is_borrowing(entry):
            alone = gits / hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
            make_travelling(place, alone, env=env, depth=depth)
            for path, inner in walk(alone, into=lambda name, _entry: name != OWN_REFS):
                found[f"{name}/{path}"] = Path(inner.path), _entry(inner)
    return found


def _is_borrowing(entry: os.DirEntry[str]) -> bool:
    return entry.name == _GIT and Path(entry.path, "objects", "info", "alternates").is_file()


def walk(
    root: Path, *, into: Callable[[str, os.DirEntry[str]], bool] = lambda _name, _entry: True
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The files, directories and links below ``root``, by their paths below it; a directory before what is in it.

    Args:
        root: where to begin; there is nothing below what is no directory, such as a link to one.
        into: whether what is in a directory is wanted too.
    """
    pending = [""] if root.is_dir() and not root.is_symlink() else []
    while pending:
        folder = pending.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                is_folder = entry.is_dir(follow_symlinks=False)
                if is_folder or entry.is_symlink() or entry.is_file(follow_symlinks=False):
                    yield name, entry
                if is_folder and into(name, entry):
                    pending.append(name)


def _entry(entry: os.DirEntry[str]) -> Entry:
    info = entry.stat(follow_symlinks=False)
    if stat.S_ISDIR(info.st_mode):
        return info.st_mode, 0, 0, 0
    return info.st_mode, info.st_size, info.st_ino, info.st_ctime_ns


def gone(there: Mapping[str, Entry], wanted: Mapping[str, Entry]) -> list[str]:
    """What has to be removed from a place that holds ``there``, so that ``wanted`` can be put there.

    What is in a directory that goes, or in whose place something else comes, goes with it.
    """

    def stays(folder: str) -> bool:
        return not folder or (folder in wanted and stat.S_ISDIR(wanted[folder][0]))

    return [name for name in there if name not in wanted and stays(name.rpartition("/")[0])]


def digest(entries: Mapping[str, Entry]) -> bytes:
    """A text that stands for what a place holds."""
    text = json.dumps(sorted(entries.items()))
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest().encode("ascii")
