"""The course of a run: what becomes of each job, decided whenever something has happened.  Nothing is run here."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from hookci.execute.attempts import overlooked
from hookci.execute.readiness import BAD, Standing, is_patient
from hookci.execute.turns import Turns
from hookci.model.event import JobFinished, Notice
from hookci.model.pipeline import When
from hookci.model.plan import Action
from hookci.model.result import JobResult, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from hookci.execute.waiting import Waiting
    from hookci.model.event import Observer
    from hookci.model.pipeline import Flaw
    from hookci.model.plan import Plan, PlannedJob

    class Hands(Protocol):
        """What carries a course out."""

        def start(self, planned: PlannedJob) -> None:
            """Start a job; its end is told to the course later, not from here."""

        def cancel(self, name: str, reason: str, *, hard: bool) -> None:
            """Ask a job that runs to end; its end is told to the course later, not from here."""

        def now(self) -> float:
            """Seconds of a clock that does not go back."""


__all__ = ["Course"]

_TOLD = 3
_HELD = "its pipeline waits for a person"
_WORST = (Outcome.ERRORED, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CANCELLED)


def _flawed(flaws: tuple[Flaw, ...]) -> str:
    more = f"; `hookci check` tells {len(flaws) - _TOLD} more" if len(flaws) > _TOLD else ""
    return f"its pipeline cannot be created: {'; '.join(map(str, flaws[:_TOLD]))}{more}"


class Course:
    """Decides which job starts, is left out or cut short, and tells what came of it.  One thread at a time.

    Args:
        plan: what is to run.
        waiting: orders the jobs that may start, and has places for them.
        hands: starts and cancels jobs.
        tell: hears how each job ended.
        keep_going: whether a failure matters only to what comes after it.

    Attributes:
        results: the jobs that have ended, by name.
    """

    def __init__(self, plan: Plan, waiting: Waiting, hands: Hands, tell: Observer, *, keep_going: bool) -> None:
        self.results: dict[str, JobResult] = {}
        self._plan = plan
        self._waiting = waiting
        self._hands = hands
        self._tell = tell
        self._keep_going = keep_going or plan.keep_going
        self._standing = Standing(plan, self.results, keep_going=self._keep_going)
        self._turns = Turns(plan.jobs)
        self._arriving = collections.deque(self._turns.first())
        self._running: dict[str, None] = {}
        self._due: dict[str, float] = {}
        self._failed: str | None = None
        self._interrupted: str | None = None
        self._ended: dict[str, str] = {}

    # -- what happens

    def begin(self) -> None:
        """Start what waits for nothing."""
        self._go_on()

    def over(self, result: JobResult, held: float) -> None:
        """A job that was started is over; it held its place for so many seconds."""
        del self._running[result.name]
        self._waiting.leave(result.name)
        self._finish(result, held)
        self._go_on()

    def interrupt(self, reason: str) -> None:
        """Everything is to end."""
        self._interrupted = reason
        self._cancel_running(reason, hard=True)
        self._give_up_waiting(reason)
        self._go_on()

    def look_at_clock(self) -> None:
        """Start the delayed jobs whose time has come."""
        if self._due:
            now = self._hands.now()
            for name in [name for name, due in self._due.items() if due <= now]:
                del self._due[name]
                self._waiting.add(name)
            self._go_on()

    @property
    def is_going(self) -> bool:
        """Whether something runs, or waits for its time."""
        return bool(self._running or self._due)

    @property
    def next_due(self) -> float | None:
        """When, by the clock, the next delayed job starts."""
        return min(self._due.values(), default=None)

    def verdict(self) -> Verdict:
        """The roll-up, when every job has ended."""
        outcomes = {result.outcome for name, result in self.results.items() if not self._is_overlooked(name)}
        if self._interrupted:
            return Verdict.INTERRUPTED
        if Outcome.ERRORED in {result.outcome for result in self.results.values()}:
            return Verdict.NONE
        # what waits for a person holds up what comes after it, and is no failure
        return Verdict.RED if outcomes & {Outcome.FAILED, Outcome.TIMED_OUT} else Verdict.GREEN

    def _is_overlooked(self, name: str) -> bool:
        """Whether a job belongs to a pipeline whose failure is allowed."""
        parent = self._plan.jobs[name].parent
        if parent is None:
            return False
        return self._plan.jobs[parent].job.allow_failure.allowed or self._is_overlooked(parent)

    # -- readiness

    def _go_on(self) -> None:
        """Decide about every job that came up; a chain of a thousand skipped jobs is a loop, no recursion."""
        while self._arriving:
            self._arrive(self._arriving.popleft())
        while (name := self._waiting.next()) is not None:
            self._running[name] = None
            self._hands.start(self._plan.jobs[name])

    def _arrive(self, name: str) -> None:
        """All that ``name`` comes after is over: decide what becomes of it."""
        if name in self.results:
            return
        planned = self._plan.jobs[name]
        if planned.action is Action.SKIPPED:
            self._conclude(name, Outcome.SKIPPED, planned.reason)
        elif planned.action is Action.REMEMBERED:
            self._conclude(name, Outcome.REMEMBERED, planned.reason)
        elif reason := self._interrupted or self._why_ended(name):
            self._conclude(name, Outcome.CANCELLED, reason)
        elif planned.action is Action.UNSUPPORTED:
            self._conclude(name, Outcome.UNSUPPORTED, planned.reason)
        else:
            why_not = self._standing.why_not(planned, self._failed)
            if why_not:
                self._conclude(name, Outcome.SKIPPED, why_not)
            elif planned.action is Action.MANUAL:
                self._conclude(name, Outcome.MANUAL, planned.reason)
            else:
                self._admit(planned)

    def _admit(self, planned: PlannedJob) -> None:
        """Nothing keeps the job from running any more but time, and room."""
        name = planned.job.name
        if planned.job.trigger is not None:
            self._open(planned)
        elif planned.when is When.DELAYED and planned.job.start_in:
            self._due[name] = self._hands.now() + planned.job.start_in
            self._tell(Notice(f"`{name}` starts in {planned.job.start_in:g} s"))
        else:
            self._waiting.add(name)

    # -- pipelines that a job starts

    def _open(self, planned: PlannedJob) -> None:
        """Let the jobs of the pipeline that ``planned`` starts begin; it ends with them, if it depends on them."""
        name, trigger = planned.job.name, planned.job.trigger
        if not self._turns.members[name]:
            # a pipeline without jobs cannot be created, and the job that asked for it fails
            flaws = trigger.flaws if trigger is not None else ()
            self._conclude(name, Outcome.FAILED, _flawed(flaws) if flaws else "no job of its pipeline is to run")
            return
        if trigger is None or not trigger.depend:
            self._conclude(name, Outcome.PASSED, "started its pipeline")
        self._arriving.extend(self._turns.opened(name))

    def _close(self, starter: str) -> None:
        """The last job of the pipeline that ``starter`` starts is over, and so is ``starter``, or it waits with one.

        Source: ``Ci::Bridge#inherit_status_from_downstream``, and ``Gitlab::Ci::Status::Composite`` of the pipeline:
        what waits for a person comes before what failed; one in which nothing ran is skipped, which fails its starter.
        """
        if starter in self.results:
            return
        members = self._turns.members[starter]
        holder = None if self._interrupted else self._standing.holder(members)
        ended = {self.results[member].outcome: member for member in reversed(members)}
        bad = next((outcome for outcome in _WORST if outcome in ended), None)
        if holder is not None:
            reason = self.results[holder].reason
            is_from_below = reason.startswith(_HELD)
            self._conclude(starter, Outcome.MANUAL, reason if is_from_below else f"{_HELD}: `{holder}`")
        elif bad is not None:
            self._conclude(starter, bad, f"`{ended[bad]}` did not pass")
        elif all(self._is_idle(member) for member in members):
            trigger = self._plan.jobs[starter].job.trigger
            mirrors = trigger is not None and trigger.mirror
            self._conclude(starter, Outcome.SKIPPED if mirrors else Outcome.FAILED, "no job of its pipeline ran")
        else:
            self._conclude(starter, Outcome.PASSED, "its pipeline passed")

    def _is_idle(self, name: str) -> bool:
        """Whether a job did not run, and would not have on GitLab either."""
        outcome = self.results[name].outcome
        if outcome is Outcome.MANUAL:
            return self._plan.jobs[name].when is When.MANUAL
        return outcome is Outcome.SKIPPED and name not in self._plan.skip

    def _shut(self, starter: str, reason: str) -> None:
        """``starter`` does not run, and so nor does any job of the pipeline that it would have started."""
        for member in self._turns.members[starter]:
            if member not in self.results:
                self._conclude(member, Outcome.SKIPPED, reason)

    # -- endings

    def _conclude(self, name: str, outcome: Outcome, reason: str) -> None:
        planned = self._plan.jobs[name]
        run = planned.remembered_run if outcome is Outcome.REMEMBERED else None
        self._finish(JobResult(name=name, stage=planned.job.stage, outcome=outcome, reason=reason, passed_in=run))

    def _finish(self, result: JobResult, held: float = 0.0) -> None:
        planned = self._plan.jobs[result.name]
        if planned.job.trigger is not None:
            result = overlooked(planned.job, result)
        self.results[result.name] = result
        self._tell(JobFinished(result, held))
        if result.outcome in BAD and (planned.parent or "") in self._plan.ends_together:
            self._end_together(planned)
        if result.outcome in BAD and self._failed is None:
            self._failed = result.name
            if not self._keep_going:
                self._cancel_running(f"`{result.name}` did not pass", hard=False)
                self._give_up_waiting(f"`{result.name}` did not pass")
        if planned.job.trigger is not None and not result.outcome.is_good:
            self._shut(result.name, result.reason if result.reason.startswith("`") else f"`{result.name}` did not run")
        starter = self._turns.closed(result.name)
        if starter is not None:
            self._close(starter)
        self._arriving.extend(self._turns.over(result.name))

    def _end_together(self, failed: PlannedJob) -> None:
        """End all jobs of the pipeline of ``failed`` (GitLab, "workflow:auto_cancel:on_job_failure")."""
        reason = f"`{failed.job.name}` did not pass"
        self._ended.setdefault(failed.parent or "", reason)
        for name in self._running:
            if self._why_ended(name):
                self._hands.cancel(name, reason, hard=False)
        self._drop(self._why_ended, reason)

    def _why_ended(self, name: str) -> str | None:
        """What has ended the pipeline of a job, or one around it; None when nothing has."""
        if not self._ended:
            return None
        parent = self._plan.jobs[name].parent
        while parent is not None and parent not in self._ended:
            parent = self._plan.jobs[parent].parent
        return self._ended.get(parent or "")

    def _cancel_running(self, reason: str, *, hard: bool) -> None:
        for name in self._running:
            if hard or is_patient(self._plan.jobs[name].when):
                self._hands.cancel(name, reason, hard=hard)

    def _give_up_waiting(self, reason: str) -> None:
        """What could have started but has not will not."""

        def is_dropped(name: str) -> bool:
            return self._interrupted is not None or is_patient(self._plan.jobs[name].when)

        self._drop(is_dropped, reason)

    def _drop(self, is_dropped: Callable[[str], object], reason: str) -> None:
        due = [name for name in self._due if is_dropped(name)]
        for name in due:
            del self._due[name]
        for name in [*self._waiting.drop(lambda name: bool(is_dropped(name))), *due]:
            self._conclude(name, Outcome.CANCELLED, reason)
