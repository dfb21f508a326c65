"""From the tables of scans and suppressions to their meaning."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.config.problems import Problem, expected
from hookci.config.values import check_filled, check_paths, longer_than_zero
from hookci.config.words import show, show_path
from hookci.model.pipeline import Artifacts
from hookci.model.scan import SARIF, Scan, Suppression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.schema_job import JobTable
    from hookci.config.schema_scan import ScanTable, SuppressionTable
    from hookci.config.words import Path
    from hookci.model.pipeline import Job

__all__ = ["check_scan_job", "has_scanner", "read_scan", "read_suppressions", "with_suppressions", "without_script"]

_STAGE = "security"
_NO_SCRIPT = {
    "before_script": (),
    "after_script": (),
    "shell": None,
    "cache": (),
    "artifacts": Artifacts(),
    "carry": (),
    "tools": None,
}
_NOT_FOR_SCANNERS: Mapping[str, str | None] = {
    "script": "a script that writes a report goes with scan = { sarif = ... }",
    **dict.fromkeys(("before_script", "after_script", "shell", "matrix", "image", "services", "build")),
    **dict.fromkeys(("cache", "artifacts", "carry", "reports", "tools")),
    "inputs": "scan = { files = ... } says what is scanned",
}
_ONLY_FOR = {"db": "safety", "stale_after": "dependencies"}
_FORMS = {
    "fingerprint": (re.compile(r"[0-9a-f]{64}:[0-9]+"), "64 hex digits, a colon and a number, as a report shows it"),
    "secret": (re.compile(r"[0-9a-f]+:[0-9a-f]+"), "the hash of a secret, as a report shows it"),
}


def has_scanner(table: JobTable) -> bool:
    """Whether a job is a scanner that hookci starts, without any script."""
    return table.scan is not None and table.scan.tool is not None and table.scan.sarif is None


def without_script(job: Job, stages: list[str]) -> Job:
    """What a job with a scanner starts from: ``job`` with nothing that is for scripts, in the stage for scans."""
    stage = _STAGE if _STAGE in stages else job.stage
    return replace(job, stage=stage, **_NO_SCRIPT)


def check_scan_job(table: JobTable, path: Path, problems: list[Problem]) -> None:
    """A scanner comes without a script and all that belongs to one."""
    said = sorted(table.model_fields_set & _NOT_FOR_SCANNERS.keys()) if has_scanner(table) else []
    problems.extend(Problem((*path, key), "is not for a scanner", _NOT_FOR_SCANNERS[key]) for key in said)


def read_scan(table: ScanTable, path: Path, problems: list[Problem]) -> Scan:
    """What the job at ``path`` scans for; its suppressions come later."""
    if (table.tool is None) == (table.sarif is None):
        problems.append(Problem(path, "expected either tool or sarif"))
    foreign = (key for key, tool in _ONLY_FOR.items() if getattr(table, key) is not None and table.tool != tool)
    problems.extend(Problem((*path, key), f"is only for the scanner {show(_ONLY_FOR[key])}") for key in foreign)
    check_filled(table, ("files", "db"), path, problems)
    check_paths([] if table.sarif is None else [table.sarif], (*path, "sarif"), problems)
    scan = Scan(
        tool=table.tool or SARIF,
        report=table.sarif or "",
        severity=table.severity,
        confidence=table.confidence,
        allow_unscanned=table.allow_unscanned,
        files=check_paths(table.files or [], (*path, "files"), problems),
        db=table.db or "",
    )
    if table.stale_after is None:
        return scan
    return replace(scan, stale_after=longer_than_zero(table.stale_after, (*path, "stale_after"), problems))


def read_suppressions(tables: list[SuppressionTable], problems: list[Problem]) -> tuple[Suppression, ...]:
    """The suppressions of a document, in its order."""
    found: dict[tuple[str, str], Suppression] = {}
    for index, table in enumerate(tables):
        path = ("suppressions", index)
        suppression = _suppression(table, path, problems)
        what = suppression.rule or suppression.fingerprint or suppression.secret
        if what and (what, suppression.path) in found:
            where = f" in {show(table.path)}" if table.path else ""
            problems.append(Problem(path, f"there is more than one suppression of {show(what)}{where}"))
        found[what, suppression.path] = suppression
    return tuple(found.values())


def _suppression(table: SuppressionTable, path: Path, problems: list[Problem]) -> Suppression:
    if len(table.model_fields_set & {"rule", "fingerprint", "secret"}) != 1:
        problems.append(Problem(path, "expected one of rule, fingerprint and secret"))
    elif table.rule is not None and table.path is None:
        problems.append(Problem(path, "has no path, without which a rule is not suppressed"))
    check_filled(table, ("rule", "reason"), path, problems)
    _check_forms(table, path, problems)
    check_paths([] if table.path is None else [table.path], (*path, "path"), problems)
    return Suppression(
        where=show_path(path),
        reason=table.reason,
        expires=_date(table.expires, (*path, "expires"), problems),
        rule=table.rule or "",
        fingerprint=table.fingerprint or "",
        secret=table.secret or "",
        path=table.path or "",
    )


def _check_forms(table: SuppressionTable, path: Path, problems: list[Problem]) -> None:
    for key, (form, what) in _FORMS.items():
        if (text := getattr(table, key)) is not None and not form.fullmatch(text):
            problems.append(expected((*path, key), what, text))


def _date(text: str, path: Path, problems: list[Problem]) -> date:
    """A day; of all that ISO 8601 allows only the form that TOML has too."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass
    problems.append(expected(path, "a date such as 2027-01-31", text))
    return date.max


def with_suppressions(jobs: Mapping[str, Job], suppressions: tuple[Suppression, ...]) -> dict[str, Job]:
    """The jobs, those that scan with all the suppressions there are."""
    return {
        name: replace(job, scan=replace(job.scan, suppressions=suppressions)) if job.scan else job
        for name, job in jobs.items()
    }
