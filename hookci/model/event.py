"""What happens during a run, told to whoever watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


class RunStarted(Struct, frozen=True):
    """A plan begins to be executed under run number ``number``.

    ``ends`` says of each job that runs after how many seconds it is over, if every job takes as long as it usually
    does; nothing when that is not known of every one.
    """

    number: int
    plan: Plan
    ends: Mapping[str, float] = field(default_factory=dict)

    @property
    def expected(self) -> float | None:
        """How many seconds the run takes then; None when that is not known."""
        return max(self.ends.values(), default=None)


class JobStarted(Struct, frozen=True):
    """The first process of a job was started; ``attempt`` counts from 1."""

    job: str
    attempt: int


class JobOutput(Struct, frozen=True):
    """Lines of a job's output, without line ends, already masked and free of control sequences but colour.

    ``partial`` says that the last one had no line end yet; it comes again when it is complete.  With a ``share`` it is
    none of the output: it says how far something is that the job waits for, of which that is done (0 to 1).
    """

    job: str
    lines: tuple[str, ...]
    partial: bool = False
    share: float | None = None


class JobRetried(Struct, frozen=True):
    """An attempt ended with ``result`` and another one follows."""

    result: JobResult


class JobFinished(Struct, frozen=True):
    """A job reached its outcome (also one that was skipped, cancelled or waits for a person).

    ``held`` are the seconds for which it held its place among the jobs that run, from the making of its workspace to
    the keeping of its files, all attempts together; 0 when it had none.
    """

    result: JobResult
    held: float = 0.0


class RunFinished(Struct, frozen=True):
    """All jobs of a run have an outcome."""

    result: RunResult


class Notice(Struct, frozen=True):
    """Something a person should know that is no result; ``level`` is ``note`` or ``warning``."""

    text: str
    level: str = "note"


Event = RunStarted | JobStarted | JobOutput | JobRetried | JobFinished | RunFinished | Notice

if TYPE_CHECKING:
    Observer = Callable[[Event], None]
else:
    Observer = None
