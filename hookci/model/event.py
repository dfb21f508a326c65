"""What happens during a run, told to whoever watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookci.model.plan import Plan
    from hookci.model.result import JobResult, RunResult

__all__ = [
    "Event",
    "JobFinished",
    "JobOutput",
    "JobRetried",
    "JobStarted",
    "Notice",
    "Observer",
    "RunFinished",
    "RunStarted",
]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A plan begins to be executed under run number ``number``."""

    number: int
    plan: Plan


@dataclass(frozen=True, slots=True)
class JobStarted:
    """The first process of a job was started; ``attempt`` counts from 1."""

    job: str
    attempt: int


@dataclass(frozen=True, slots=True)
class JobOutput:
    """Lines of a job's output, without line ends, already masked and free of control sequences but colour.

    ``partial`` says that the last one had no line end yet; it comes again when it is complete.
    """

    job: str
    lines: tuple[str, ...]
    partial: bool = False


@dataclass(frozen=True, slots=True)
class JobRetried:
    """An attempt ended with ``result`` and another one follows."""

    result: JobResult


@dataclass(frozen=True, slots=True)
class JobFinished:
    """A job reached its outcome (also one that was skipped, cancelled or waits for a person)."""

    result: JobResult


@dataclass(frozen=True, slots=True)
class RunFinished:
    """All jobs of a run have an outcome."""

    result: RunResult


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know that is no result; ``level`` is ``note`` or ``warning``."""

    text: str
    level: str = "note"


Event = RunStarted | JobStarted | JobOutput | JobRetried | JobFinished | RunFinished | Notice

if TYPE_CHECKING:
    Observer = Callable[[Event], None]
else:
    Observer = None
