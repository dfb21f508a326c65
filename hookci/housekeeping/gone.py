"""Directories of workspaces whose repository is gone: deleted, or moved to where it has got another one."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from hookci.errors import StateError
from hookci.housekeeping.record import owner_of
from hookci.housekeeping.things import House, InUse, Thing, last_use, matching, things
from hookci.housekeeping.tidy import tidied
from hookci.model.housekeeping import Kind
from hookci.store.locks import FileLock
from hookci.workspace.trash import empty, set_aside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hookci.model.housekeeping import Bounds, Tidied

__all__ = ["gone_places", "places", "remove_gone"]

_TRASH = ".trash"
_NOWHERE = "nowhere"


def places(home: Path) -> list[Path]:
    """The directories of all repositories in ``home``, hookci's part of the user's cache directory."""
    return [path for path in matching(home, "", "*-*") if path.is_dir() and not path.is_symlink()]


def gone_places(home: Path, bounds: Bounds, now: float) -> list[Path]:
    """Those of repositories that are no more, and that nobody has used for long enough.

    A repository may also be on a disk that is just not there: it finds its caches again for as long as they are kept.
    """
    found = []
    for place in places(home):
        owner = owner_of(place)
        if owner is not None and not os.path.lexists(owner):
            with contextlib.suppress(FileNotFoundError):
                if now - last_use(Kind.REPOSITORY, place) > bounds.age:
                    found.append(place)
    return found


def remove_gone(home: Path, bounds: Bounds, now: float, *, dry_run: bool) -> Tidied:
    """Remove those of `gone_places`, but those in which a job still runs."""
    found, problems = [], list[str]()
    for place in gone_places(home, bounds, now):
        thing = _thing(place)
        try:
            if not thing.needed and (dry_run or _is_removed(place, home / _TRASH)):
                found.append(thing)
        except (OSError, StateError) as error:
            problems.append(f"{place} cannot be removed: {error}")
    if not dry_run:
        problems += empty(home / _TRASH)
    return tidied(home, found, found, problems)


def _thing(place: Path) -> Thing:
    inside = things(House(place=place, state=place / _NOWHERE), InUse())
    size, needed = sum(each.size for each in inside), any(each.needed for each in inside)
    return Thing(kind=Kind.REPOSITORY, paths=(place,), size=size, used=0.0, needed=needed)


def _is_removed(place: Path, trash: Path) -> bool:
    with contextlib.ExitStack() as held:
        for lock in _locks(place):
            if not lock.try_acquire():
                return False
            held.callback(lock.release)
        return set_aside(place, trash) is not None


def _locks(place: Path) -> Iterator[FileLock]:
    for pattern in ("[0-9][0-9]", "pristine-*"):
        yield from (FileLock(slot / "lock") for slot in matching(place, "", pattern))
