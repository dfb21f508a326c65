"""Runs of the past as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.result import Verdict
from hookci.model.text import plain
from hookci.report.terminal import aligned, paint
from hookci.report.words import BROKEN, STYLES, ago, detail, duration, not_checked, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hookci.model.record import JobRecord, RunRecord
    from hookci.model.result import JobResult
    from hookci.report.terminal import Style

__all__ = ["render_run", "render_runs"]

_VERDICTS: dict[Verdict, tuple[str, Style]] = {
    Verdict.GREEN: ("green", "green"),
    Verdict.RED: ("red", "red"),
    Verdict.NONE: ("no verdict", "red"),
    Verdict.INTERRUPTED: ("interrupted", "yellow"),
}
_SHORT = 10
"""Hex digits of an object name that are shown in a list."""


def render_runs(rows: Sequence[RunRecord], *, now: float, color: bool) -> str:
    """One line for each run, in the order given; ``now`` in unix seconds; ends with a line end."""
    if not rows:
        return "no runs yet\n"
    heads = [
        paint(head, "dim", color=color) for head in ("run", "verdict", "hook", "what", "commit", "when", "time", "")
    ]
    lines = aligned([heads, *(_run_cells(row, now, color=color) for row in rows)])
    return "\n".join(lines) + "\n"


def render_run(row: RunRecord, jobs: Sequence[JobRecord], *, now: float, color: bool) -> str:
    """One run with its jobs; ``now`` in unix seconds; ends with a line end."""
    time = f" in {duration(row.seconds)}" if row.seconds is not None else f", process {row.pid}"
    lines = [f"run {row.number} on {plain(row.label)}: {_verdict(row, color=color)}{time}"]
    lines += aligned(list(_facts(row, now, color=color)), indent="  ")
    if row.skipped:
        lines.append(not_checked(row.skipped, color=color))
    if jobs:
        lines += ["", *aligned([_job_cells(record.result, color=color) for record in jobs], indent="  ")]
    logs = [[plain(job.result.name), job.result.log] for job in jobs if job.result.outcome in BROKEN and job.result.log]
    if logs:
        lines += ["", "logs", *aligned(logs, indent="  ")]
    return "\n".join(lines) + "\n"


def _verdict(row: RunRecord, *, color: bool) -> str:
    if row.interrupted:
        return paint("interrupted", "yellow", color=color)
    if row.verdict is None:
        return paint("running", "bold", color=color)
    words, style = _VERDICTS[row.verdict]
    return paint(words, style, color=color)


def _run_cells(row: RunRecord, now: float, *, color: bool) -> list[str]:
    return [
        str(row.number).rjust(3),
        _verdict(row, color=color),
        row.hook,
        plain(row.label),
        row.commit[:_SHORT],
        ago(now - row.started),
        "" if row.seconds is None else duration(row.seconds),
        paint(f"without {', '.join(map(plain, row.skipped))}", "yellow", color=color) if row.skipped else "",
    ]


def _facts(row: RunRecord, now: float, *, color: bool) -> Iterator[list[str]]:
    facts = {
        "hook": row.hook,
        "branch": row.branch,
        "commit": row.commit,
        "tree": row.tree,
        "started": ago(now - row.started),
        "goes on with": f"run {row.belongs_to}" if row.belongs_to else None,
    }
    return ([paint(name, "dim", color=color), plain(value)] for name, value in facts.items() if value)


def _job_cells(result: JobResult, *, color: bool) -> list[str]:
    return [
        plain(result.stage),
        plain(result.name),
        paint(told(result.outcome), STYLES[result.outcome], color=color),
        duration(result.seconds) if result.attempts else "",
        detail(result),
    ]
