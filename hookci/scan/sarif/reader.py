"""From the SARIF 2.1.0 report that a job's own scanner wrote to findings; nothing in it is trusted.

Sources: SARIF 2.1.0 (OASIS), 3.13 (log), 3.14 (run), 3.20 (invocations), 3.27 (results), 3.58 (notifications).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from hookci.model.finding import NOT_SCANNED, Finding, Severity
from hookci.scan.adapter import Scanned
from hookci.scan.sarif.places import Places, Sources
from hookci.scan.sarif.rules import Rules, aliases, confidence, help_uri, holds_secrets, severity
from hookci.scan.sarif.shapes import line, number, rows, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["read_sarif"]

_VERSION = "2.1.0"
_NO_FINDINGS = ("pass", "notApplicable", "informational")
_NOTIFICATIONS = ("toolExecutionNotifications", "toolConfigurationNotifications")
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_RESULTS = 100_000
_REASONS = 20
_REASON = 300


def read_sarif(data: bytes, *, known: Callable[[str], str | None], top: str) -> Scanned:
    """Read a report, whatever its shape: what is wrong with it is a reason in ``unscanned``.

    Args:
        data: the report; its size is for the caller to bound.
        known: the text of a file of the tree by its path, None when there is none.
        top: the directory in which the scanner saw the tree.
    """
    try:
        log = json.loads(data)
    except json.JSONDecodeError as error:
        return Scanned(unscanned=(f"the report is not json: line {error.lineno}: {error.msg.lower()}",))
    except (ValueError, RecursionError):
        return Scanned(unscanned=("the report is not json that can be read",))
    problem = _problem(log)
    if problem:
        return Scanned(unscanned=(problem,))
    reading = _Reading(Sources(known, top))
    for run in rows(log["runs"]):
        reading.run(run)
    return reading.scanned()


def _problem(log: object) -> str:
    if not isinstance(log, dict):
        return "the report is not a sarif log"
    if log.get("version") != _VERSION:
        return f"the report is not sarif {_VERSION}: its version is {line(log.get('version'), 40) or 'missing'}"
    return "" if rows(log.get("runs")) else "the report has no runs"


class _Reading:
    """What has been read so far."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._findings: list[Finding] = []
        self._unscanned: list[str] = []
        self._notes: list[str] = []
        self._tools: list[str] = []
        self._artifacts: set[str] = set()

    def run(self, value: object) -> None:
        run = table(value)
        driver = table(run, "tool", "driver")
        tool = line(driver.get("name"), 100).lower() or "sarif"
        version = line(driver.get("version"), 100) or line(driver.get("semanticVersion"), 100)
        self._tools.append(f"{tool} {version}".strip())
        places = Places(run, self._sources)
        self._artifacts.update(places.path(table(artifact, "location")) for artifact in rows(run.get("artifacts")))
        self._results(run, tool, places)
        for invocation in rows(run.get("invocations")):
            self._invocation(table(invocation), tool, places)

    def scanned(self) -> Scanned:
        unread = {finding.path for finding in self._findings if finding.rule == NOT_SCANNED}
        looked_at = self._artifacts or {finding.path for finding in self._findings}
        return Scanned(
            findings=tuple(self._findings),
            files=len(looked_at - unread - {""}),
            what=f"the report of {', '.join(dict.fromkeys(self._tools))}",
            unscanned=_told(self._unscanned),
            notes=_told(self._notes),
        )

    def _results(self, run: Mapping[str, object], tool: str, places: Places) -> None:
        results = run.get("results")
        if not isinstance(
            results, list
        ):  # 3.14.23: an empty list says that nothing was found, none that none was sought
            self._unscanned.append(f"the report of {tool} has no list of results")
            return
        if len(results) > _RESULTS:
            self._unscanned.append(f"the report of {tool} has more than {_RESULTS} results")
        rules = Rules.of(table(run.get("tool")))
        for position, value in enumerate(results[:_RESULTS]):
            if not isinstance(value, dict):
                self._unscanned.append(f"the report of {tool} has a result that is none: number {position}")
            elif value.get("kind") not in _NO_FINDINGS and value.get("baselineState") != "absent":
                self._findings.append(_finding(value, tool, rules, places))

    def _invocation(self, invocation: Mapping[str, object], tool: str, places: Places) -> None:
        if invocation.get("executionSuccessful", True) is not True:
            self._unscanned.append(f"{tool} says that it did not succeed{_why(invocation)}")
        for kind in _NOTIFICATIONS:
            for notification in rows(invocation.get(kind)):
                self._notification(table(notification), tool, places)

    def _notification(self, notification: Mapping[str, object], tool: str, places: Places) -> None:
        level = notification.get("level", "warning")
        message = table(notification.get("message"))
        said = line(message.get("text"), _REASON) or line(message.get("markdown"), _REASON) or "it does not say why"
        where = [place for place in map(places.place, _locations(notification)) if place.path]
        if level == "error" and where:
            self._findings += (self._not_scanned(tool, path, said) for path in dict.fromkeys(one.path for one in where))
        elif level == "error":
            self._unscanned.append(f"{tool}: {said}")
        elif level == "warning":
            self._notes.append(f"{tool}: {where[0].path}: {said}" if where else f"{tool}: {said}")

    def _not_scanned(self, tool: str, path: str, said: str) -> Finding:
        content = "\n".join(self._sources.lines(path) or ())
        return Finding(
            tool=tool,
            rule=NOT_SCANNED,
            message=said,
            severity=Severity.HIGH,
            path=path,
            code=hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest(),
        )


def _finding(result: Mapping[str, object], tool: str, rules: Rules, places: Places) -> Finding:
    name, rule = rules.rule(result)
    commit = _commit(table(result, "partialFingerprints").get("commitSha"))
    location = next(_locations(result), {})
    place = places.place(location, in_tree=not commit, hidden=holds_secrets(f"{tool} {name}", result, rule))
    called = line(rule.get("name"), 200)
    return Finding(
        tool=tool,
        rule=name,
        message=rules.message(result.get("message"), rule) or called or name,
        severity=severity(result, rule),
        path=place.path,
        confidence=confidence(result, rule),
        name="" if called == name else called,
        line=place.line,
        column=place.column,
        end_line=place.end_line,
        end_column=place.end_column,
        text=place.text,
        code=place.code,
        help_uri=help_uri(rule),
        aliases=aliases(name, result, rule),
        commit=commit,
        in_source=_is_suppressed(result),
    )


def _commit(value: object) -> str:
    """The commit whose line gitleaks speaks of; empty when it is none."""
    return value if isinstance(value, str) and _COMMIT.fullmatch(value) else ""


def _locations(holder: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    return (table(one) for one in rows(holder.get("locations")) if table(one, "physicalLocation"))


def _is_suppressed(result: Mapping[str, object]) -> bool:
    """3.27.23, 3.35.3: one that is not under review or rejected is enough."""
    given = (one for one in rows(result.get("suppressions")) if isinstance(one, dict))
    return any(one.get("status", "accepted") == "accepted" for one in given)


def _why(invocation: Mapping[str, object]) -> str:
    for key in ("exitCodeDescription", "processStartFailureMessage"):
        if line(invocation.get(key)):
            return f": {line(invocation.get(key), _REASON)}"
    status = number(invocation.get("exitCode"))
    return f" (exit status {status})" if status >= 0 else ""


def _told(reasons: Iterable[str]) -> tuple[str, ...]:
    """Each once, and not too many for a person to read."""
    distinct = tuple(dict.fromkeys(reasons))
    more = len(distinct) - _REASONS
    return distinct if more <= 0 else (*distinct[:_REASONS], f"and {more} more")
