"""A place in a source file as a person sees it: its lines with their number, and a caret below.

Files are written by anyone.  Whatever is no character one can see (controls, bidi, invisible signs) is shown as
U+FFFD, one for one, so that columns stay what they are and nothing hides or moves anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.report.terminal import paint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.model.finding import Finding
    from hookci.report.terminal import Style

__all__ = ["excerpt", "one_line", "visible"]

_TAB = "    "
_CUT = "..."
_MOST_LINES = 4
_NARROWEST = 20
_LONGEST_MESSAGE = 1000


def visible(text: str) -> str:
    """``text`` with U+FFFD for every character that cannot be seen, line ends and tabs included."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def one_line(text: str) -> str:
    """Words that a scanner has written, in one line; cut when it is endless."""
    line = visible(" ".join(text.split()))
    return f"{line[:_LONGEST_MESSAGE]} {_CUT}" if len(line) > _LONGEST_MESSAGE else line


def excerpt(finding: Finding, *, width: int, style: Style, color: bool) -> Iterator[str]:
    """The lines of the file that a finding is about, four at most, with a caret below the first; none if unknown.

    Args:
        finding: with its text.
        width: cells that a line may take; lines that are longer are cut around the place.
        style: of the caret.
        color: whether to colour it.
    """
    if not finding.line or not finding.text.strip():
        return
    lines = [line.rstrip() for line in finding.text.split("\n")[: max(finding.end_line - finding.line + 1, 1)]]
    gutter = len(str(finding.line + min(len(lines), _MOST_LINES) - 1))
    room = max(width - gutter - len(" | "), _NARROWEST)

    def row(head: object, text: str) -> str:
        return (paint(f"{head:>{gutter}} |", "dim", color=color) + f" {text}").rstrip()

    first = _windowed(lines[0], *_columns(finding, lines[0]), room)
    yield row(finding.line, first.text)
    if finding.column and not finding.secret:  # columns are those of the line with the secret in it
        caret = " " * first.before + paint("^" + "~" * (first.marked - 1), style, color=color)
        yield row("", caret)
    for number, line in enumerate(lines[1:_MOST_LINES], finding.line + 1):
        yield row(number, _windowed(line, 0, 0, room).text)
    if len(lines) > _MOST_LINES:
        yield row("", _CUT)


def _columns(finding: Finding, line: str) -> tuple[int, int]:
    """Where the place begins and ends in its first line, counted from 0."""
    length = len(line)
    begin = min(max(finding.column - 1, 0), length)
    ends_here = finding.end_column and finding.end_line <= finding.line
    return begin, min(max(finding.end_column - 1, begin), length) if ends_here else length


class _Window(Struct, frozen=True):
    """Text that fits, the cells before the place in it, and the cells of the place, one at least."""

    text: str
    before: int
    marked: int


def _windowed(line: str, begin: int, end: int, room: int) -> _Window:
    """What there is room for of ``line``; when that is not all, a third of the room is before ``begin``."""
    from rich.cells import cell_len  # noqa: PLC0415 (only what is found pays for importing rich)

    # of a line of megabytes only what can be seen is looked at; a character takes a cell, or none
    nearby = 4 * room
    skipped = max(begin - nearby, 0)
    line, begin, end = line[skipped : begin + nearby], begin - skipped, end - skipped
    before, marked, after = _shown(line[:begin]), _shown(line[begin:end]), _shown(line[end:])
    if skipped or cell_len(before + marked + after) > room:
        before = _last(before, room // 3, cut=skipped > 0)
        marked = _first(marked, room - cell_len(before))
        after = _first(after, room - cell_len(before + marked))
    return _Window((before + marked + after).rstrip(), cell_len(before), max(cell_len(marked), 1))


def _shown(text: str) -> str:
    return visible(text.replace("\t", _TAB))


def _first(text: str, cells: int) -> str:
    """The beginning of ``text``, with a sign where it is cut."""
    from rich.cells import cell_len  # noqa: PLC0415 (as above)

    if cell_len(text) <= cells:
        return text
    while text and cell_len(text) > cells - len(_CUT):
        text = text[:-1]
    return text + _CUT[: max(cells, 0)]


def _last(text: str, cells: int, *, cut: bool) -> str:
    """The end of ``text``, with a sign where it is cut."""
    from rich.cells import cell_len  # noqa: PLC0415 (as above)

    if not cut and cell_len(text) <= cells:
        return text
    while text and cell_len(text) > cells - len(_CUT):
        text = text[1:]
    return _CUT + text
