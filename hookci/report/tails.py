"""The end of each job's output, kept while it runs."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from hookci.model.event import JobFinished, JobOutput, JobStarted, RunStarted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookci.model.event import Event

__all__ = ["Partials", "Tails"]

_KEPT = 200


class Partials:
    """Holds back lines that have no line end yet, so that none is told twice.  One thread at a time."""

    def __init__(self) -> None:
        self._held: dict[str, str] = {}

    def complete(self, output: JobOutput) -> tuple[str, ...]:
        """The lines of ``output`` that will not come again."""
        if output.share is not None:
            return ()
        self._held.pop(output.job, None)
        if not output.partial or not output.lines:
            return output.lines
        self._held[output.job] = output.lines[-1]
        return output.lines[:-1]

    def rest(self, job: str) -> tuple[str, ...]:
        """The line that ``job`` left without an end, if it came to nothing else."""
        held = self._held.pop(job, None)
        return () if held is None else (held,)


class Tails:
    """An observer that keeps the last 200 lines of each job's last attempt."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._partials = Partials()
        self._kept: dict[str, deque[str]] = {}

    def __call__(self, event: Event) -> None:
        """Take in what ``event`` adds; may be called from any thread."""
        with self._lock:
            match event:
                case RunStarted():
                    self._kept.clear()
                case JobStarted(job):
                    self._partials.rest(job)
                    self._kept[job] = deque(maxlen=_KEPT)
                case JobOutput(job):
                    self._kept.setdefault(job, deque(maxlen=_KEPT)).extend(self._partials.complete(event))
                case JobFinished(result):
                    self._kept.setdefault(result.name, deque(maxlen=_KEPT)).extend(self._partials.rest(result.name))
                case _:
                    pass

    def lines(self) -> Mapping[str, Sequence[str]]:
        """The lines kept, oldest first, by job; a job that said nothing may be missing."""
        with self._lock:
            return {job: tuple(kept) for job, kept in self._kept.items() if kept}
