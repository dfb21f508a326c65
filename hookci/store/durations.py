"""How long jobs took in past runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hookci.model.result import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from sqlite3 import Connection

    from hookci.model.result import JobResult

__all__ = ["ALL_DURATIONS", "note_durations", "prune_durations", "tells_duration", "usual_durations"]

ALL_DURATIONS = "SELECT job, seconds FROM durations"
_LATEST = 5
_MOST = 5_000
"""Jobs; names come and go with the configs that are tried."""
_TO_THE_END = frozenset({Outcome.PASSED, Outcome.ALLOWED_FAILURE})
"""What fails may have ended early, and says nothing of how long it takes."""


def tells_duration(result: JobResult, held: float) -> bool:
    """Whether a job that held its place for so many seconds came to its end."""
    return result.outcome in _TO_THE_END and held > 0


def note_durations(connection: Connection, held: Mapping[str, float]) -> None:
    """Write down for how many seconds each of some jobs held its place."""
    for job, seconds in held.items():
        name = json.dumps(job)
        row = connection.execute("SELECT seconds FROM durations WHERE job = ?", (name,)).fetchone()
        latest = [*(_read(row[0]) if row else ()), round(seconds, 3)][-_LATEST:]
        # a row that is replaced goes to the end: the first ones are those not heard of for longest
        connection.execute("INSERT OR REPLACE INTO durations (job, seconds) VALUES (?, ?)", (name, json.dumps(latest)))


def usual_durations(rows: Iterable[tuple[Any, ...]], names: Collection[str]) -> dict[str, float]:
    """The seconds that each of ``names`` usually takes, where that is known.

    That is the median of the last five, of two the smaller: the first time is often with cold caches.

    Args:
        rows: what `ALL_DURATIONS` gives.
        names: of jobs.
    """
    wanted = {json.dumps(name): name for name in names}
    found = {}
    for job, seconds in rows:
        latest = sorted(_read(seconds)) if job in wanted else ()
        if latest:
            found[wanted[job]] = latest[(len(latest) - 1) // 2]
    return found


def prune_durations(connection: Connection) -> None:
    """Forget the jobs that were not heard of for longest."""
    connection.execute("DELETE FROM durations WHERE rowid <= (SELECT max(rowid) FROM durations) - ?", (_MOST,))


def _read(text: object) -> list[float]:
    """Seconds as they were written; a row that does not hold any is as good as not there."""
    try:
        return [float(one) for one in json.loads(str(text)) if float(one) > 0]
    except (TypeError, ValueError):
        return []
