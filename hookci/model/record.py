"""What the store remembers of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from hookci.model.result import JobResult, Verdict

__all__ = ["JobRecord", "RunRecord"]


class RunRecord(Struct, frozen=True, kw_only=True):
    """One run as the store remembers it.

    ``number`` counts from 1 in one repository, ``label`` is how a person calls the snapshot,
    ``verdict`` is None while the run is going on.  ``started`` is in unix seconds, ``seconds`` is
    wall-clock time (None while going on), ``pid`` the process that runs it, ``interrupted``
    whether it ended before its verdict, ``skipped`` the jobs left out by HOOKCI_SKIP.  ``belongs_to`` is the run whose
    waiting job it started.
    """

    number: int
    label: str
    hook: str
    tree: str
    commit: str
    branch: str | None
    verdict: Verdict | None
    started: float
    seconds: float | None
    pid: int
    interrupted: bool
    skipped: tuple[str, ...]
    belongs_to: int | None = None


class JobRecord(Struct, frozen=True, kw_only=True):
    """How one job of run ``run`` ended."""

    run: int
    result: JobResult
