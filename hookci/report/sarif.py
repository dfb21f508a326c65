"""Scans as a SARIF log, which code hosts and editors show: a run for each scan.

Sources: SARIF 2.1.0 (OASIS); what GitHub's code scanning asks beyond it: descriptions and help for each rule, the tag
``security`` with a ``security-severity``, 20 tags at most, a location for each result, a category for each run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from hookci.model.finding import Severity
from hookci.model.scan import GITLAB, SARIF
from hookci.model.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hookci.model.finding import Finding, JudgedFinding, ScanReport

__all__ = ["SARIF_VERSION", "sarif_log"]

SARIF_VERSION = "2.1.0"
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_BASE = "SRCROOT"
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
"""One of each band that GitHub has for ``security-severity``; no finding was scored so."""
_TAGS = 20
_DESCRIPTION = 1_000

_ADDRESSES = {
    "bandit": "https://bandit.readthedocs.io/",
    "pip-audit": "https://github.com/pypa/pip-audit",
    "safety": "https://github.com/pyupio/safety",
}

_LONE = re.compile("[\ud800-\udfff]")
_NO_BYTE = re.compile("[\x00\ud800-\udc7f\udd00-\udfff]")  # the other surrogates stand for bytes, see os.fsdecode
_NO_CODE = re.compile("%(?![0-9A-Fa-f]{2})")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")  # no path that git has holds two slashes
_WEB = re.compile(r"https?://[^/\s]+\S*")


def sarif_log(reports: Sequence[tuple[str, ScanReport]], *, version: str) -> dict[str, object]:
    """The log of scans that are over; it holds nothing that JSON or UTF-8 has no place for.

    Args:
        reports: each with the name of its job.
        version: of hookci.
    """
    return {"$schema": _SCHEMA, "version": SARIF_VERSION, "runs": [_run(job, one, version) for job, one in reports]}


def _run(job: str, report: ScanReport, version: str) -> dict[str, object]:
    groups: dict[str, list[Finding]] = {}
    for judged in report.findings:
        groups.setdefault(_text(judged.finding.rule), []).append(judged.finding)
    places = {rule: place for place, rule in enumerate(groups)}
    tool = _tool(report)
    return {
        "tool": {"driver": _driver(tool, report, [_rule(group) for group in groups.values()])},
        "conversion": {"tool": {"driver": {"name": "hookci", "version": _text(version)}}},
        "automationDetails": {"id": f"hookci/{_text(job)}/"},
        "originalUriBaseIds": {_BASE: {"description": {"text": "The top of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [_result(judged, places[_text(judged.finding.rule)], tool) for judged in report.findings],
        "properties": _given(what=report.what, base=report.base) | {"scanned": report.scanned},
    }


def _tool(report: ScanReport) -> str:
    """The scanner; of a report that a job's script wrote, the one that all findings are of."""
    tools = {judged.finding.tool for judged in report.findings}
    return tools.pop() if report.tool in {SARIF, GITLAB} and len(tools) == 1 else report.tool


def _driver(tool: str, report: ScanReport, rules: list[dict[str, object]]) -> dict[str, object]:
    version = "" if report.tool in {SARIF, GITLAB} else report.version
    return {
        "name": _text(tool) or SARIF,
        **_given(version=version, informationUri=_ADDRESSES.get(tool, "")),
        "rules": rules,
    }


def _rule(findings: Sequence[Finding]) -> dict[str, object]:
    """A rule as the worst and surest of its findings have it."""
    first = findings[0]
    severity = max((one.severity for one in findings), key=lambda one: one.rank)
    confidence = max((one.confidence for one in findings), key=lambda one: one.rank)
    help_uri = next((uri for uri in map(_web, (one.help_uri for one in findings)) if uri), "")
    about = _text(first.message)[:_DESCRIPTION] or _text(first.rule)
    return {
        "id": _text(first.rule),
        **_given(name=first.name, helpUri=help_uri),
        "shortDescription": {"text": _text(first.name) or _text(first.rule)},
        "fullDescription": {"text": about},
        "help": {"text": help_uri or about},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "tags": _tags(findings),
            "precision": confidence.value,
            "security-severity": _SCORES[severity],
        },
    }


def _tags(findings: Iterable[Finding]) -> list[str]:
    aliases = dict.fromkeys(alias for finding in findings for alias in finding.aliases)
    tags = (f"external/cwe/{alias.lower()}" if alias.startswith("CWE-") else _text(alias) for alias in aliases)
    return list(dict.fromkeys(["security", *tags]))[:_TAGS]


def _result(judged: JudgedFinding, rule: int, tool: str) -> dict[str, object]:
    finding = judged.finding
    return {
        "ruleId": _text(finding.rule),
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _text(finding.message) or _text(finding.rule)},
        "locations": [{"physicalLocation": _place(finding)}],
        "partialFingerprints": {"hookci/v1": judged.fingerprint},
        "baselineState": judged.state.value,
        "suppressions": _suppressions(judged),
        "properties": {
            "security-severity": _SCORES[finding.severity],
            "confidence": finding.confidence.value,
            "blocks": judged.blocks,
            **_given(
                tool="" if finding.tool == tool else finding.tool,
                commit=finding.commit,
                secret=finding.secret,
                note=judged.note,
            ),
            **({"aliases": [_text(alias) for alias in finding.aliases]} if finding.aliases else {}),
        },
    }


def _suppressions(judged: JudgedFinding) -> list[dict[str, object]]:
    """3.27.23: an empty list says that there are none, and all results of a run have one or none does."""
    made: list[dict[str, object]] = []
    if judged.suppressed:
        made.append({"kind": "external", "status": "accepted", "justification": _text(judged.suppressed)})
    if judged.finding.in_source:
        made.append({"kind": "inSource", "status": "accepted"})
    return made


def _place(finding: Finding) -> dict[str, object]:
    located: dict[str, object] = {"artifactLocation": _location(finding.path)}
    if finding.line <= 0:
        return located
    marked = _marked(finding)
    located["region"] = _region(finding, _text(marked))
    last = finding.line + finding.text.count("\n")
    if finding.text != marked and finding.end_line <= last:  # 3.29.5: more than the region
        around = {"startLine": finding.line, "endLine": last}
        located["contextRegion"] = {**around, "snippet": {"text": _text(finding.text)}}
    return located


def _region(finding: Finding, snippet: str) -> dict[str, object]:
    region: dict[str, object] = {"startLine": finding.line}
    if finding.column > 0:
        region["startColumn"] = finding.column
    if finding.end_line >= finding.line:
        region["endLine"] = finding.end_line
    if finding.end_column >= (max(finding.column, 1) if finding.end_line <= finding.line else 1):
        region["endColumn"] = finding.end_column
    return {**region, "snippet": {"text": snippet}} if snippet else region


def _marked(finding: Finding) -> str:
    """What the columns mark in the text; nothing of a secret, whose columns are those of the line before it was cut."""
    if finding.column <= 0 or (finding.secret and finding.column == 1):
        return finding.text
    if finding.secret:
        return ""
    count = max(finding.end_line - finding.line, 0) + 1
    lines = finding.text.split("\n")[:count]
    if finding.end_column > 0 and len(lines) == count:
        lines[-1] = lines[-1][: finding.end_column - 1]
    lines[0] = lines[0][finding.column - 1 :]
    return "\n".join(lines)


def _location(path: str) -> dict[str, object]:
    """A path of the tree below its top, no path as the top itself; what is elsewhere by its address."""
    encoded = _NO_BYTE.sub("\ufffd", path).encode("utf-8", "surrogateescape")
    if _ADDRESS.match(path):
        return {"uri": _encoded(encoded)}
    if path.startswith("/"):
        return {"uri": f"file://{quote(encoded)}"}
    return {"uri": quote(encoded) or "./", "uriBaseId": _BASE}


def _invocation(report: ScanReport) -> dict[str, object]:
    told = [_notification(reason, "error") for reason in report.unscanned]
    told += [_notification(note, "note") for note in report.notes]
    return {"executionSuccessful": not report.unscanned, "toolExecutionNotifications": told}


def _notification(text: str, level: str) -> dict[str, object]:
    return {"level": level, "message": {"text": _text(text)}}


def _given(**properties: str) -> dict[str, object]:
    """Those that are not empty."""
    cleaned = {name: _text(value) for name, value in properties.items()}
    return {name: value for name, value in cleaned.items() if value}


def _web(address: str) -> str:
    """A web address as RFC 3986 has it; empty when it is none."""
    return _encoded(_text(address).encode()) if _WEB.fullmatch(address) else ""


def _encoded(address: bytes) -> str:
    return _NO_CODE.sub("%25", quote(address, safe="%/:?#@!$&'()*+,;=~"))


def _text(text: str) -> str:
    """``text`` without what a terminal obeys, and without lone surrogates."""
    return _LONE.sub("\ufffd", plain(text))
