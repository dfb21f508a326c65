"""Security reports: SAST, secrets, dependencies, containers; one schema with a ``location`` for each kind.

Source: GitLab's security report schemas (``gitlab-org/security-products/security-report-schemas``), version 15:
``vulnerabilities[]`` with ``identifiers``, ``severity``, ``location``; ``scan`` with ``scanner``, ``status`` and
``messages``.
What makes two vulnerabilities of a container one: ``Gitlab::Ci::Reports::Security::Locations::ContainerScanning``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.model.finding import Confidence, Finding, Severity
from hookci.scan.adapter import Scanned
from hookci.scan.sarif.places import Place
from hookci.scan.sarif.rules import aliases, holds_secrets
from hookci.scan.sarif.shapes import line, number, rows, table, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hookci.scan.sarif.places import Places

__all__ = ["read_security"]

_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "info": Severity.LOW,
}
_CERTAIN = {"medium": Confidence.MEDIUM, "low": Confidence.LOW, "experimental": Confidence.LOW}
_ADVISORIES = ("cve", "ghsa")
_CLASSES = ("cwe", "owasp")
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_ADDRESS = re.compile(r"https?://[!-~]{1,1000}")
_TAG = re.compile(r"(?:@[^/]*|:[^/:]*)$")
_MOST = 100_000
_REASON = 300


def read_security(kind: str, report: object, places: Places) -> Scanned:
    """The findings of a report of the schema that all kinds share."""
    vulnerabilities = report.get("vulnerabilities") if isinstance(report, dict) else None
    if not isinstance(vulnerabilities, list):
        return Scanned(unscanned=("the report has no list of vulnerabilities",))
    scan = table(report, "scan")
    tool = _tool(scan.get("scanner"))
    unread = [*_failed(scan, tool or kind)]
    findings: list[Finding] = []
    for position, one in enumerate(vulnerabilities[:_MOST], 1):
        if isinstance(one, dict):
            findings.append(_finding(kind, one, tool or _tool(one.get("scanner")) or kind, places))
        else:
            unread.append(f"vulnerability {position} is no object")
    if len(vulnerabilities) > _MOST:
        unread.append(f"the report has more than {_MOST} vulnerabilities")
    listed = {line(table(file).get("path")) for file in rows(table(report).get("dependency_files"))} - {""}
    version = line(table(scan, "scanner").get("version"), 100)
    tools = (f"{tool} {version}".strip(),) if tool else tuple(dict.fromkeys(finding.tool for finding in findings))
    return Scanned(
        findings=tuple(findings),
        files=len(listed or {finding.path for finding in findings}),
        what=f"the report of {', '.join(tools) or kind}",
        unscanned=tuple(dict.fromkeys(unread))[:3],
    )


def _tool(scanner: object) -> str:
    about = table(scanner)
    return (line(about.get("id"), 100) or line(about.get("name"), 100)).lower()


def _failed(scan: Mapping[str, object], tool: str) -> Iterator[str]:
    """What the scan says of itself that makes its findings less than all there are."""
    fatal = [line(table(one).get("value"), _REASON) for one in rows(scan.get("messages")) if _is_fatal(one)]
    yield from (f"{tool}: {said}" for said in fatal)
    if scan.get("status") == "failure" and not fatal:
        yield f"{tool} says that it did not succeed"


def _is_fatal(message: object) -> bool:
    return table(message).get("level") == "fatal"


def _finding(kind: str, one: Mapping[str, object], tool: str, places: Places) -> Finding:
    identifiers = [table(identifier) for identifier in rows(one.get("identifiers"))[:100]]
    rule, uri = _rule(identifiers)
    location = table(one, "location")
    commit = _commit(table(location, "commit").get("sha"))
    hidden = kind == "secret_detection" or holds_secrets(f"{tool} {rule}", {}, {})
    place = _place(location, places, in_tree=not commit, hidden=hidden)
    called = line(one.get("name"), 200) or line(one.get("message"), 200)
    message = _message(one, called, location) or rule
    return Finding(
        tool=tool,
        rule=rule,
        message=message,
        severity=_SEVERITIES.get(text(one.get("severity")).lower(), Severity.MEDIUM),
        path=place.path,
        confidence=_CERTAIN.get(text(one.get("confidence")).lower(), Confidence.HIGH),
        name="" if called in {rule, message} else called,
        line=place.line,
        end_line=place.end_line,
        text=place.text,
        code=place.code or _package(location)[0] or f"{location.get('class', '')}#{location.get('method', '')}",
        help_uri=uri,
        aliases=aliases(rule, {"properties": {"tags": [_named(other) for other in identifiers]}}, {}),
        commit=commit,
    )


def _rule(identifiers: list[Mapping[str, object]]) -> tuple[str, str]:
    """What names the rule best, and where it is explained: an advisory, else the scanner's own, else whatever it is."""

    def rank(identifier: Mapping[str, object]) -> int:
        kind = text(identifier.get("type")).lower()
        return 0 if kind in _ADVISORIES else 2 if kind.startswith(_CLASSES) else 1

    best = min(identifiers, key=rank, default={})
    name = _named(best) if rank(best) == 2 else line(best.get("value"), 200) or _named(best)  # noqa: PLR2004 (as above)
    uri = text(best.get("url"))
    return name or "unnamed", uri if _ADDRESS.fullmatch(uri) else ""


def _named(identifier: Mapping[str, object]) -> str:
    return line(identifier.get("name"), 200) or line(identifier.get("value"), 200)


def _commit(value: object) -> str:
    return value if isinstance(value, str) and _COMMIT.fullmatch(value) else ""


def _message(one: Mapping[str, object], called: str, location: Mapping[str, object]) -> str:
    """The first paragraph of the description, of a package with its name and version in front."""
    said = text(one.get("description")).strip().split("\n\n")[0] or called
    image = line(location.get("image"), 500)
    about = " ".join(filter(None, [*_package(location), f"in {image}" if image else ""]))
    return f"{about}: {said}" if about and said else said or about


def _package(location: Mapping[str, object]) -> tuple[str, str]:
    dependency = table(location, "dependency")
    return line(table(dependency, "package").get("name"), 200), line(dependency.get("version"), 100)


def _place(location: Mapping[str, object], places: Places, *, in_tree: bool, hidden: bool) -> Place:
    image = line(location.get("image"), 500)
    if image and not location.get("file"):
        # the tag is another one for every build, and what is in the image need not be
        return Place(path=f"docker://{_TAG.sub('', image)}", code=_package(location)[0])
    region = {"startLine": number(location.get("start_line")), "endLine": number(location.get("end_line"))}
    where = {"artifactLocation": {"uri": location.get("file")}, "region": region}
    return places.place({"physicalLocation": where}, in_tree=in_tree, hidden=hidden)
