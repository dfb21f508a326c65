"""Reports of scans to show."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from hookci.model.finding import NOT_SCANNED, Finding, JudgedFinding, ScanReport, Severity, State
from hookci.report.findings import View

if TYPE_CHECKING:
    from hookci.model.result import JobResult

__all__ = ["SHELL", "blocking", "make_finding", "make_judged", "make_report", "make_view", "scanned", "unreadable"]

SHELL = "    subprocess.run(command, shell=True)"
_HASH = "c0ffee" * 11


def make_finding(**changes: Any) -> Finding:  # noqa: ANN401 (any field of a finding)
    """What bandit says of `SHELL` in line 12 of app/run.py, but for ``changes``."""
    usual = Finding(
        tool="bandit",
        rule="B602",
        name="subprocess_popen_with_shell_equals_true",
        message="subprocess call with shell=True identified, security issue.",
        severity=Severity.HIGH,
        path="app/run.py",
        line=12,
        column=5,
        end_line=12,
        end_column=40,
        text=SHELL,
        help_uri="https://bandit.example/b602.html",
    )
    return replace(usual, **changes)


def make_judged(finding: Finding | None = None, **changes: Any) -> JudgedFinding:  # noqa: ANN401 (as above)
    """A finding that is new and does not block, but for ``changes``."""
    usual = JudgedFinding(finding=finding or make_finding(), fingerprint=f"{_HASH[:64]}:1", state=State.NEW)
    return replace(usual, **changes)


def blocking(**changes: Any) -> JudgedFinding:  # noqa: ANN401 (as above)
    """A new finding that blocks, with ``changes`` to `make_finding`."""
    return make_judged(make_finding(**changes), blocks=True)


def unreadable(path: str = "app/broken.py", *, blocks: bool = True) -> JudgedFinding:
    """A file that could not be scanned."""
    finding = Finding(
        tool="bandit", rule=NOT_SCANNED, message="does not parse", severity=Severity.HIGH, path=path, line=3
    )
    return make_judged(finding, blocks=blocks)


def make_report(*findings: JudgedFinding, **changes: Any) -> ScanReport:  # noqa: ANN401 (as above)
    """What bandit 1.9.4 found in 120 files."""
    unchanged = sum(judged.state is State.UNCHANGED for judged in findings)
    usual = ScanReport(
        tool="bandit", version="1.9.4", scanned=120, base="1a2b3c4d", findings=findings, unchanged=unchanged
    )
    return replace(usual, **changes)


def make_view(**changes: Any) -> View:  # noqa: ANN401 (as above)
    """Eighty columns without colour, on the 22nd of November 2026."""
    return replace(View(width=80, color=False, today=date(2026, 11, 22)), **changes)


def scanned(job: JobResult, report: ScanReport) -> JobResult:
    """``job`` as the job of a scan."""
    return replace(job, scan=report)
