"""Running a whole plan: what is ready starts, a failure ends what cannot matter any more."""

from __future__ import annotations

import collections
import contextlib
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookci.execute.attempts import Attempts, Executor, overlooked
from hookci.execute.cancel import JobCancel
from hookci.execute.readiness import BAD, Standing, is_patient
from hookci.model.event import JobFinished, JobOutput, JobRetried, JobStarted, Notice, RunFinished, RunStarted
from hookci.model.pipeline import When
from hookci.model.plan import Action
from hookci.model.result import JobResult, Outcome, RunResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hookci.model.event import Observer
    from hookci.model.plan import Plan, PlannedJob

__all__ = ["Executor", "Interrupts", "RunSettings", "run_plan"]

_WORST = (Outcome.ERRORED, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CANCELLED)
_LOOK_UP = 0.1
"""Seconds after which the scheduler looks up from waiting for events, so that signal handlers get to run."""
_WAITING_OUTPUT = 64
"""Pieces of output that wait to be shown; a job that writes faster than they can be has to wait too."""


class Interrupts:
    """How a signal handler reaches the scheduler."""

    def __init__(self) -> None:
        self._listener: Callable[[str], None] | None = None
        self.reason: str | None = None

    def interrupt(self, reason: str) -> bool:
        """Ask for the end of the run; safe to call from a signal handler.

        Returns:
            Whether a run is going on that will see to it.
        """
        self.reason = self.reason or reason
        if self._listener is None:
            return False
        self._listener(reason)
        return True

    def listen(self, listener: Callable[[str], None] | None) -> None:
        """Who is told from now on; what was asked for before is told at once."""
        self._listener = listener
        if listener and self.reason:
            listener(self.reason)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How to run: so many jobs at once, on after a failure or not, and where locks of resource groups live."""

    parallel: int
    keep_going: bool
    locks: Path


@dataclass(frozen=True, slots=True)
class _Over:
    result: JobResult


@dataclass(frozen=True, slots=True)
class _Interrupted:
    reason: str


def run_plan(
    plan: Plan, number: int, executor: Executor, settings: RunSettings, observer: Observer, interrupts: Interrupts
) -> RunResult:
    """Run every job of ``plan`` that is to run; the result has all of them, in plan order.

    ``observer`` is only called from this thread.
    """
    return _Run(plan, number, executor, settings, observer).run(interrupts)


class _Run:
    def __init__(self, plan: Plan, number: int, executor: Executor, settings: RunSettings, observer: Observer) -> None:
        self._plan = plan
        self._number = number
        self._settings = settings
        self._observer = observer
        self._events: queue.SimpleQueue[JobOutput | JobStarted | JobRetried | _Over | _Interrupted] = (
            queue.SimpleQueue()
        )
        self._room = threading.BoundedSemaphore(_WAITING_OUTPUT)
        self._attempts = Attempts(executor, settings.locks, self._tell, self._events.put)
        self._results: dict[str, JobResult] = {}
        self._running: dict[str, JobCancel] = {}
        self._keep_going = settings.keep_going or plan.keep_going
        self._standing = Standing(plan, self._results, keep_going=self._keep_going)
        self._left = {name: len(planned.after) + (planned.parent is not None) for name, planned in plan.jobs.items()}
        self._followers: dict[str, list[str]] = {name: [] for name in plan.jobs}
        self._members: dict[str, list[str]] = {name: [] for name, planned in plan.jobs.items() if planned.job.trigger}
        for name, planned in plan.jobs.items():
            for earlier in planned.after:
                self._followers[earlier].append(name)
            if planned.parent is not None:
                self._members[planned.parent].append(name)
        self._arriving = collections.deque(name for name, left in self._left.items() if left == 0)
        self._ready: list[str] = []
        self._due: dict[str, float] = {}
        self._failed: str | None = None
        self._interrupted: str | None = None

    def run(self, interrupts: Interrupts) -> RunResult:
        begun = time.monotonic()
        self._observer(RunStarted(self._number, self._plan))
        interrupts.listen(lambda reason: self._events.put(_Interrupted(reason)))
        try:
            self._settle()
            self._start_ready()
            while self._running or self._due:
                with contextlib.suppress(queue.Empty):
                    # Not for ever: a signal that comes just before the wait, or to another thread, does not end it
                    # (Python runs handlers in the main thread, between two instructions).
                    self._handle(self._events.get(timeout=self._next_look()))
                self._release_due()
                self._settle()
                self._start_ready()
        finally:
            interrupts.listen(None)
        result = RunResult(
            number=self._number,
            label=self._plan.snapshot.label,
            verdict=self._verdict(),
            jobs=tuple(self._results[name] for name in self._plan.jobs),
            seconds=time.monotonic() - begun,
            skipped_by_request=self._plan.skip,
            commit=None if self._plan.snapshot.source == "index" else self._plan.snapshot.commit,
            belongs_to=self._plan.belongs_to,
        )
        self._observer(RunFinished(result))
        return result

    def _handle(self, event: JobOutput | JobStarted | JobRetried | _Over | _Interrupted) -> None:
        match event:
            case _Over(result):
                self._running.pop(result.name).close()
                self._finish(result)
            case _Interrupted(reason):
                self._interrupted = reason
                self._cancel_running(reason, hard=True)
                self._give_up_waiting(reason)
            case JobOutput():
                self._room.release()
                self._observer(event)
            case _:
                self._observer(event)

    def _tell(self, output: JobOutput) -> None:
        self._room.acquire()
        self._events.put(output)

    # -- readiness

    def _arrive(self, name: str) -> None:
        """All that ``name`` comes after is over: decide what becomes of it."""
        if name in self._results:
            return
        planned = self._plan.jobs[name]
        if planned.action is Action.SKIPPED:
            self._conclude(name, Outcome.SKIPPED, planned.reason)
        elif planned.action is Action.REMEMBERED:
            self._conclude(name, Outcome.REMEMBERED, planned.reason)
        elif self._interrupted:
            self._conclude(name, Outcome.CANCELLED, self._interrupted)
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
            self._due[name] = time.monotonic() + planned.job.start_in
            self._observer(Notice(f"`{name}` starts in {planned.job.start_in:g} s"))
        else:
            self._ready.append(name)

    def _release_due(self) -> None:
        now = time.monotonic()
        for name in [name for name, due in self._due.items() if due <= now]:
            del self._due[name]
            self._ready.append(name)

    def _next_look(self) -> float:
        first = min(self._due.values(), default=None)
        return _LOOK_UP if first is None else max(0.0, min(_LOOK_UP, first - time.monotonic()))

    # -- pipelines that a job starts

    def _open(self, planned: PlannedJob) -> None:
        """Let the jobs of the pipeline that ``planned`` starts begin; it ends with them, if it depends on them."""
        members = self._members[planned.job.name]
        trigger = planned.job.trigger
        if not members:
            # a pipeline without jobs cannot be created, and the job that asked for it fails
            self._conclude(planned.job.name, Outcome.FAILED, "no job of its pipeline is to run")
            return
        if trigger is None or not trigger.depend:
            self._conclude(planned.job.name, Outcome.PASSED, "started its pipeline")
        for member in members:
            self._count_down(member)

    def _close(self, starter: str) -> None:
        """A job of the pipeline that ``starter`` starts is over; the last one ends ``starter`` too."""
        if starter in self._results or any(member not in self._results for member in self._members[starter]):
            return
        ended = {self._results[member].outcome: member for member in reversed(self._members[starter])}
        bad = next((outcome for outcome in _WORST if outcome in ended), None)
        self._conclude(starter, bad or Outcome.PASSED, f"`{ended[bad]}` did not pass" if bad else "its pipeline passed")

    def _shut(self, starter: str, reason: str) -> None:
        """``starter`` does not run, and so nor does any job of the pipeline that it would have started."""
        for member in self._members[starter]:
            if member not in self._results:
                self._conclude(member, Outcome.SKIPPED, reason)

    def _conclude(self, name: str, outcome: Outcome, reason: str) -> None:
        planned = self._plan.jobs[name]
        run = planned.remembered_run if outcome is Outcome.REMEMBERED else None
        self._finish(JobResult(name=name, stage=planned.job.stage, outcome=outcome, reason=reason, passed_in=run))

    def _finish(self, result: JobResult) -> None:
        planned = self._plan.jobs[result.name]
        if planned.job.trigger is not None:
            result = overlooked(planned.job, result)
        self._results[result.name] = result
        self._observer(JobFinished(result))
        if result.outcome in BAD and self._failed is None:
            self._failed = result.name
            if not self._keep_going:
                self._cancel_running(f"`{result.name}` did not pass", hard=False)
                self._give_up_waiting(f"`{result.name}` did not pass")
        if planned.job.trigger is not None and not result.outcome.is_good:
            self._shut(result.name, result.reason if result.reason.startswith("`") else f"`{result.name}` did not run")
        if planned.parent is not None:
            self._close(planned.parent)
        for follower in self._followers[result.name]:
            self._count_down(follower)

    def _count_down(self, name: str) -> None:
        self._left[name] -= 1
        if self._left[name] == 0:
            self._arriving.append(name)

    def _settle(self) -> None:
        """Decide about every job that came up; a chain of a thousand skipped jobs is a loop, no recursion."""
        while self._arriving:
            self._arrive(self._arriving.popleft())

    def _cancel_running(self, reason: str, *, hard: bool) -> None:
        for name, cancel in self._running.items():
            if hard or is_patient(self._plan.jobs[name].when):
                cancel.request(reason, hard=hard)

    def _give_up_waiting(self, reason: str) -> None:
        """What was ready but not started will not be."""
        ready, self._ready, self._due = [*self._ready, *self._due], [], {}
        for name in ready:
            if self._interrupted or is_patient(self._plan.jobs[name].when):
                self._conclude(name, Outcome.CANCELLED, reason)
            else:
                self._ready.append(name)

    # -- starting

    def _start_ready(self) -> None:
        busy = {self._plan.jobs[name].job.resource_group for name in self._running} - {None}
        waiting = []
        for name in self._ready:
            group = self._plan.jobs[name].job.resource_group
            if len(self._running) >= self._settings.parallel or group in busy:
                waiting.append(name)
                continue
            if group:
                busy.add(group)
            self._start(name)
        self._ready = waiting

    def _start(self, name: str) -> None:
        cancel = self._running[name] = JobCancel()
        planned = self._plan.jobs[name]
        threading.Thread(target=self._work, args=(planned, cancel), name=f"job {name}", daemon=True).start()

    def _work(self, planned: PlannedJob, cancel: JobCancel) -> None:
        """One job with all its attempts, in a thread of its own."""
        self._events.put(_Over(self._attempts.work(planned, cancel)))

    # -- the roll-up

    def _verdict(self) -> Verdict:
        outcomes = {result.outcome for name, result in self._results.items() if not self._is_overlooked(name)}
        if self._interrupted:
            return Verdict.INTERRUPTED
        if Outcome.ERRORED in {result.outcome for result in self._results.values()}:
            return Verdict.NONE
        # what waits for a person holds up what comes after it, and is no failure
        return Verdict.RED if outcomes & {Outcome.FAILED, Outcome.TIMED_OUT} else Verdict.GREEN

    def _is_overlooked(self, name: str) -> bool:
        """Whether a job belongs to a pipeline whose failure is allowed."""
        parent = self._plan.jobs[name].parent
        if parent is None:
            return False
        return self._plan.jobs[parent].job.allow_failure.allowed or self._is_overlooked(parent)
