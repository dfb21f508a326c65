"""Taking hookci's hooks away without a trace."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.git.hookspath import chain_directory, find_hooks, unchain
from hookci.git.installation import JUDGING, forget, places, read_installation
from hookci.git.kept import BEFORE, is_kept_as, is_shims, put_back, put_back_rest, sweep, writing
from hookci.git.shims import find_shim

if TYPE_CHECKING:
    from pathlib import Path

    from hookci.git.repository import Repository

__all__ = ["Taken", "UninstallReport", "take_away", "uninstall"]


class Taken(Struct, frozen=True):
    """What was done in one directory, by the names of the hooks; ``left`` are other hooks in hookci's place."""

    removed: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class UninstallReport(Struct, frozen=True, kw_only=True):
    """What uninstall did.

    ``removed`` are hooks of hookci's, ``restored`` those of others that have their old place back, ``left``
    those of others that were put in hookci's place since.  ``unset`` says that hookci's ``core.hooksPath`` is gone.
    """

    removed: tuple[str, ...]
    restored: tuple[str, ...]
    left: tuple[str, ...] = ()
    unset: bool = False
    warnings: tuple[str, ...] = ()


def uninstall(repo: Repository) -> UninstallReport:
    """Take hookci's hooks away and give every kept hook its place, bytes and mode back.

    Raises:
        StateError: the hooks cannot be written.
    """
    record = read_installation(repo)
    found = find_hooks(repo, record.ours)
    unchain(repo, record.ours)
    taken = {}
    for directory in places(repo, record, found):
        with writing(directory):
            taken[directory] = take_away(directory, known=str(directory) in record.directories)
            if str(directory) in record.made or directory == chain_directory(repo):
                _remove_if_empty(directory)
    with writing(repo.common_dir / "hookci"):
        forget(repo)
        _remove_if_empty(repo.common_dir / "hookci")
    return UninstallReport(
        removed=tuple(name for each in taken.values() for name in each.removed),
        restored=tuple(name for each in taken.values() for name in each.restored),
        left=tuple(name for each in taken.values() for name in each.left),
        unset=found.chained,
        warnings=tuple(_left(directory, name) for directory, each in taken.items() for name in each.left),
    )


def take_away(directory: Path, *, known: bool = False) -> Taken:
    """Remove every shim of ``directory``, under whatever name another tool has put it, and restore what was kept.

    Args:
        directory: where hooks are; it need not exist.
        known: whether hookci was installed there, also when no shim is left to show it.
    """
    if not directory.is_dir():
        return Taken()
    sweep(directory)
    removed, restored = list[str](), list[str]()
    shims = [(path, shim.name) for path in directory.iterdir() if (shim := find_shim(path))]
    replaced = [name for name in JUDGING if _is_others(directory, name)] if known or shims else []
    for path, name in sorted(shims, key=lambda pair: (pair[0].name != pair[1], pair)):
        kept = directory / BEFORE / name
        if os.path.lexists(kept):
            put_back(kept, path)
            restored.append(path.name)
        else:
            path.unlink()
        removed.append(path.name)
    rest, left = put_back_rest(directory)
    return Taken(tuple(removed), (*restored, *rest), tuple(dict.fromkeys((*replaced, *left))))


def _is_others(directory: Path, name: str) -> bool:
    place, kept = directory / name, directory / BEFORE / name
    return os.path.lexists(place) and not is_shims(place) and not is_kept_as(place, kept)


def _left(directory: Path, name: str) -> str:
    told = f"{directory / name} is not hookci's and stays"
    kept = directory / BEFORE / name
    return f"{told}; the hook before it is {kept}" if os.path.lexists(kept) else told


def _remove_if_empty(directory: Path) -> None:
    with contextlib.suppress(OSError):
        directory.rmdir()
