"""How jobs and runs end."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from hookci.model.finding import ScanReport
    from hookci.model.testreport import ReportedTests

__all__ = ["JobResult", "Outcome", "RunResult", "Verdict"]


class Outcome(StrEnum):
    """How one job ended.  ``errored`` says that no verdict could be reached."""

    PASSED = "passed"
    REMEMBERED = "remembered"
    FAILED = "failed"
    ALLOWED_FAILURE = "allowed-failure"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    MANUAL = "manual"
    ERRORED = "errored"
    UNSUPPORTED = "unsupported"

    @property
    def is_good(self) -> bool:
        """Whether jobs that wait for this one may start."""
        return self in {Outcome.PASSED, Outcome.REMEMBERED, Outcome.ALLOWED_FAILURE}


class Verdict(StrEnum):
    """The roll-up of one run; ``none`` when it could not be reached."""

    GREEN = "green"
    RED = "red"
    NONE = "none"
    INTERRUPTED = "interrupted"

    @property
    def exit_status(self) -> int:
        """0 green, 1 red, 3 no verdict, 130 interrupted."""
        return {Verdict.GREEN: 0, Verdict.RED: 1, Verdict.NONE: 3, Verdict.INTERRUPTED: 130}[self]


class JobResult(Struct, frozen=True, kw_only=True):
    """The outcome of one job on one snapshot.

    ``seconds`` is wall-clock time of the last attempt, ``reason`` says in words why the outcome
    is what it is, ``command`` is the line of the script that ended it, ``log`` the path of the
    whole output, ``hints`` what a person may try next.  ``tests`` is what the job's own test reports say, None
    without one; it never decides the outcome.  ``scan`` is what a scan job found; it decides the outcome of such a job.
    ``holds_until`` is until when a pass may be recalled (unix seconds; None
    for ever).  ``passed_in`` is the run in which a remembered job passed.  ``coverage`` is the number that the job's
    ``coverage`` found in its output, a percentage by custom.
    """

    name: str
    stage: str
    outcome: Outcome
    reason: str = ""
    exit_code: int | None = None
    command: str | None = None
    seconds: float = 0.0
    attempts: int = 0
    log: str | None = None
    hints: tuple[str, ...] = ()
    tests: ReportedTests | None = None
    scan: ScanReport | None = None
    holds_until: float | None = None
    passed_in: int | None = None
    coverage: float | None = None


class RunResult(Struct, frozen=True, kw_only=True):
    """One execution of a plan: its number in the store and its jobs in plan order.

    ``commit`` is what was judged, None for the index.  A ``remembered`` verdict was reached in run
    ``number``, on the same tree; nothing ran for it now.  ``belongs_to`` is the run whose waiting job it started.
    """

    number: int
    label: str
    verdict: Verdict
    jobs: tuple[JobResult, ...]
    seconds: float
    skipped_by_request: tuple[str, ...] = ()
    commit: str | None = None
    remembered: bool = False
    belongs_to: int | None = None
