"""Code quality reports: the part of Code Climate's format that GitLab reads.

Source: GitLab CI/CD, "Code Quality", "Code Quality report format"; of its code
``Gitlab::Ci::Parsers::Codequality::CodeClimate``, which reads no further than to the first entry that is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.finding import Finding, Severity
from hookci.scan.adapter import Scanned
from hookci.scan.sarif.shapes import line, number, table, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.scan.sarif.places import Place, Places

__all__ = ["read_codequality"]

_TOOL = "codequality"
_SEVERITIES = {
    "info": Severity.LOW,
    "minor": Severity.LOW,
    "major": Severity.MEDIUM,
    "critical": Severity.HIGH,
    "blocker": Severity.CRITICAL,
}
_MOST = 100_000


def read_codequality(report: object, places: Places) -> Scanned:
    """The findings of a report: a list of entries, each with a description, a path and a line."""
    if not isinstance(report, list):
        return Scanned(unscanned=("the report is no list of code quality entries",))
    findings: list[Finding] = []
    unread: list[str] = []
    for position, entry in enumerate(report[:_MOST], 1):
        why = _problem(entry)
        if why:
            unread.append(f"entry {position} {why}")
        else:
            findings.append(_finding(entry, places))
    if len(report) > _MOST:
        unread.append(f"the report has more than {_MOST} entries")
    more = (f"and {len(unread) - 1} more like it",) if len(unread) > 1 else ()
    tools = dict.fromkeys(finding.tool for finding in findings)
    return Scanned(
        findings=tuple(findings),
        files=len({finding.path for finding in findings}),
        what=f"the report of {', '.join(tools) or _TOOL}",
        unscanned=(*unread[:1], *more),
    )


def _problem(entry: object) -> str:
    """Why an entry is none; empty when it is one."""
    if not isinstance(entry, dict):
        return "is no object"
    if not text(entry.get("description")):
        return "has no description"
    if not text(table(entry, "location").get("path")):
        return "has no location.path"
    return ""


def _finding(entry: Mapping[str, object], places: Places) -> Finding:
    place = _place(table(entry, "location"), places)
    description = text(entry.get("description")).strip()
    return Finding(
        tool=line(entry.get("engine_name"), 100).lower() or _TOOL,
        rule=line(entry.get("check_name"), 200) or "unnamed",
        message=description,
        severity=_SEVERITIES.get(text(entry.get("severity")).lower(), Severity.MEDIUM),
        path=place.path,
        line=place.line,
        column=place.column,
        end_line=place.end_line,
        end_column=place.end_column,
        text=place.text,
        # of a whole file nothing but its own words tells one entry from another
        code=place.code or description,
    )


def _place(location: Mapping[str, object], places: Places) -> Place:
    """Either ``lines`` (begin, end) or ``positions``, whose begin and end have a line and a column or are a line."""
    begin, begin_column = _point(location, "begin")
    end, end_column = _point(location, "end")
    # the last column is part of the place, and SARIF's is the first one after it
    region = {
        "startLine": begin,
        "startColumn": begin_column,
        "endLine": end,
        "endColumn": end_column + 1 if end_column > 0 else 0,
    }
    artifact = {"uri": location.get("path")}
    return places.place({"physicalLocation": {"artifactLocation": artifact, "region": region}})


def _point(location: Mapping[str, object], which: str) -> tuple[int, int]:
    position = table(location, "positions").get(which)
    if isinstance(position, dict):
        return number(position.get("line")), number(position.get("column"))
    lines = table(location, "lines").get(which)
    if isinstance(lines, dict):  # older versions of several linters
        return number(lines.get("line")), number(lines.get("column"))
    return number(lines), -1
