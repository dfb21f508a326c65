"""What all scans of one run share, and how what they found becomes the result of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.model.result import Outcome
from hookci.scan.scanners import Order
from hookci.scan.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hookci.execute.context import RunContext
    from hookci.git.patches import Patches
    from hookci.model.finding import ScanReport
    from hookci.model.pipeline import Job
    from hookci.model.result import JobResult
    from hookci.model.scan import Scan
    from hookci.scan.adapter import Tree
    from hookci.scan.scanners import Judgement
    from hookci.scan.trees import FindingMemory

__all__ = ["Comparison", "ScanContext", "judged"]


class Comparison(Struct, frozen=True, kw_only=True):
    """What a snapshot is compared with: a commit's tree, its files, what was renamed since.

    ``label`` is how a person calls it, ``oid`` the tree's object name.  ``context`` is the run's, on that commit's own
    tree: for jobs whose scanner has to be run on it.
    """

    label: str
    oid: str
    tree: Callable[[], Tree]
    renamed: Callable[[], Mapping[str, str]]
    context: Callable[[], RunContext]


class ScanContext(Struct, frozen=True, kw_only=True):
    """What all scans of one run share.

    ``key`` names what a job's own scanner finds in a tree (None: it is not to be remembered).  ``wanted`` says whether
    a path is to be looked at, ``clock`` tells unix seconds; the rest is as in `Desk` and `Order`.
    """

    memory: FindingMemory
    head: Callable[[], Tree]
    comparison: Comparison | None
    patches: Patches | None
    baseline: Callable[[], Mapping[str, int]]
    key: Callable[[Job, str], str | None]
    data: Path
    salt: bytes
    python: str
    processors: int
    clock: Callable[[], float]
    wanted: Callable[[str], bool] = lambda _path: True
    everything: bool = False

    def order(self, scan: Scan) -> Order:
        """What ``scan`` is asked, and what its findings are held against."""
        comparison = self.comparison
        return Order(
            scan=scan,
            trees=Trees(
                head=self.head(),
                base=comparison.tree if comparison else lambda: None,
                renamed=comparison.renamed if comparison else dict,
                wanted=self.wanted,
            ),
            patches=self.patches,
            base=comparison.label if comparison else "",
            baseline=self.baseline(),
            everything=self.everything,
        )


def judged(result: JobResult, judgement: Judgement) -> JobResult:
    """``result`` with the outcome that the findings give it."""
    report = judgement.report
    outcome = Outcome.PASSED if report.is_green else Outcome.FAILED
    reason = _why(report)
    return replace(result, outcome=outcome, reason=reason, scan=report, holds_until=judgement.holds_until, hints=())


def _why(report: ScanReport) -> str:
    """Why a scan is red; empty when it is green."""
    if report.is_green:
        return ""
    parts = []
    if report.unscanned and not report.allowed_unscanned:
        parts.append("not scanned")
    new = [one for one in report.blocking if not one.is_unscanned]
    files = len(report.blocking) - len(new)
    if new:
        parts.append(f"{len(new)} finding{'s' if len(new) > 1 else ''}")
    if files:
        parts.append(f"{files} file{'s' if files > 1 else ''} not scanned")
    return ", ".join(parts)
