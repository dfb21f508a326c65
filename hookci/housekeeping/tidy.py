"""Clearing away what is beyond the bounds, never anything in use; a kill at any instant leaves no half of anything.

What goes is moved into the trash in one step, and removed there.  The next time begins with what is left in the trash.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hookci.errors import StateError
from hookci.housekeeping.choose import choose
from hookci.housekeeping.things import last_use, things
from hookci.model.housekeeping import Kind, Removed, Tidied
from hookci.store.locks import FileLock
from hookci.workspace.trash import empty, set_aside

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hookci.housekeeping.things import House, InUse, Thing
    from hookci.model.housekeeping import Bounds

__all__ = ["TRASH", "tidied", "tidy", "would_tidy"]

TRASH = "trash"
_LOCK = "housekeeping.lock"


def would_tidy(house: House, in_use: InUse, bounds: Bounds, now: float) -> Tidied:
    """What `tidy` would remove; nothing is changed."""
    found = things(house, in_use)
    chosen = choose(found, bounds, now)
    return tidied(house.place, chosen, found, ())


def tidy(house: House, in_use: InUse, bounds: Bounds, now: float) -> Tidied:
    """Clear away what is beyond ``bounds``.

    Args:
        house: of which repository.
        in_use: what is needed there.
        bounds: for all of it together.
        now: unix seconds.

    Raises:
        StateError: a directory is not private, or somebody else is just doing the same.
    """
    # both are looked after under one lock
    at = house.state if house.state.is_dir() else house.place
    if not at.is_dir():
        return Tidied(place=str(house.place))
    lock = FileLock(at / _LOCK)
    if not lock.try_acquire():
        raise StateError(f"{at} is being cleaned up by another process")
    try:
        return _tidy(house, in_use, bounds, now)
    finally:
        lock.release()


def _tidy(house: House, in_use: InUse, bounds: Bounds, now: float) -> Tidied:
    trashes = [directory / TRASH for directory in (house.place, house.state)]
    problems = [problem for trash in trashes for problem in empty(trash)]
    found = things(house, in_use)
    gone = []
    for thing in choose(found, bounds, now):
        try:
            went = _move(thing, house)
        except (OSError, StateError) as error:
            problems.append(_words(error))
            continue
        if went is not None:
            gone.append(went)
    problems += [problem for trash in trashes for problem in empty(trash) if problem not in problems]
    return tidied(house.place, gone, found, problems)


def _words(error: OSError | StateError) -> str:
    if isinstance(error, StateError):
        return error.message
    return f"{os.fsdecode(error.filename or '')} cannot be removed: {(error.strerror or str(error)).lower()}"


def tidied(place: Path, gone: Iterable[Thing], found: Iterable[Thing], problems: Iterable[str]) -> Tidied:
    """What came of it, counted by kind."""
    sums: dict[Kind, tuple[int, int]] = {}
    for thing in gone:
        count, size = sums.get(thing.kind, (0, 0))
        sums[thing.kind] = count + thing.count, size + thing.size
    removed = tuple(Removed(kind=kind, count=sums[kind][0], size=sums[kind][1]) for kind in Kind if kind in sums)
    used = sum(thing.size for thing in found) - sum(each.size for each in removed)
    return Tidied(place=str(place), removed=removed, used=used, problems=tuple(problems))


def _move(thing: Thing, house: House) -> Thing | None:
    """Move it into the trash; None when it is in use, or was since it was looked at."""
    lock = FileLock(thing.lock) if thing.lock else None
    if lock is not None and not lock.try_acquire():
        return None
    try:
        if thing.stamp and thing.stamp.lstat().st_mtime > thing.used:
            return None
        return thing if sum([_is_moved(path, thing, house) for path in thing.paths]) else None
    except FileNotFoundError:
        return None
    finally:
        if lock is not None:
            lock.release()


def _is_moved(path: Path, thing: Thing, house: House) -> bool:
    """Whether a part of a thing is in the trash now; what has no stamp but itself is looked at before and after."""
    if not _is_unused(path, thing):
        return False
    aside = set_aside(path, (house.place if path.is_relative_to(house.place) else house.state) / TRASH)
    if aside is None or _is_unused(aside, thing):
        return aside is not None
    # whoever touched it before it was moved has found it, and takes it soon
    aside.rename(path)
    return False


def _is_unused(path: Path, thing: Thing) -> bool:
    return thing.stamp is not None or last_use(thing.kind, path) <= thing.used
