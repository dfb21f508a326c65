"""Where each job of the run at hand stands: what the live view shows, without how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.event import JobFinished, JobOutput, JobStarted, RunFinished
from hookci.model.plan import Action
from hookci.model.result import Outcome
from hookci.model.text import plain
from hookci.report.words import BROKEN, detail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookci.model.event import Event, RunStarted
    from hookci.model.plan import PlannedJob
    from hookci.model.result import JobResult

__all__ = ["Board", "Row"]

_INTENDED = {
    Action.REMEMBERED: Outcome.REMEMBERED,
    Action.SKIPPED: Outcome.SKIPPED,
    Action.MANUAL: Outcome.MANUAL,
}


class Row(Struct):
    """One job: waiting while ``started`` and ``outcome`` are None, then running, then over."""

    name: str
    outcome: Outcome | None
    says: str
    """The last line of its output while it runs, and why it ended so when it is over."""
    started: float | None = None
    seconds: float | None = None
    share: float | None = None
    """How much is done of what it waits for, from 0 to 1."""

    @classmethod
    def of(cls, planned: PlannedJob) -> Row:
        """The row of a job nothing has happened to yet."""
        outcome = _INTENDED.get(planned.action)
        return cls(plain(planned.job.name), outcome, plain(planned.reason) if outcome else "")

    @property
    def is_running(self) -> bool:
        """Whether it has started and is not over."""
        return self.started is not None and self.outcome is None

    @property
    def is_busy(self) -> bool:
        """Whether it runs, or waits for something of which it is known how far that is."""
        return self.is_running or self.share is not None

    @property
    def is_broken(self) -> bool:
        """Whether it keeps the run from being green."""
        return self.outcome in BROKEN

    def finish(self, result: JobResult) -> None:
        """Take over how the job ended."""
        self.outcome = result.outcome
        self.share = None
        self.says = detail(result)
        self.seconds = result.seconds if result.attempts else None

    def elapsed(self, now: float) -> float | None:
        """Seconds it took, or takes so far; None when it did not run."""
        if self.is_running and self.started is not None:
            return now - self.started
        return self.seconds


class Board:
    """The rows of one run, by stage in the order of the plan.  One thread at a time."""

    def __init__(self, run: RunStarted, now: float) -> None:
        plan = run.plan
        self.number = run.number
        self.label = plain(plan.snapshot.label)
        self._began = now
        self._ends = run.ends
        self._seconds: float | None = None
        self._rows = {name: Row.of(planned) for name, planned in plan.jobs.items()}
        members = {
            stage: [row for name, row in self._rows.items() if plan.jobs[name].job.stage == stage]
            for stage in plan.stages
        }
        self.stages: Mapping[str, Sequence[Row]] = {plain(stage): rows for stage, rows in members.items() if rows}

    @property
    def rows(self) -> Sequence[Row]:
        """All rows, in the order they are shown."""
        return [row for rows in self.stages.values() for row in rows]

    def elapsed(self, now: float) -> float:
        """Seconds since the run began, until it ended."""
        return now - self._began if self._seconds is None else self._seconds

    def outlook(self, now: float) -> tuple[float, float] | None:
        """Seconds until the expected end, and how late the run is by then; None when nobody knows.

        What should be over and is not delays the end.  Once a job is broken the past says nothing any more, and
        nothing is to be said of a run that has ended.
        """
        open_ends = [end for name, end in self._ends.items() if self._rows[name].outcome is None]
        if not open_ends or any(row.is_broken for row in self._rows.values()):
            return None
        elapsed = self.elapsed(now)
        late = max(0.0, elapsed - min(open_ends))
        return max(self._ends.values()) + late - elapsed, late

    def apply(self, event: Event, now: float) -> None:
        """Take in what ``event`` changes; a job that is not in the plan is not shown."""
        match event:
            case JobStarted(job) if row := self._rows.get(job):
                row.outcome, row.started, row.says, row.share = None, now, "", None
            case JobOutput(job, lines) if row := self._rows.get(job):
                row.says = next((text for line in reversed(lines) if (text := plain(line).strip())), row.says)
                row.share = event.share
            case JobFinished(result) if row := self._rows.get(result.name):
                row.finish(result)
            case RunFinished(result):
                self._seconds = result.seconds
            case _:
                pass
