"""Which jobs are urgent: those with the longest way to the end of the run before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.execute.turns import Turns, in_order
from hookci.model.pipeline import When
from hookci.model.plan import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.model.plan import PlannedJob

__all__ = ["expected_seconds", "ranks", "wait_of"]


def expected_seconds(jobs: Mapping[str, PlannedJob], durations: Mapping[str, float]) -> dict[str, float]:
    """How long each job is expected to hold a place; one that does not run holds none.

    What is not known is taken for as long as a middling job; if nothing is known, every job is as long as any other.
    """
    known = sorted(durations[name] for name in jobs if name in durations)
    middling = known[len(known) // 2] if known else 1.0
    return {
        name: durations.get(name, middling) if planned.action is Action.RUN and planned.job.trigger is None else 0.0
        for name, planned in jobs.items()
    }


def wait_of(planned: PlannedJob) -> float:
    """The seconds that a job lets pass before it starts, without holding a place."""
    return (planned.job.start_in or 0.0) if planned.when is When.DELAYED else 0.0


def ranks(jobs: Mapping[str, PlannedJob], durations: Mapping[str, float]) -> dict[str, float]:
    """The length of the longest chain of jobs that begins with each job: its own time, and that of what comes after it.

    Starting ready jobs by falling rank is critical-path scheduling: mostly close to the shortest run there can be, and
    with jobs that take one place each never twice as long (R. L. Graham, "Bounds on multiprocessing timing anomalies",
    1969).

    Args:
        jobs: all jobs of a run, by name.
        durations: how many seconds jobs took in past runs, by name; may lack some, or all.
    """
    own = expected_seconds(jobs, durations)
    rest = _Rest(jobs)
    for name in reversed(in_order(jobs)):
        members = (rest.ranks[member] for member in rest.turns.members.get(name, ()))
        rest.ranks[name] = wait_of(jobs[name]) + own[name] + max(rest.after(name), *members, 0.0)
    return rest.ranks


class _Rest:
    """What is left of a run, by the ranks found so far."""

    def __init__(self, jobs: Mapping[str, PlannedJob]) -> None:
        self._jobs = jobs
        self._longest: dict[int, float] = {}
        self._after: dict[str, float] = {}
        self.turns = Turns(jobs)
        self.ranks: dict[str, float] = {}

    def after(self, name: str) -> float:
        """The longest chain that begins when ``name`` is over; with it, its pipeline may be, and what started that."""
        if name not in self._after:
            parent = self._jobs[name].parent
            trigger = self._jobs[parent].job.trigger if parent is not None else None
            above = self.after(parent) if parent is not None and trigger is not None and trigger.depend else 0.0
            self._after[name] = max((self._longest_of(names) for names in self.turns.behind(name)), default=0.0)
            self._after[name] = max(self._after[name], above)
        return self._after[name]

    def _longest_of(self, names: list[str]) -> float:
        """Jobs that come after the same ones are looked through once for all of these."""
        if id(names) not in self._longest:
            self._longest[id(names)] = max(self.ranks[name] for name in names)
        return self._longest[id(names)]
