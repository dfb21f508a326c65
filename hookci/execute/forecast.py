"""How long a run is going to take, if every job takes as long as it usually does."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from hookci.execute.course import Course
from hookci.model.result import JobResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.execute.waiting import Waiting
    from hookci.model.event import Event
    from hookci.model.plan import Plan, PlannedJob

__all__ = ["forecast"]


def forecast(plan: Plan, waiting: Waiting, durations: Mapping[str, float], *, keep_going: bool) -> dict[str, float]:
    """After how many seconds each job is over, by going through the run as if all jobs passed.

    Args:
        plan: what is to run.
        waiting: the places and the order of the run; an empty one, which is used up.
        durations: how many seconds each job usually holds its place.
        keep_going: as for the run.

    Returns:
        Of each job that runs; of none when it is not known of every one that does.
    """
    rehearsal = _Rehearsal(plan, durations)
    course = Course(plan, waiting, rehearsal, _ignore, keep_going=keep_going)
    course.begin()
    while course.is_going and rehearsal.is_known:
        rehearsal.go_on(course)
    return rehearsal.ended if rehearsal.is_known else {}


def _ignore(_event: Event) -> None:
    pass


class _Rehearsal:
    """Jobs that pass in no time, by a clock that they turn."""

    def __init__(self, plan: Plan, durations: Mapping[str, float]) -> None:
        self._plan = plan
        self._durations = durations
        self._ends: list[tuple[float, str]] = []
        self._now = 0.0
        self.ended: dict[str, float] = {}
        self.is_known = True

    def start(self, planned: PlannedJob) -> None:
        name = planned.job.name
        self.is_known = self.is_known and name in self._durations
        heapq.heappush(self._ends, (self._now + self._durations.get(name, 0.0), name))

    def cancel(self, name: str, reason: str, *, hard: bool) -> None:
        """No job fails, so none is cancelled."""

    def now(self) -> float:
        return self._now

    def go_on(self, course: Course) -> None:
        """Go to the next thing that happens."""
        due = course.next_due
        if self._ends and (due is None or self._ends[0][0] <= due):
            self._now, name = heapq.heappop(self._ends)
            self.ended[name] = self._now
            passed = JobResult(name=name, stage=self._plan.jobs[name].job.stage, outcome=Outcome.PASSED)
            course.over(passed, 0.0)
        elif due is not None:
            self._now = due
            course.look_at_clock()
