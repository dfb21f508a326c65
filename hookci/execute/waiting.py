"""The jobs that may start, the most urgent first, and the places there are for them."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.model.plan import PlannedJob

__all__ = ["Waiting"]


class Waiting:
    """At most ``parallel`` jobs are out at once, together of at most ``cores`` weights, one of each resource group.

    Among equally urgent jobs the order of the plan decides.  When the most urgent one is too heavy for the cores that
    are free, no other goes before it, so that light ones cannot keep it waiting for ever; one that is heavier than all
    cores goes alone.  Who waits for its group holds up nobody.

    Args:
        jobs: all jobs of the run, by name.
        ranks: how urgent each is.
        parallel: most jobs at once.
        cores: most weights at once; no less than ``parallel``, so that jobs of one core never wait for cores.
    """

    def __init__(
        self, jobs: Mapping[str, PlannedJob], ranks: Mapping[str, float], *, parallel: int, cores: int = 0
    ) -> None:
        self._jobs = jobs
        self._urgency = {name: (-ranks[name], place, name) for place, name in enumerate(jobs)}
        self._free_places = parallel
        self._cores = max(parallel, cores)
        self._free_cores = self._cores
        self._ready: list[tuple[float, int, str]] = []
        self._busy: set[str] = set()
        self._parked: dict[str, list[tuple[float, int, str]]] = {}
        """Jobs that came up while another one of their resource group was out."""

    def add(self, name: str) -> None:
        """A job may start."""
        heapq.heappush(self._ready, self._urgency[name])

    def next(self) -> str | None:
        """The job that starts now, and has its place until it `leave`s; None when there is none, or no room."""
        while self._ready and self._free_places:
            name = self._ready[0][-1]
            group = self._jobs[name].job.resource_group
            if group in self._busy:
                heapq.heappush(self._parked.setdefault(group, []), heapq.heappop(self._ready))
                continue
            weight = self._weight(name)
            if weight > self._free_cores:
                return None
            heapq.heappop(self._ready)
            self._free_places -= 1
            self._free_cores -= weight
            if group:
                self._busy.add(group)
            return name
        return None

    def leave(self, name: str) -> None:
        """A job is over: its place is free, and so is its group."""
        self._free_places += 1
        self._free_cores += self._weight(name)
        group = self._jobs[name].job.resource_group
        if group:
            self._busy.discard(group)
            if self._parked.get(group):
                heapq.heappush(self._ready, heapq.heappop(self._parked[group]))

    def drop(self, is_dropped: Callable[[str], bool]) -> list[str]:
        """Take out the jobs that shall not start any more; their names, in the order of the plan."""
        waiting = [*self._ready, *(entry for entries in self._parked.values() for entry in entries)]
        gone = sorted((place, name) for _, place, name in waiting if is_dropped(name))
        names = {name for _, name in gone}
        for entries in (self._ready, *self._parked.values()):
            entries[:] = [entry for entry in entries if entry[-1] not in names]
            heapq.heapify(entries)
        return [name for _, name in gone]

    def _weight(self, name: str) -> int:
        return min(self._jobs[name].job.weight, self._cores)
