"""What a security scanner found, in SARIF's words, and what hookci makes of it.

Source: SARIF 2.1.0 (OASIS), ``result``: ``ruleId``, ``level``, ``locations``, ``partialFingerprints``,
``baselineState``, ``suppressions``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from hookci.model.scan import GITLAB

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NOT_SCANNED",
    "Confidence",
    "Finding",
    "JudgedFinding",
    "ScanReport",
    "Severity",
    "State",
    "finding_from",
    "report_from",
]

NOT_SCANNED = "not-scanned"
"""The rule of a finding that says: the scanner could not look at this file."""


class _Ranked(StrEnum):
    @property
    def rank(self) -> int:
        """Its place among its kind, from the least on."""
        return list(type(self)).index(self)


class Severity(_Ranked):
    """How bad a finding is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Confidence(_Ranked):
    """How sure the scanner is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class State(StrEnum):
    """Whether the base of a comparison has a finding too (SARIF ``baselineState``)."""

    NEW = "new"
    UNCHANGED = "unchanged"


class Finding(Struct, frozen=True, kw_only=True):
    """One result of a scanner.

    ``path`` is relative to the top of the tree.  Lines and columns count from 1, columns in code points; 0 says
    that there is none.  ``end_column`` is the first one after the place.  ``text`` is what is shown of the file, whole
    lines from ``line`` on; ``code`` is what tells this finding from another of the same rule in the same file, with
    white space and comments, which `hookci.scan.identity` takes out; it is never shown.  ``aliases`` are other names
    of the rule (a CVE).  ``secret`` is the salted hash of a secret, of which no other form is ever kept.  ``commit``
    is where a line came from that the tree no longer has.  ``in_source`` says that a comment beside the place silences
    it as the scanner documents (``# nosec B602``): it is counted and never blocks.
    """

    tool: str
    rule: str
    message: str
    severity: Severity
    path: str
    confidence: Confidence = Confidence.HIGH
    name: str = ""
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    text: str = ""
    code: str = ""
    help_uri: str = ""
    aliases: tuple[str, ...] = ()
    secret: str = ""
    commit: str = ""
    in_source: bool = False


class JudgedFinding(Struct, frozen=True, kw_only=True):
    """A finding with what became of it.

    ``fingerprint`` is the SHA-256 of its identity, in hex, a colon, and which one it is among those of the same
    identity.  ``suppressed`` is the reason of the suppression that covers it.  ``blocks`` says whether it makes the job
    red, ``note`` what else there is to say (a suppression that has expired).
    """

    finding: Finding
    fingerprint: str
    state: State
    suppressed: str = ""
    blocks: bool = False
    note: str = ""

    @property
    def is_unscanned(self) -> bool:
        """Whether it says that a file was not looked at."""
        return self.finding.rule == NOT_SCANNED


class ScanReport(Struct, frozen=True, kw_only=True):
    """What came of one scan.

    ``scanned`` counts files (commits, for the secrets of a push are told in ``what``), ``what`` says in words what was
    scanned, ``base`` what it was compared with (empty: with nothing, so everything is new).  ``unscanned`` are
    reasons why the scan as a whole says nothing, ``allowed_unscanned`` that the config permits it.  ``notes`` are for
    a person to read (the age of a database).  ``unchanged`` counts the findings that the base has too; ``findings``
    may leave them out.  ``used`` are the numbers of the suppressions that matched.
    """

    tool: str
    version: str
    scanned: int
    what: str = ""
    base: str = ""
    findings: tuple[JudgedFinding, ...] = ()
    unchanged: int = 0
    unscanned: tuple[str, ...] = ()
    allowed_unscanned: bool = False
    notes: tuple[str, ...] = ()
    used: tuple[int, ...] = ()

    @property
    def decides(self) -> bool:
        """Whether its findings make the job red; what GitLab only shows does not."""
        return self.tool != GITLAB

    @property
    def blocking(self) -> tuple[JudgedFinding, ...]:
        """The findings that make the job red."""
        return tuple(judged for judged in self.findings if judged.blocks)

    @property
    def is_green(self) -> bool:
        """Whether everything was scanned that had to be, and nothing blocks."""
        return not self.blocking and (self.allowed_unscanned or not self.unscanned)


def finding_from(fields: Mapping[str, Any]) -> Finding:
    """The finding whose fields, as `dataclasses.asdict` and JSON leave them, are ``fields``.

    Raises:
        ValueError, TypeError, KeyError: there is none.
    """
    read = {
        "severity": Severity(fields["severity"]),
        "confidence": Confidence(fields["confidence"]),
        "aliases": tuple(fields["aliases"]),
    }
    return Finding(**{**fields, **read})


def report_from(fields: Mapping[str, Any]) -> ScanReport:
    """The same for a report."""
    judged = (
        JudgedFinding(**{**one, "finding": finding_from(one["finding"]), "state": State(one["state"])})
        for one in fields["findings"]
    )
    listed = {name: tuple(fields[name]) for name in ("unscanned", "notes", "used")}
    return ScanReport(**{**fields, **listed, "findings": tuple(judged)})
