"""A run as JSON Lines, told as it happens: for programs that follow it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 (the schema is made from the annotations)
from typing import TYPE_CHECKING, Literal

from hookci.model.event import JobFinished, JobOutput, JobRetried, JobStarted, Notice, RunFinished, RunStarted
from hookci.model.text import plain
from hookci.report.documents import VERSION, Version
from hookci.report.entries import Document, ErrorEntry, JobEntry, PlanEntry, RunEntry
from hookci.report.machine import Recorder, as_json, at, error_entry, job_entry, notice_entry, plan_entry
from hookci.report.tails import Partials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hookci.errors import HookciError
    from hookci.model.event import Event

__all__ = ["EventDocument", "EventWriter", "error_event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event(Document):
    schema: Literal["hookci/events"] = "hookci/events"
    version: Version = VERSION
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStartedEvent(_Event):
    """The first event of a run, but for notices."""

    event: Literal["run-started"] = "run-started"
    number: int
    plan: PlanEntry
    expected_seconds: float | None
    """How long it takes if every job takes as long as it usually does; null when that is not known of every job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStartedEvent(_Event):
    """The first process of a job was started."""

    event: Literal["job-started"] = "job-started"
    job: str
    attempt: int
    """Counts from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutputEvent(_Event):
    """Complete lines of a job's output: masked, without line ends, colours and other control sequences."""

    event: Literal["job-output"] = "job-output"
    job: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRetriedEvent(_Event):
    """An attempt is over and another one follows."""

    event: Literal["job-retried"] = "job-retried"
    result: JobEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinishedEvent(_Event):
    """A job has its outcome, also one that did not run."""

    event: Literal["job-finished"] = "job-finished"
    result: JobEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeEvent(_Event):
    """Something a person should know that is no result."""

    event: Literal["notice"] = "notice"
    level: Literal["note", "warning"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinishedEvent(_Event):
    """The last event of a run that reached its end."""

    event: Literal["run-finished"] = "run-finished"
    run: RunEntry
    exit_status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEvent(_Event):
    """The last event when no verdict could be reached; the same is told on the standard error."""

    event: Literal["error"] = "error"
    error: ErrorEntry
    exit_status: int


EventDocument = (
    RunStartedEvent
    | JobStartedEvent
    | JobOutputEvent
    | JobRetriedEvent
    | JobFinishedEvent
    | NoticeEvent
    | RunFinishedEvent
    | ErrorEvent
)


class EventWriter:
    """An observer that writes a line for each event; a line of output comes once, when it is complete.

    Args:
        write: gets each line, and sees to it that it goes out at once.
        clock: unix seconds.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._partials = Partials()
        self._recorder = Recorder(clock)

    def __call__(self, event: Event) -> None:
        """Write what there is to say of ``event``."""
        self._recorder(event)
        for line in self._lines(event):
            self._write(as_json(line))

    def _lines(self, event: Event) -> Iterator[EventDocument]:
        time = at(self._clock())
        match event:
            case RunStarted(number, plan):
                seconds = None if event.expected is None else round(event.expected, 3)
                yield RunStartedEvent(time=time, number=number, plan=plan_entry(plan), expected_seconds=seconds)
            case JobStarted(job, attempt):
                yield JobStartedEvent(time=time, job=job, attempt=attempt)
            case JobOutput(job):
                yield from self._output(job, self._partials.complete(event))
            case JobRetried(result):
                yield from self._output(result.name, self._partials.rest(result.name))
                yield JobRetriedEvent(time=time, result=job_entry(result))
            case JobFinished(result):
                yield from self._output(result.name, self._partials.rest(result.name))
                yield JobFinishedEvent(time=time, result=job_entry(result))
            case Notice(text, level):
                entry = notice_entry(text, level)
                yield NoticeEvent(time=time, level=entry.level, text=entry.text)
            case RunFinished(result):
                run = self._recorder.run(result)
                yield RunFinishedEvent(time=time, run=run, exit_status=result.verdict.exit_status)

    def _output(self, job: str, lines: tuple[str, ...]) -> Iterator[JobOutputEvent]:
        if lines:
            yield JobOutputEvent(time=at(self._clock()), job=job, lines=tuple(map(plain, lines)))


def error_event(error: HookciError, now: float) -> ErrorEvent:
    """The last line when no verdict could be reached; ``now`` in unix seconds."""
    return ErrorEvent(time=at(now), error=error_entry(error), exit_status=error.exit_status)
