"""The tables of security scans: what a job scans for, and which findings people let pass."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from hookci.config.schema_base import Duration, Table, Texts, expected
from hookci.model.finding import Confidence, Severity

__all__ = ["ScanTable", "ScannerName", "SuppressionTable"]

ScannerName = Literal["bandit", "dependencies", "safety", "pip-audit", "secrets"]
_Severity = Annotated[Severity, Field(strict=False)]
_Confidence = Annotated[Confidence, Field(strict=False)]


def _as_date(value: object) -> object:
    """TOML has dates; JSON, and so the schema that editors get, writes them as text."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    if not isinstance(value, str):
        raise expected("a date such as 2027-01-31")
    return value


_Text = Annotated[str, Field(json_schema_extra={"format": "date"})]
_Date = Annotated[str, BeforeValidator(_as_date, json_schema_input_type=_Text)]


class ScanTable(Table):
    """What a job scans for; either `tool` or `sarif` says with what."""

    tool: ScannerName | None = Field(default=None, description="A scanner that hookci starts, instead of a script.")
    sarif: str | None = Field(
        default=None, description="The SARIF 2.1.0 report that the job's script writes.", examples=["report.sarif"]
    )
    severity: _Severity | None = Field(
        default=None, description="What is at least as severe blocks; default: the scanner's own."
    )
    confidence: _Confidence | None = Field(
        default=None, description="What is at least as certain blocks; default: the scanner's own."
    )
    allow_unscanned: bool = Field(
        default=False, description="Whether the job may pass although something could not be scanned."
    )
    files: Texts | None = Field(
        default=None, description="Globs of what is scanned; default: all that the scanner knows."
    )
    db: str | None = Field(default=None, description="For safety: a mirror of its database, a directory or an address.")
    stale_after: Duration | None = Field(
        default=None,
        description="For dependencies: the age of the database from which on a run warns; default: 14 days.",
        examples=["30 days"],
    )


class SuppressionTable(Table):
    """A finding that passes until a day; `rule`, `fingerprint` or `secret` says which."""

    rule: str | None = Field(default=None, description="The rule, by id, name or alias; with a path.")
    fingerprint: str | None = Field(default=None, description="The fingerprint of one finding, as a report shows it.")
    secret: str | None = Field(
        default=None, description="The hash of a secret, as a report shows it; nothing else suppresses one."
    )
    path: str | None = Field(default=None, description="A glob of the files it is for; default: any.")
    reason: str = Field(description="Why the finding may pass.")
    expires: _Date = Field(description="The last day it does, a date.", examples=["2027-01-31"])
