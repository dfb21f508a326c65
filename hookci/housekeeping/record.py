"""What a directory of workspaces says of itself: whose it is, and how much was in it when it was last cleaned up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.housekeeping.things import matching
from hookci.store.private import write_atomic

if TYPE_CHECKING:
    from hookci.model.housekeeping import Tidied

__all__ = ["Record", "owner_of", "read_record", "write_record"]

_FILE = "repository.json"


class Record(Struct, frozen=True, kw_only=True):
    """The git directory that all worktrees share, and the bytes that were ``used`` then, ``at`` in unix seconds."""

    repository: str
    used: int
    at: float


def write_record(repository: Path, tidied: Tidied, now: float) -> None:
    """Write down what came of cleaning up, where there is a place to.

    Raises:
        StateError: that directory is not private.
    """
    place = Path(tidied.place)
    if place.is_dir():
        words = {"repository": str(repository), "used": tidied.used, "at": now}
        write_atomic(place / _FILE, json.dumps(words).encode("ascii"))


def read_record(place: Path) -> Record | None:
    """What a directory says of itself; None when it does not."""
    try:
        words = json.loads((place / _FILE).read_bytes())
        return Record(repository=str(words["repository"]), used=int(words["used"]), at=float(words["at"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def owner_of(place: Path) -> Path | None:
    """The git directory whose workspaces are in ``place``; None when it cannot be told.

    Where it was never cleaned up, a workspace tells: it borrows from the repository's objects.
    """
    record = read_record(place)
    if record is not None:
        return Path(record.repository)
    for slot in [*matching(place, "", "[0-9][0-9]"), *matching(place, "", "pristine-*")]:
        for file in matching(slot, "git/objects/info", "alternates"):
            for line in file.read_bytes().splitlines():
                objects = Path(os.fsdecode(line))
                if objects.name == "objects" and objects.is_absolute() and not objects.is_relative_to(place):
                    return objects.parent
    return None
