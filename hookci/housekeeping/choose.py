"""Pure: what of all that is kept has to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.housekeeping import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.housekeeping.things import Thing
    from hookci.model.housekeeping import Bounds

__all__ = ["choose"]

_HOUR, _DAY = 3600.0, 86400.0
_AT_LEAST = {Kind.ARTIFACTS: _HOUR, Kind.LOGS: _HOUR, Kind.OBJECTS: _DAY, Kind.LEFTOVER: _DAY}
"""Seconds since the last use: what has no lock may be in use until then.  A run touches what it is going to take."""


def choose(things: Sequence[Thing], bounds: Bounds, now: float) -> list[Thing]:
    """What has to go so that the rest is within ``bounds``, as far as it can be.

    All that was not used for longer than its time; then, while there is too much, what was used on the earliest day
    first, of one day the largest first.

    Args:
        things: all there is.
        bounds: for all of it together.
        now: unix seconds.
    """
    kept = [thing for thing in things if not _is_old(thing, bounds, now)]
    chosen = [thing for thing in things if _is_old(thing, bounds, now)]
    total = sum(thing.size for thing in kept)
    for thing in sorted(kept, key=lambda one: (one.used // _DAY, -one.size)):
        if total <= bounds.size:
            break
        if thing.size and _may_go(thing, now):
            chosen.append(thing)
            total -= thing.size
    return chosen


def _is_old(thing: Thing, bounds: Bounds, now: float) -> bool:
    return now - thing.used > bounds.age and _may_go(thing, now)


def _may_go(thing: Thing, now: float) -> bool:
    return not thing.needed and now - thing.used >= _AT_LEAST.get(thing.kind, 0.0)
