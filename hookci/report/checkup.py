"""``hookci doctor`` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.checkup import Level
from hookci.model.text import plain
from hookci.report.terminal import paint
from hookci.report.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.model.checkup import Finding
    from hookci.report.terminal import Style

__all__ = ["render_checkup"]

_STYLES: dict[Level, Style] = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red"}
_WIDTH = max(map(len, Level))


def render_checkup(findings: Sequence[Finding], *, color: bool) -> str:
    """A line for each finding, what mends it below, and how many there are; ends with a line end."""
    lines = []
    for each in findings:
        level = paint(each.level, _STYLES[each.level], color=color) + " " * (_WIDTH - len(each.level))
        lines.append(f"{level}  {each.check}: {plain(each.message)}")
        if each.mend:
            lines.append(f"{'':{_WIDTH}}  {paint('mend:', 'dim', color=color)} {plain(each.mend)}")
    counts = [(level, sum(each.level is level for each in findings)) for level in (Level.PROBLEM, Level.WARNING)]
    said = ", ".join(counted(count, level) for level, count in counts if count)
    return "\n".join([*lines, "", said or "nothing is wrong"]) + "\n"
