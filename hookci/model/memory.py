"""What is remembered: passes of jobs and green verdicts, each under everything it depended on."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["JobKey", "Pass", "RememberedVerdict"]


@dataclass(frozen=True, slots=True)
class JobKey:
    """All that a job's result depends on, as canonical ``text`` and its SHA-256 ``digest``.

    ``observations`` are the parts that concern this machine (kind, subject, value); they are in ``text`` too.
    """

    digest: str
    text: str
    observations: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Pass:
    """A job passed in ``run``; ``finished`` is in unix seconds, ``seconds`` how long it took.

    ``expires`` is when it ceases to count, in unix seconds; None for never.
    """

    run: int
    finished: float
    seconds: float
    expires: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedVerdict:
    """Run ``run`` was green for a hook and a tree, given ``facts`` about the snapshot and ``observations``.

    It holds from ``since`` on and until ``expires`` (None for ever), both in unix seconds.
    """

    run: int
    facts: tuple[tuple[str, str | None], ...]
    observations: tuple[tuple[str, str, str], ...]
    since: float
    expires: float | None
