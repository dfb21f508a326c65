"""What the rules of a report say about a result: its rule, how severe and how certain it is, its message, other names.

Sources: SARIF 2.1.0 (OASIS), 3.11 (messages), 3.27.5 to 3.27.10 (rule, kind, level), 3.49 (reporting descriptors),
3.52.4 (hierarchical ids); for ``security-severity`` and ``precision`` the properties that GitHub's code scanning reads.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.finding import Confidence, Severity
from hookci.scan.sarif.shapes import line, number, rows, table, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Rules", "aliases", "confidence", "help_uri", "holds_secrets", "severity"]

_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW, "none": Severity.LOW}
_CVSS = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.0, Severity.LOW))
_CERTAIN = {
    "very-high": Confidence.HIGH,
    "high": Confidence.HIGH,
    "medium": Confidence.MEDIUM,
    "low": Confidence.LOW,
}
_CERTAINTY = ("precision", "confidence", "issue_confidence")
_WORDED = ("text", "markdown")
_UNDECIDED = ("open", "review")

_NAMES = re.compile(r"(?i)\b(?:(?P<cwe>cwe-\d{1,6})|(?P<cve>cve-\d{4}-\d{4,19})|(?P<ghsa>ghsa(?:-[0-9a-z]{4}){3}))\b")
_PLACEHOLDER = re.compile(r"\{(\d{1,3})\}|\{\{|\}\}")
_SECRETIVE = re.compile(r"(?i)secret|leaks")
_LINK = re.compile(r"\[([^\[\]]+)\]\(\d{1,9}\)")  # to one of the result's other locations
_ADDRESS = re.compile(r"https?://[!-~]{1,1000}")


class Rules(Struct, frozen=True):
    """The rules of a run's tool: those of the driver, of each extension, and all of them by id."""

    driver: Mapping[str, object]
    extensions: Sequence[object]
    by_id: Mapping[str, Mapping[str, object]]

    @classmethod
    def of(cls, tool: Mapping[str, object]) -> Rules:
        """The rules of a ``tool`` object."""
        driver, extensions = table(tool.get("driver")), rows(tool.get("extensions"))
        known: dict[str, Mapping[str, object]] = {}
        for component in (driver, *extensions):
            for rule in rows(table(component).get("rules")):
                known.setdefault(line(table(rule).get("id")), table(rule))
        return cls(driver, extensions, known)

    def rule(self, result: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
        """The id of a result's rule, and what there is about it."""
        reference = table(result.get("rule"))
        name = line(result.get("ruleId")) or line(reference.get("id"))
        indexed = self._indexed(result, reference)
        if not name:
            return line(indexed.get("id")) or "unnamed", indexed
        if indexed and f"{name}/".startswith(f"{line(indexed.get('id'))}/"):
            return name, indexed
        return name, self.by_id.get(name) or self.by_id.get(name.rpartition("/")[0]) or {}

    def _indexed(self, result: Mapping[str, object], reference: Mapping[str, object]) -> Mapping[str, object]:
        extension = number(table(reference.get("toolComponent")).get("index"))
        component = self.driver if extension < 0 else _at(self.extensions, extension)
        index = max(number(result.get("ruleIndex")), number(reference.get("index")))
        return _at(rows(component.get("rules")), index)

    def message(self, value: object, rule: Mapping[str, object]) -> str:
        """A ``message`` object as text, its placeholders filled in."""
        message = table(value)
        name = text(message.get("id"))
        named = table(rule, "messageStrings", name) or table(self.driver, "globalMessageStrings", name)
        said = next(filter(None, (text(source.get(key)) for source in (message, named) for key in _WORDED)), "")
        arguments = [text(argument, 500) for argument in rows(message.get("arguments"))]
        filled = _filled(said, arguments) if arguments else said
        return text(_LINK.sub(r"\1", filled)).strip()


def _at(values: Sequence[object], index: int) -> Mapping[str, object]:
    return table(values[index]) if 0 <= index < len(values) else {}


def _filled(said: str, arguments: Sequence[str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        return arguments[int(match[1])] if int(match[1]) < len(arguments) else match[0]

    return _PLACEHOLDER.sub(value, said)


def severity(result: Mapping[str, object], rule: Mapping[str, object]) -> Severity:
    """How bad a result is: its score in the bands of CVSS 3, else its level, else its rule's; else a warning."""
    if result.get("kind") in _UNDECIDED:
        return Severity.LOW
    for source in (result, rule):
        score = _score(table(source, "properties").get("security-severity"))
        if score >= 0:
            return next(band for least, band in _CVSS if score >= least)
    levels = (text(result.get("level")), text(table(rule, "defaultConfiguration").get("level")))
    return next((_LEVELS[level] for level in levels if level in _LEVELS), Severity.MEDIUM)


def _score(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return -1.0
    try:
        score = float(value)
    except (ValueError, OverflowError):
        return -1.0
    return score if math.isfinite(score) else -1.0


def confidence(result: Mapping[str, object], rule: Mapping[str, object]) -> Confidence:
    """How sure the scanner is, by the properties of the result or of its rule; high when they do not say."""
    for source in (result, rule):
        for key, value in table(source, "properties").items():
            if key.rpartition("/")[2] in _CERTAINTY and text(value).lower() in _CERTAIN:
                return _CERTAIN[text(value).lower()]
    return Confidence.HIGH


def aliases(name: str, result: Mapping[str, object], rule: Mapping[str, object]) -> tuple[str, ...]:
    """The weaknesses (CWE) and advisories (CVE, GHSA) that a result or its rule names, without ``name``."""
    found = (match for said in _said(result, rule) for match in _NAMES.finditer(said))
    return tuple(sorted({_alias(match) for match in found} - {name}))


def holds_secrets(names: str, result: Mapping[str, object], rule: Mapping[str, object]) -> bool:
    """Whether a result's place is a secret: by the ``names`` of its tool and rule (secretlint, gitleaks) or tags."""
    return bool(_SECRETIVE.search(names)) or any(tag.lower() in {"secret", "secrets"} for tag in _tags(result, rule))


def help_uri(rule: Mapping[str, object]) -> str:
    """Where a rule is explained; empty unless it is a web address."""
    address = text(rule.get("helpUri"))
    return address if _ADDRESS.fullmatch(address) else ""


def _tags(result: Mapping[str, object], rule: Mapping[str, object]) -> Iterator[str]:
    for source in (result, rule):
        yield from (text(tag, 200) for tag in rows(table(source, "properties").get("tags"))[:100])


def _said(result: Mapping[str, object], rule: Mapping[str, object]) -> Iterator[str]:
    yield from _tags(result, rule)
    targets = (table(relationship, "target") for relationship in rows(rule.get("relationships"))[:100])
    for reference in (*targets, *map(table, rows(result.get("taxa"))[:100])):
        yield f"{text(table(reference, 'toolComponent').get('name'), 100)}-{text(reference.get('id'), 100)}"


def _alias(match: re.Match[str]) -> str:
    if match["cwe"]:
        return f"CWE-{int(match['cwe'][4:])}"
    return match["cve"].upper() if match["cve"] else f"GHSA{match['ghsa'][4:].lower()}"
