"""Running a whole plan: what is ready starts, a failure ends what cannot matter any more."""

from __future__ import annotations

import collections
import contextlib
import queue
import threading
import time
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from hookci.errors import HookciError
from hookci.execute.cancel import JobCancel
from hookci.model.event import JobFinished, JobOutput, JobRetried, JobStarted, RunFinished, RunStarted
from hookci.model.pipeline import RetryOn, When
from hookci.model.plan import Action
from hookci.model.result import JobResult, Outcome, RunResult, Verdict
from hookci.store.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hookci.model.event import Observer
    from hookci.model.pipeline import Job
    from hookci.model.plan import Plan, PlannedJob

__all__ = ["Executor", "Interrupts", "RunSettings", "run_plan"]

_BAD = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERRORED, Outcome.UNSUPPORTED})
_RETRY = {Outcome.FAILED: RetryOn.FAILURE, Outcome.TIMED_OUT: RetryOn.TIMEOUT, Outcome.ERRORED: RetryOn.ERROR}
_LOCK_POLL = 0.1
_LOOK_UP = 0.1
"""Seconds after which the scheduler looks up from waiting for events, so that signal handlers get to run."""
_WAITING_OUTPUT = 64
"""Pieces of output that wait to be shown; a job that writes faster than they can be has to wait too."""


class Executor(Protocol):
    """Whatever can run one attempt of one job."""

    def run(
        self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
    ) -> JobResult:
        """Run one attempt to its end."""


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
        self._executor = executor
        self._settings = settings
        self._observer = observer
        self._events: queue.SimpleQueue[JobOutput | JobStarted | JobRetried | _Over | _Interrupted] = (
            queue.SimpleQueue()
        )
        self._room = threading.BoundedSemaphore(_WAITING_OUTPUT)
        self._results: dict[str, JobResult] = {}
        self._running: dict[str, JobCancel] = {}
        self._left = {name: len(planned.after) for name, planned in plan.jobs.items()}
        self._followers: dict[str, list[str]] = {name: [] for name in plan.jobs}
        for name, planned in plan.jobs.items():
            for earlier in planned.after:
                self._followers[earlier].append(name)
        self._arriving = collections.deque(name for name, left in self._left.items() if left == 0)
        self._ready: list[str] = []
        self._failed: str | None = None
        self._interrupted: str | None = None

    def run(self, interrupts: Interrupts) -> RunResult:
        begun = time.monotonic()
        self._observer(RunStarted(self._number, self._plan))
        interrupts.listen(lambda reason: self._events.put(_Interrupted(reason)))
        try:
            self._settle()
            self._start_ready()
            while self._running:
                with contextlib.suppress(queue.Empty):
                    # Not for ever: a signal that comes just before the wait, or to another thread, does not end it
                    # (Python runs handlers in the main thread, between two instructions).
                    self._handle(self._events.get(timeout=_LOOK_UP))
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
        else:
            why_not = self._why_not(planned)
            if why_not:
                self._conclude(name, Outcome.SKIPPED, why_not)
            elif planned.action is Action.MANUAL:
                self._conclude(name, Outcome.MANUAL, planned.reason)
            else:
                self._ready.append(name)

    def _why_not(self, planned: PlannedJob) -> str | None:
        """Why a job does not run, given how the jobs before it ended; None when it does."""
        failed = [name for name in planned.after if self._results[name].outcome in _BAD]
        if planned.when is When.ALWAYS:
            return None
        if planned.when is When.ON_FAILURE:
            return None if failed or self._failed else "nothing failed"
        if failed or (self._failed and not self._settings.keep_going):
            return f"`{failed[0] if failed else self._failed}` did not pass"
        for name in planned.after:
            reason = self._blocked_by(planned, name)
            if reason:
                return reason
        return None

    def _blocked_by(self, planned: PlannedJob, name: str) -> str | None:
        outcome = self._results[name].outcome
        by_need = planned.job.needs is not None
        if outcome is Outcome.MANUAL and (by_need or not self._plan.jobs[name].job.allow_failure.allowed):
            return f"`{name}` waits for a person"
        if outcome in {Outcome.SKIPPED, Outcome.CANCELLED} and name not in self._plan.skip:
            # what runs only after a failure is skipped on a good day, and nobody waits for it
            waited_for = by_need or self._plan.jobs[name].when is When.ON_SUCCESS
            return f"`{name}` did not run" if waited_for else None
        return None

    def _conclude(self, name: str, outcome: Outcome, reason: str) -> None:
        planned = self._plan.jobs[name]
        run = planned.remembered_run if outcome is Outcome.REMEMBERED else None
        self._finish(JobResult(name=name, stage=planned.job.stage, outcome=outcome, reason=reason, passed_in=run))

    def _finish(self, result: JobResult) -> None:
        self._results[result.name] = result
        self._observer(JobFinished(result))
        if result.outcome in _BAD and self._failed is None:
            self._failed = result.name
            if not self._settings.keep_going:
                self._cancel_running(f"`{result.name}` did not pass", hard=False)
                self._give_up_waiting(f"`{result.name}` did not pass")
        for follower in self._followers[result.name]:
            self._left[follower] -= 1
            if self._left[follower] == 0:
                self._arriving.append(follower)

    def _settle(self) -> None:
        """Decide about every job that came up; a chain of a thousand skipped jobs is a loop, no recursion."""
        while self._arriving:
            self._arrive(self._arriving.popleft())

    def _cancel_running(self, reason: str, *, hard: bool) -> None:
        for name, cancel in self._running.items():
            if hard or self._plan.jobs[name].when is When.ON_SUCCESS:
                cancel.request(reason, hard=hard)

    def _give_up_waiting(self, reason: str) -> None:
        """What was ready but not started will not be."""
        ready, self._ready = self._ready, []
        for name in ready:
            if self._interrupted or self._plan.jobs[name].when is When.ON_SUCCESS:
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
        with contextlib.ExitStack() as held:
            try:
                self._hold_resource(planned.job, cancel, held)
                result = self._attempts(planned, cancel)
            except HookciError as error:
                result = _errored(planned.job, error.message, error.hint)
            except Exception:  # noqa: BLE001 (a bug of ours must end as "no verdict", never as a lost thread)
                result = _errored(planned.job, f"internal error\n{traceback.format_exc()}")
        self._events.put(_Over(result))

    def _hold_resource(self, job: Job, cancel: JobCancel, held: contextlib.ExitStack) -> None:
        """Hold a resource group against other runs too; waits until it is free or the job is cancelled."""
        if not job.resource_group:
            return
        safe = "".join(char if char.isalnum() else f"%{ord(char):x}" for char in job.resource_group)
        lock = FileLock(self._settings.locks / f"resource-{safe}")
        while not lock.try_acquire() and cancel.soft.reason is None:
            time.sleep(_LOCK_POLL)
        held.callback(lock.release)

    def _attempts(self, planned: PlannedJob, cancel: JobCancel) -> JobResult:
        attempt = 1
        while True:
            result = replace(self._attempt(planned, cancel, attempt), attempts=attempt)
            if attempt > planned.job.retry.max or not _is_retried(planned.job, result) or cancel.soft.reason:
                return _overlooked(planned.job, result)
            self._events.put(JobRetried(result))
            attempt += 1

    def _attempt(self, planned: PlannedJob, cancel: JobCancel, attempt: int) -> JobResult:
        job = planned.job
        if cancel.soft.reason:
            return JobResult(name=job.name, stage=job.stage, outcome=Outcome.CANCELLED, reason=cancel.soft.reason)
        begun = time.monotonic()
        told = [False]

        def started() -> None:
            if not told[0]:
                told[0] = True
                self._events.put(JobStarted(job.name, attempt))

        try:
            return self._executor.run(planned, cancel, self._tell, started)
        except HookciError as error:
            return replace(_errored(job, error.message, error.hint), seconds=time.monotonic() - begun)

    # -- the roll-up

    def _verdict(self) -> Verdict:
        outcomes = {result.outcome for result in self._results.values()}
        if self._interrupted:
            return Verdict.INTERRUPTED
        if outcomes & {Outcome.ERRORED, Outcome.UNSUPPORTED}:
            return Verdict.NONE
        # what waits for a person holds up what comes after it, and is no failure
        return Verdict.RED if outcomes & {Outcome.FAILED, Outcome.TIMED_OUT} else Verdict.GREEN


def _errored(job: Job, reason: str, hint: str | None = None) -> JobResult:
    hints = (hint,) if hint else ()
    return JobResult(name=job.name, stage=job.stage, outcome=Outcome.ERRORED, reason=reason, attempts=1, hints=hints)


def _is_retried(job: Job, result: JobResult) -> bool:
    kind = _RETRY.get(result.outcome)
    if kind is None:
        return False
    if result.exit_code is not None and result.exit_code in job.retry.exit_codes:
        return True
    if job.retry.exit_codes and job.retry.when == (RetryOn.ALWAYS,):
        return False
    return RetryOn.ALWAYS in job.retry.when or kind in job.retry.when


def _overlooked(job: Job, result: JobResult) -> JobResult:
    """A failure that ``allow_failure`` permits is one that jobs after it do not wait for."""
    if result.outcome in {Outcome.FAILED, Outcome.TIMED_OUT} and job.allow_failure.permits(result.exit_code):
        return replace(result, outcome=Outcome.ALLOWED_FAILURE)
    return result
