"""Removing what others may look at: moved aside in one step first, so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from hookci.errors import StateError
from hookci.store.private import private_directory
from hookci.workspace.sweep import remove

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["discard", "empty", "set_aside"]


def set_aside(path: Path, trash: Path) -> Path | None:
    """Move ``path`` into the directory ``trash``, on the same file system.

    Returns:
        Where it is now; None when it was not there.

    Raises:
        OSError: it cannot be moved; it stays as it was.
        StateError: the trash is not private.
    """
    aside = private_directory(trash) / os.urandom(8).hex()
    try:
        path.rename(aside)
    except FileNotFoundError:
        return None
    except PermissionError:
        # of a directory whose permissions were taken away `..` cannot be changed (rename(2))
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise
        path.chmod(stat.S_IRWXU)
        path.rename(aside)
    return aside


def discard(path: Path, trash: Path) -> None:
    """Remove ``path`` by way of ``trash``; what resists there is left to whoever empties it next.

    Raises:
        OSError: it cannot be moved.
        StateError: the trash is not private.
    """
    aside = set_aside(path, trash)
    if aside is not None:
        with contextlib.suppress(OSError):
            remove(os.fsencode(aside))


def empty(trash: Path) -> list[str]:
    """Remove what is in ``trash``, if there is one; in words, what cannot be removed."""
    if not os.path.lexists(trash):
        return []
    try:
        found = sorted(private_directory(trash).iterdir())
    except StateError as error:
        return [error.message]
    problems = []
    for each in found:
        try:
            remove(os.fsencode(each))
        except FileNotFoundError:
            continue  # whoever put it there removes it, too
        except OSError as error:
            problems.append(f"{each} cannot be removed: {(error.strerror or str(error)).lower()}")
    return problems
