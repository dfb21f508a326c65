"""The words, marks and colours for outcomes, durations and exit statuses: one place, so that all views agree."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from hookci.model.result import Outcome
from hookci.model.text import plain
from hookci.report.terminal import paint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.model.finding import JudgedFinding, ScanReport
    from hookci.model.result import JobResult
    from hookci.model.testreport import ReportedTests
    from hookci.report.terminal import Style

__all__ = [
    "BROKEN",
    "STYLES",
    "ago",
    "counted",
    "coverage",
    "detail",
    "duration",
    "exit_words",
    "mark",
    "named",
    "not_checked",
    "rough",
    "speaks",
    "told",
]

BROKEN = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERRORED, Outcome.UNSUPPORTED})
"""The outcomes that keep a run from being green."""

STYLES: dict[Outcome, Style] = {
    Outcome.FAILED: "red",
    Outcome.TIMED_OUT: "red",
    Outcome.ERRORED: "red",
    Outcome.UNSUPPORTED: "red",
    Outcome.PASSED: "green",
    Outcome.REMEMBERED: "green",
    Outcome.ALLOWED_FAILURE: "yellow",
    Outcome.CANCELLED: "yellow",
    Outcome.SKIPPED: "dim",
    Outcome.MANUAL: "yellow",
}
"""Colours by outcome, in the order in which outcomes are counted."""

_MARKS: dict[Outcome, tuple[str, str]] = {
    Outcome.FAILED: ("✗", "x"),
    Outcome.TIMED_OUT: ("✗", "x"),
    Outcome.ERRORED: ("✗", "x"),
    Outcome.UNSUPPORTED: ("✗", "x"),
    Outcome.PASSED: ("✓", "+"),
    Outcome.REMEMBERED: ("✓", "+"),
    Outcome.ALLOWED_FAILURE: ("!", "!"),
    Outcome.CANCELLED: ("·", "."),
    Outcome.SKIPPED: ("·", "."),
    Outcome.MANUAL: ("○", "o"),
}
_LISTED = 5
_LAST_SIGNAL = 64


def mark(outcome: Outcome, *, unicode: bool) -> str:
    """One cell that stands for ``outcome``."""
    return _MARKS[outcome][0 if unicode else 1]


def told(outcome: Outcome, count: int = 1) -> str:
    """``outcome`` in words, as said of ``count`` jobs."""
    match outcome:
        case Outcome.ALLOWED_FAILURE:
            return "allowed to fail"
        case Outcome.MANUAL:
            return "waits for a person" if count == 1 else "wait for a person"
        case Outcome.UNSUPPORTED:
            return "not supported"
        case _:
            return outcome.value.replace("-", " ")


def counted(count: int, noun: str) -> str:
    """``1 job``, ``2 jobs``."""
    return f"{count} {noun}{'s' * (count != 1)}"


def named(names: Sequence[str]) -> str:
    """Names in parentheses, or nothing when they are too many to read."""
    return f" ({', '.join(map(plain, names))})" if len(names) <= _LISTED else ""


def not_checked(jobs: Sequence[str], *, color: bool) -> str:
    """The line that says loudly that jobs were left out on request."""
    return paint(f"hookci: NOT CHECKED, skipped by HOOKCI_SKIP: {', '.join(map(plain, jobs))}", "yellow", color=color)


def notice(text: str, level: str, *, color: bool) -> str:
    """A notice as a line: ``hookci: warning: ...``."""
    style: Style = "yellow" if level == "warning" else "dim"
    return f"hookci: {paint(level, style, color=color)}: {plain(text)}"


def exit_words(code: int) -> str:
    """An exit status in words: ``exit status 1``, ``exit status 137 (SIGKILL)``, ``ended by SIGKILL``.

    Negative is a signal, as in `subprocess`; 128+n is how a shell tells that a signal ended its command.
    """
    if code < 0:
        return f"ended by {_signal_name(-code) or f'signal {-code}'}"
    name = _signal_name(code - 128)
    return f"exit status {code} ({name})" if name else f"exit status {code}"


def detail(result: JobResult) -> str:
    """Why ``result`` is what it is, in one line; empty when there is nothing to add to its outcome."""
    reason = " ".join(plain(result.reason or (_scan(result.scan) if result.scan else "")).split())
    status = exit_words(result.exit_code) if result.exit_code else ""
    parts = (status if status not in reason else "", reason, _tests(result.tests), coverage(result))
    return ", ".join(filter(None, parts))


def coverage(result: JobResult) -> str:
    """What a job says of its coverage; nothing when it says nothing."""
    return "" if result.coverage is None else f"coverage {result.coverage:g}%"


def _scan(report: ScanReport) -> str:
    """What came of a scan that is not red."""
    from hookci.model.finding import State  # noqa: PLC0415 (a remembered verdict has no scans)

    if report.unscanned and (report.decides or not report.findings):
        return "not scanned"
    files = sum(judged.is_unscanned for judged in report.findings)
    new = sum(judged.state is State.NEW and not judged.is_unscanned and speaks(judged) for judged in report.findings)
    below = " below the threshold" if report.decides else ""
    found = f"{counted(new, 'new finding')}{below}" if new else "no new findings"
    rest = f", {counted(files, 'file')} not scanned" if files else ""
    return f"{found}{rest} ({report.what or counted(report.scanned, 'file')})"


def speaks(judged: JudgedFinding) -> bool:
    """Whether a finding is more than a number: nobody has said that it may be."""
    return not judged.suppressed and not judged.finding.in_source


def _tests(tests: ReportedTests | None) -> str:
    return f"{tests.failed} of {counted(tests.total, 'test')} failed" if tests and tests.failed else ""


def duration(seconds: float) -> str:
    """``0.3s``, ``12.3s``, ``2m 05s``, ``1h 02m``."""
    tenths = round(max(seconds, 0.0) * 10)
    if tenths < 600:  # noqa: PLR2004 - a minute, in tenths
        return f"{tenths / 10:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s"


def rough(seconds: float) -> str:
    """A time that is only estimated, without tenths: ``12s``, ``2m 05s``, ``1h 02m``; never nothing."""
    whole = max(-int(-seconds // 1), 1)
    return f"{whole}s" if whole < 60 else duration(whole)  # noqa: PLR2004 - a minute


def ago(seconds: float) -> str:
    """How long ago something was: ``just now``, ``42s ago``, ``5m ago``, ``3h ago``, ``2d ago``."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        if seconds >= max(size, 10):
            return f"{int(seconds // size)}{unit} ago"
    return "just now"


def _signal_name(number: int) -> str | None:
    if not 0 < number <= _LAST_SIGNAL:
        return None
    try:
        return signal.Signals(number).name
    except ValueError:
        return None
