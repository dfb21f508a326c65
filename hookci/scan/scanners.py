"""The scanners by name, and one scan from what is asked to its report."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.model.finding import NOT_SCANNED, Confidence, ScanReport, Severity, State
from hookci.model.scan import GITLAB, SARIF
from hookci.scan.assess import Measure, assess
from hookci.scan.trees import Examined, examine_trees

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.git.patches import Patches
    from hookci.model.scan import Scan
    from hookci.scan.adapter import Desk, TreeScanner
    from hookci.scan.trees import FindingMemory, Trees

__all__ = [
    "Judgement",
    "Order",
    "install_hint",
    "judge",
    "report_lines",
    "run_scan",
    "scanner_called",
    "scanner_version",
]

_SCANNERS = {
    "bandit": ("hookci.scan.bandit.adapter", "BanditScanner"),
    "dependencies": ("hookci.scan.dependencies.adapter", "DependencyScanner"),
    "safety": ("hookci.scan.online.safety", "SafetyScanner"),
    "pip-audit": ("hookci.scan.online.pipaudit", "PipAuditScanner"),
    "secrets": ("hookci.scan.secrets.adapter", "SecretScanner"),
}
_SECRETS = "secrets"


def scanner_called(name: str) -> TreeScanner:
    """The scanner that a config calls ``name`` (one of `hookci.model.scan.SCANNERS`)."""
    module, attribute = _SCANNERS[name]
    scanner: TreeScanner = getattr(importlib.import_module(module), attribute)()
    return scanner


def scanner_version(name: str) -> str:
    """What of the installation the results of a scanner depend on; empty when it is not installed."""
    return "report" if name in {GITLAB, SARIF} else scanner_called(name).version()


def install_hint(name: str) -> str:
    """The command that installs a scanner which is an extra."""
    return f"pip install 'hookci[{name}]'"


class Order(Struct, frozen=True, kw_only=True):
    """One scan: what is asked, and what findings are held against.

    ``patches`` is what the commit or push adds, None when the whole tree is asked for.  ``base`` says in words what
    is compared with.  ``everything`` lets findings block that the base has too.
    """

    scan: Scan
    trees: Trees
    patches: Patches | None = None
    base: str = ""
    baseline: Mapping[str, int] = field(default_factory=dict)
    everything: bool = False


class Judgement(Struct, frozen=True):
    """A report, and until when a pass may be remembered (unix seconds; None for ever, 0.0 not at all)."""

    report: ScanReport
    holds_until: float | None


def run_scan(order: Order, desk: Desk, memory: FindingMemory) -> Judgement:
    """Scan as ordered; for every tool but `SARIF`, whose report the job itself writes.

    Raises:
        ScanStoppedError: the job was cancelled, or its time is over.
        HookciError: the scan could not be made.
    """
    scanner = scanner_called(order.scan.tool)
    if order.scan.tool == _SECRETS and order.patches is not None and not order.everything:
        from hookci.scan.secrets.adapter import scan_patches  # noqa: PLC0415 (no other scanner needs it)

        scanned, removed = scan_patches(order.patches, order.scan, desk)
        examined = Examined(scanned, removed)
    else:
        examined = examine_trees(scanner, order.trees, order.scan, desk, memory)
    return judge(examined, order, desk.now, (scanner.severity, scanner.confidence), scanner.version())


def judge(
    examined: Examined, order: Order, now: float, defaults: tuple[Severity, Confidence], version: str
) -> Judgement:
    """Hold what was found against the base, the suppressions and the thresholds.

    Args:
        examined: what was found.
        order: what was asked.
        now: unix seconds.
        defaults: what blocks when the config does not say.
        version: of the scanner; what follows its first word is left out.
    """
    scan, scanned = order.scan, examined.scanned
    measure = Measure(
        scan=scan,
        severity=scan.severity or defaults[0],
        confidence=scan.confidence or defaults[1],
        now=now,
        base=examined.base,
        renamed=examined.renamed,
        baseline=order.baseline,
        everything=order.everything,
    )
    assessed = assess(scanned.findings, measure)
    report = ScanReport(
        tool=scan.tool,
        version=version.split(" ", maxsplit=1)[0],
        scanned=scanned.files,
        what=scanned.what,
        base=order.base,
        findings=assessed.findings,
        unchanged=sum(judged.state is State.UNCHANGED for judged in assessed.findings),
        unscanned=scanned.unscanned,
        allowed_unscanned=scan.allow_unscanned or not scan.decides,
        notes=scanned.notes,
        used=assessed.used,
    )
    ends = [end for end in (scanned.holds_until, assessed.holds_until) if end is not None]
    if scanned.unscanned or any(judged.finding.rule == NOT_SCANNED for judged in assessed.findings):
        ends.append(0.0)  # every run says so
    return Judgement(report, min(ends, default=None))


def report_lines(report: ScanReport) -> list[str]:
    """A report for a job's log: a line for each finding that is new or blocks, in the form compilers use."""
    lines = [f"{report.tool} {report.version}".strip() + f": {report.what or f'{report.scanned} files'}"]
    lines += [f"not scanned: {reason}" for reason in report.unscanned]
    for judged in report.findings:
        if judged.state is State.UNCHANGED and not judged.blocks:
            continue
        finding = judged.finding
        place = ":".join(str(part) for part in (finding.path, finding.line, finding.column) if part)
        state = (judged.suppressed and "suppressed") or (finding.in_source and "silenced") or judged.state.value
        lines.append(f"{place}: {finding.severity.value}: {finding.rule} {finding.message} [{state}]")
    if report.unchanged:
        lines.append(f"not new: {report.unchanged}")
    return lines + [f"note: {note}" for note in report.notes]
