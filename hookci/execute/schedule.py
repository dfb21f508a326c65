"""Running a whole plan: what is ready starts, a failure ends what cannot matter any more."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.execute.attempts import Attempts, Executor
from hookci.execute.cancel import JobCancel
from hookci.execute.course import Course
from hookci.execute.forecast import forecast
from hookci.execute.ranks import ranks
from hookci.execute.waiting import Waiting
from hookci.execute.workers import Workers
from hookci.model.event import JobFinished, JobOutput, RunFinished, RunStarted
from hookci.model.result import RunResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hookci.model.event import Event, Observer
    from hookci.model.plan import Plan, PlannedJob

__all__ = ["Executor", "Interrupts", "RunSettings", "run_plan"]

_LOOK_UP = 0.1
"""Seconds after which the scheduler looks up from waiting for events, so that signal handlers get to run."""
_MOMENT = 0.04
"""Seconds for which more events may gather: to wake a thread for each would cost as much as a short job."""
_WAITING = 64
"""Pieces of output, and ends of jobs, that wait to be shown; jobs that are faster than that have to wait too."""


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


class RunSettings(Struct, frozen=True):
    """How to run a plan.

    ``parallel`` jobs at once, on after a failure (``keep_going``) or not; ``locks`` is where locks of resource groups
    live.  ``cores`` are what the weights of the jobs that run share, if there are more than ``parallel``.
    ``durations`` are the seconds for which jobs held their places in past runs, by name, where known.  ``record`` is
    told how jobs ended, of several at once, before the observer is, and from the same thread.
    """

    parallel: int
    keep_going: bool
    locks: Path
    cores: int = 0
    durations: Mapping[str, float] = field(default_factory=dict)
    record: Callable[[Sequence[JobFinished]], None] = lambda _ended: None


class _Over(Struct, frozen=True):
    """A job is over, and what there was to tell of it is told."""


class _Interrupted(Struct, frozen=True):
    reason: str


def run_plan(
    plan: Plan, number: int, executor: Executor, settings: RunSettings, observer: Observer, interrupts: Interrupts
) -> RunResult:
    """Run every job of ``plan`` that is to run; the result has all of them, in plan order.

    ``observer`` is only called from this thread.
    """
    return _Run(plan, number, executor, settings, observer).run(interrupts)


class _Run:
    """The hands of a course: jobs in threads, each of which sees to it that the course goes on when its job is over.

    So a job follows another one without a change of threads.  What is told comes back through a queue.
    """

    def __init__(self, plan: Plan, number: int, executor: Executor, settings: RunSettings, observer: Observer) -> None:
        self._plan = plan
        self._number = number
        self._settings = settings
        self._observer = observer
        self._events: queue.SimpleQueue[Event | _Interrupted | _Over | BaseException] = queue.SimpleQueue()
        self._hurry = threading.Event()
        self._room = threading.BoundedSemaphore(_WAITING)
        self._attempts = Attempts(executor, settings.locks, self._tell, self._events.put)
        self._ranks = ranks(plan.jobs, settings.durations)
        # for all below
        self._deciding = threading.Lock()
        self._workers = Workers()
        self._running: dict[str, JobCancel] = {}
        self._course = Course(plan, self._waiting(), self, self._events.put, keep_going=settings.keep_going)

    def run(self, interrupts: Interrupts) -> RunResult:
        begun = time.monotonic()
        self._observer(RunStarted(self._number, self._plan, self._expected_ends()))
        interrupts.listen(lambda reason: self._events.put(_Interrupted(reason)))
        try:
            self._follow()
        except BaseException:
            self._interrupt("the run broke off")  # or the jobs would go on without us
            raise
        finally:
            interrupts.listen(None)
            self._workers.close()
        course = self._course
        result = RunResult(
            number=self._number,
            label=self._plan.snapshot.label,
            verdict=course.verdict(),
            jobs=tuple(course.results[name] for name in self._plan.jobs),
            seconds=time.monotonic() - begun,
            skipped_by_request=self._plan.skip,
            commit=None if self._plan.snapshot.source == "index" else self._plan.snapshot.commit,
            belongs_to=self._plan.belongs_to,
        )
        self._observer(RunFinished(result))
        return result

    def _waiting(self) -> Waiting:
        return Waiting(self._plan.jobs, self._ranks, parallel=self._settings.parallel, cores=self._settings.cores)

    def _expected_ends(self) -> dict[str, float]:
        durations = self._settings.durations
        if not durations:
            return {}
        return forecast(self._plan, self._waiting(), durations, keep_going=self._settings.keep_going)

    def _follow(self) -> None:
        """Let the course begin, and pass on what is told of it until it is over."""
        with self._deciding:
            self._course.begin()
        while (seconds := self._next_look()) is not None:
            with contextlib.suppress(queue.Empty):
                self._pass_on(self._events.get(timeout=seconds))
            self._hurry.wait(_MOMENT)
            self._hurry.clear()
        self._pass_on()

    def _pass_on(self, *first: Event | _Interrupted | _Over | BaseException) -> None:
        events = [*first, *(self._events.get() for _ in range(self._events.qsize()))]
        ended = [event for event in events if isinstance(event, JobFinished)]
        if ended:
            self._settings.record(ended)
        for event in events:
            self._handle(event)

    def _next_look(self) -> float | None:
        """How long to wait for events at most; None when the course is over, and so all has been told."""
        with self._deciding:
            self._course.look_at_clock()
            if not self._course.is_going:
                return None
            due = self._course.next_due
        # Not for ever: a signal that comes just before the wait, or to another thread, does not end it
        # (Python runs handlers in the main thread, between two instructions).
        return _LOOK_UP if due is None else max(0.0, min(_LOOK_UP, due - self.now()))

    def _handle(self, event: Event | _Interrupted | _Over | BaseException) -> None:
        match event:
            case _Over():
                self._room.release()
            case JobOutput():
                self._room.release()
                self._observer(event)
            case _Interrupted(reason):
                self._interrupt(reason)
            case BaseException():
                raise event
            case _:
                self._observer(event)

    def _interrupt(self, reason: str) -> None:
        with self._deciding:
            self._course.interrupt(reason)

    def _tell(self, output: JobOutput) -> None:
        self._wait_for_room()
        self._events.put(output)

    def _wait_for_room(self) -> None:
        if not self._room.acquire(blocking=False):
            self._hurry.set()
            self._room.acquire()

    # -- what the course asks for

    def start(self, planned: PlannedJob) -> None:
        cancel = self._running[planned.job.name] = JobCancel()
        self._workers.do(lambda: self._work(planned, cancel))

    def cancel(self, name: str, reason: str, *, hard: bool) -> None:
        self._running[name].request(reason, hard=hard)

    def now(self) -> float:
        return time.monotonic()

    # -- in a thread of its own

    def _work(self, planned: PlannedJob, cancel: JobCancel) -> None:
        """One job with all its attempts, and what its end means for the course."""
        try:
            begun = time.monotonic()
            result = self._attempts.work(planned, cancel)
            held = time.monotonic() - begun
            self._wait_for_room()
            with self._deciding:
                self._running.pop(result.name).close()
                self._workers.done()
                self._course.over(result, held)
                if not self._course.is_going:
                    self._hurry.set()
            self._events.put(_Over())
        except BaseException as error:  # noqa: BLE001 (told to the thread that waits, which raises it)
            self._events.put(error)
