"""What a scan found, as text: each finding with its place and a caret, then all that has to be said beside them."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.model.finding import Confidence, Severity, State
from hookci.report.excerpt import excerpt, one_line, visible
from hookci.report.terminal import paint
from hookci.report.words import counted, speaks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from hookci.model.finding import Finding, JudgedFinding, ScanReport
    from hookci.report.terminal import Style

__all__ = ["View", "brief", "findings_text", "remarks"]

_STYLES: dict[Severity, Style] = {
    Severity.LOW: "dim",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "red",
}
_ALIASES = 2
_NARROWEST = 20
_BRIEF = 5
_SUPPRESSED_FOR = timedelta(days=90)

_BEGINNING = (
    "there is nothing to compare with, so all of it is new; to begin with what is there, commit what this writes:"
)

# What stands for itself in a TOML string and in a glob; whatever else there is has a fingerprint.
_PLAIN = re.compile(r"(?!/)[\w@%+=:., /-]+")


class View(Struct, frozen=True, kw_only=True):
    """How much of a report is shown, and where: ``width`` in cells, ``today`` for the suppression that is proposed.

    What blocks is always shown, up to ``limit`` findings (None: all of them); with ``full`` also what does not.  Of a
    report that decides nothing it is what is new.
    """

    width: int
    color: bool
    today: date
    full: bool = False
    limit: int | None = 10


def findings_text(report: ScanReport, view: View) -> Iterator[str]:
    """The lines for one report: new findings by file, older ones, what else there is to know, how to let one pass."""
    wanted = [one for one in report.findings if one.blocks or ((view.full or _is_told(one, report)) and speaks(one))]
    shown = _most_severe(wanted, view.limit)
    new = [judged for judged in shown if judged.state is State.NEW]
    old = [judged for judged in shown if judged.state is State.UNCHANGED]
    for judged in new:
        yield from (*_finding(judged, view), "")
    if old:
        yield "not new:"
        yield ""
    for judged in old:
        yield from (*_finding(judged, view), "")
    rest = _told(wanted, report) - _told(shown, report)
    if rest:
        yield from (f"... and {rest} more, in the log", "")
    yield from _around(report, view)
    if report.blocking:
        yield from ("", *_way_out(report.blocking, view))
    if not report.base and not view.full and any(_fits_a_baseline(judged) for judged in report.blocking):
        yield from ("", *_wrapped(_BEGINNING, view.width), "", "    hookci scan --all --baseline write")


def _is_told(judged: JudgedFinding, report: ScanReport) -> bool:
    """Whether a finding has to be told of: it blocks, or it is new in a report that decides nothing."""
    return judged.blocks or (not report.decides and judged.state is State.NEW)


def _told(findings: Sequence[JudgedFinding], report: ScanReport) -> int:
    return sum(_is_told(judged, report) for judged in findings)


def brief(report: ScanReport) -> Iterator[str]:
    """A line for each new finding of a report that decides nothing, the worst first, and what more there is."""
    new = [judged for judged in report.findings if not report.decides and _is_told(judged, report) and speaks(judged)]
    for judged in sorted(new, key=lambda one: -one.finding.severity.rank)[:_BRIEF]:
        finding = judged.finding
        yield f"{_place(finding)}: {finding.severity.value}: {_rule(finding)}: {one_line(finding.message)}"
    if len(new) > _BRIEF:
        yield f"... and {len(new) - _BRIEF} more, in the log"


def remarks(report: ScanReport) -> Iterator[tuple[str, bool]]:
    """What nobody may overlook although nothing blocks, and whether it says that something was not scanned."""
    yield from ((f"not scanned: {one_line(reason)}", True) for reason in report.unscanned)
    files = [judged for judged in report.findings if judged.is_unscanned and not judged.blocks]
    if len(files) == 1:
        yield f"not scanned: {visible(files[0].finding.path)}: {one_line(files[0].finding.message)}", True
    elif files:
        yield f"not scanned: {len(files)} files, such as {visible(files[0].finding.path)}", True
    yield from ((f"note: {one_line(note)}", False) for note in report.notes)


def _most_severe(findings: list[JudgedFinding], limit: int | None) -> list[JudgedFinding]:
    if limit is None or len(findings) <= limit:
        return findings
    chosen = sorted(range(len(findings)), key=lambda number: -findings[number].finding.severity.rank)[:limit]
    return [findings[number] for number in sorted(chosen)]


# -- one finding


def _finding(judged: JudgedFinding, view: View) -> Iterator[str]:
    finding, color = judged.finding, view.color
    style = _STYLES[finding.severity] if judged.blocks else "dim"
    place = paint(_place(finding), "bold", color=color)
    if judged.is_unscanned:
        word = paint("not scanned", "red" if judged.blocks else "yellow", color=color)
        yield f"{place}: {word}: {one_line(finding.message)}"
        return
    yield f"{place}: {paint(_weight(judged), style, color=color)}: {_rule(finding)}"
    yield from (f"  {line}" for line in _wrapped(one_line(finding.message), view.width - 2))
    yield from (f"  {line}" for line in excerpt(finding, width=view.width - 2, style=style, color=color))
    for line in _asides(judged):
        yield f"  {paint(line, 'dim', color=color)}"


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, _NARROWEST), break_long_words=False, break_on_hyphens=False)


def _place(finding: Finding) -> str:
    """What terminals and editors make a link of."""
    numbers = [finding.line, finding.column] if finding.line else []
    return ":".join([visible(finding.path), *(str(number) for number in numbers if number)])


def _weight(judged: JudgedFinding) -> str:
    finding = judged.finding
    words = [finding.severity.value]
    if finding.confidence is not Confidence.HIGH:
        words.append(f"{finding.confidence.value} confidence")
    if not judged.blocks:
        words.append("does not block")
    return ", ".join(words)


def _rule(finding: Finding) -> str:
    aliases = ", ".join(finding.aliases[:_ALIASES])
    return one_line(" ".join(filter(None, [finding.rule, finding.name, f"({aliases})" if aliases else ""])))


def _asides(judged: JudgedFinding) -> Iterator[str]:
    finding = judged.finding
    if finding.commit:
        yield f"in commit {visible(finding.commit[:12])}; the tree does not have it any more"
    if finding.secret:
        yield f"secret = {_quoted(finding.secret)}"
    if judged.note:
        yield f"note: {one_line(judged.note)}"
    if finding.help_uri:
        yield visible(finding.help_uri)


# -- all of them


def _around(report: ScanReport, view: View) -> Iterator[str]:
    def line(key: str, style: Style, text: str) -> str:
        return f"{paint(f'{key}:', style, color=view.color)} {text}"

    counts = ", ".join(_counts(report))
    if counts:
        yield line("found", "red" if report.blocking else "dim", counts)
    if report.scanned or not report.unscanned:
        how = f"{report.tool} {report.version}".strip() + (f", compared with {report.base}" if report.base else "")
        key = "read" if report.unscanned else "scanned"  # what could not be looked up is not scanned
        yield line(key, "dim", one_line(f"{report.what or counted(report.scanned, 'file')} ({how})"))
    for text, unscanned in remarks(replace(report, findings=()) if view.full else report):
        key, _, rest = text.partition(": ")
        yield line(key, "yellow" if unscanned else "dim", rest)


def _counts(report: ScanReport) -> Iterator[str]:
    """``4 findings that block, 12 not new, 1 file not scanned``: each is in one of them."""
    blocking = sum(not judged.is_unscanned for judged in report.blocking)
    silent = [judged for judged in report.findings if not judged.blocks and not judged.is_unscanned]
    speaking = Counter(judged.state for judged in silent if speaks(judged))
    known = Counter(judged.state for judged in report.findings)
    counts = {
        "that blocks" if blocking == 1 else "that block": blocking,
        "not new": report.unchanged - known[State.UNCHANGED] + speaking[State.UNCHANGED],
        "below the threshold" if report.decides else "only shown": speaking[State.NEW],
        "suppressed": sum(bool(judged.suppressed) for judged in silent),
        "silenced in the source": sum(judged.finding.in_source and not judged.suppressed for judged in silent),
    }
    told = [(count, words) for words, count in counts.items() if count > 0]
    for number, (count, words) in enumerate(told):
        yield f"{count if number else counted(count, 'finding')} {words}"
    files = sum(judged.is_unscanned for judged in report.findings)
    if files:
        yield f"{counted(files, 'file')} not scanned"


def _way_out(blocking: Sequence[JudgedFinding], view: View) -> Iterator[str]:
    """What lets the first finding pass, to be put into the config."""
    first = next((judged for judged in blocking if not judged.is_unscanned), blocking[0])
    finding = first.finding
    others = " (others likewise)" if len(blocking) > 1 else ""
    yield f"to let {_place(finding)} pass{others}, put this into hookci.toml:"
    yield ""
    expires = (view.today + _SUPPRESSED_FOR).isoformat()
    yield "    [[suppressions]]"
    yield from (f"    {line}" for line in _target(first))
    yield '    reason = ""           # required: why it may pass'
    yield f"    expires = {expires}  # required: the last day it does"
    if finding.tool == "bandit" and not first.is_unscanned:
        yield ""
        yield f"or, at the end of the line: # nosec {visible(finding.rule)}"


def _fits_a_baseline(judged: JudgedFinding) -> bool:
    return not judged.is_unscanned and not judged.finding.secret


def _target(judged: JudgedFinding) -> Iterator[str]:
    finding = judged.finding
    if finding.secret:
        yield f"secret = {_quoted(finding.secret)}"
    elif _PLAIN.fullmatch(finding.rule) and _PLAIN.fullmatch(finding.path):
        yield f"rule = {_quoted(finding.rule)}"
        yield f"path = {_quoted(finding.path)}"
        yield "# or, in the place of both, for this one only:"
        yield f"# fingerprint = {_quoted(judged.fingerprint)}"
    else:
        yield f"fingerprint = {_quoted(judged.fingerprint)}"


def _quoted(text: str) -> str:
    return f'"{visible(text)}"'
