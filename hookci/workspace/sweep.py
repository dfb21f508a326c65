"""Taking out of a kept checkout whatever a job left there."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from hookci.workspace.listing import GITLINK, parents

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from hookci.workspace.listing import Listing

__all__ = ["remove", "sweep"]


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
        import shutil  # noqa: PLC0415 (dear, and most workspaces hold nothing to remove)

        shutil.rmtree(os.fsdecode(path))
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def sweep(
    root: bytes, tracked: Listing, keep: AbstractSet[bytes], umask: int, touched: AbstractSet[bytes] | None = None
) -> bool:
    """Leave nothing below ``root`` but tracked files and what is kept; say whether one of these files was mended.

    `git clean -ffdx` does most of this, but not all: it leaves a `.git` that a job made in a tracked
    directory, and the permission bits that git does not track.  What a tracked file holds is not looked
    at here: git itself compares it afterwards.

    Args:
        root: the checkout.
        tracked: what git has put there.
        keep: paths that stay as they are (declared caches), relative to ``root``.
        umask: what new files are made with.
        touched: the tracked paths that are not as git left them; None when it may be any.
    """
    folders = tracked.folders | parents(keep) if keep else tracked.folders
    pending, mended = [b""], False
    while pending:
        folder = pending.pop()
        _open_up(os.path.join(root, folder), 0o777 & ~umask)
        with os.scandir(os.path.join(root, folder)) as entries:
            found = list(entries)
        for entry in found:
            path = folder + b"/" + entry.name if folder else entry.name
            if path in keep:
                continue
            if path in folders and entry.is_dir(follow_symlinks=False):
                pending.append(path)
            elif path not in tracked.modes:
                remove(entry.path)
            elif tracked.modes[path] != GITLINK and (touched is None or path in touched):
                mended |= _normalise(entry, tracked.modes[path], umask)
    return mended


def _open_up(folder: bytes, mode: int) -> None:
    if stat.S_IMODE(os.lstat(folder).st_mode) != mode:
        os.chmod(folder, mode)


def _normalise(entry: os.DirEntry[bytes], mode: str, umask: int) -> bool:
    """Give a regular file the permission bits a fresh checkout would give it; say whether it had others."""
    found = entry.stat(follow_symlinks=False).st_mode
    wanted = (0o777 if mode == "100755" else 0o666) & ~umask
    if stat.S_ISDIR(found):
        remove(entry.path)
    elif not stat.S_ISREG(found) or stat.S_IMODE(found) == wanted:
        return False
    else:
        os.chmod(entry.path, wanted)
    return True
