"""Taking out of a kept checkout whatever a job left there."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

__all__ = ["remove", "sweep"]

_GITLINK = "160000"


def remove(path: bytes) -> None:
    """Remove a file, a link or a whole directory, also one whose permissions were taken away."""
    try:
        _remove(path)
    except PermissionError:
        os.chmod(os.path.dirname(path), stat.S_IRWXU)
        if os.path.isdir(path) and not os.path.islink(path):
            os.chmod(path, stat.S_IRWXU)
        for folder, names, _files in os.walk(path):
            for name in names:
                inner = os.path.join(folder, name)
                if not os.path.islink(inner):
                    os.chmod(inner, stat.S_IRWXU)
        _remove(path)


def _remove(path: bytes) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(os.fsdecode(path))
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _parents(paths: AbstractSet[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for path in paths:
        parent = path.rpartition(b"/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition(b"/")[0]
    return found


def sweep(root: bytes, tracked: Mapping[bytes, str], keep: AbstractSet[bytes], umask: int) -> None:
    """Leave nothing below ``root`` but tracked files and what is kept.

    `git clean -ffdx` does most of this, but not all: it leaves a `.git` that a job made in a tracked
    directory, and the permission bits that git does not track.  What a tracked file holds is not looked
    at here: git itself compares it afterwards.

    Args:
        root: the checkout.
        tracked: the mode git has for each tracked path.
        keep: paths that stay as they are (declared caches), relative to ``root``.
        umask: what new files are made with.
    """
    folders = _parents(tracked.keys()) | _parents(keep)
    pending = [b""]
    while pending:
        folder = pending.pop()
        _open_up(os.path.join(root, folder), 0o777 & ~umask)
        with os.scandir(os.path.join(root, folder)) as entries:
            found = list(entries)
        for entry in found:
            path = folder + b"/" + entry.name if folder else entry.name
            if path in keep:
                continue
            if entry.is_dir(follow_symlinks=False) and path in folders:
                pending.append(path)
            elif path not in tracked:
                remove(entry.path)
            elif tracked[path] != _GITLINK:
                _normalise(entry, tracked[path], umask)


def _open_up(folder: bytes, mode: int) -> None:
    if stat.S_IMODE(os.lstat(folder).st_mode) != mode:
        os.chmod(folder, mode)


def _normalise(entry: os.DirEntry[bytes], mode: str, umask: int) -> None:
    """Give a regular file the permission bits a fresh checkout would give it."""
    found = entry.stat(follow_symlinks=False).st_mode
    if stat.S_ISREG(found):
        wanted = (0o777 if mode == "100755" else 0o666) & ~umask
        if stat.S_IMODE(found) != wanted:
            os.chmod(entry.path, wanted)
    elif stat.S_ISDIR(found):
        remove(entry.path)
