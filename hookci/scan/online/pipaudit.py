"""pip-audit, by OSV or another vulnerability service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.finding import Confidence, Severity
from hookci.scan.installed import installed_version
from hookci.scan.online.files import python_manifests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.model.scan import Scan
    from hookci.scan.adapter import Desk, Scanned, Tree

__all__ = ["PipAuditScanner"]


class PipAuditScanner:
    """Asks pip-audit about what a tree declares or locks.

    The service is OSV, or what the variables ``PIP_AUDIT_VULNERABILITY_SERVICE`` and ``PIP_AUDIT_OSV_URL`` name.
    """

    name = "pip-audit"
    severity = Severity.LOW
    confidence = Confidence.LOW
    per_file = False

    def version(self) -> str:
        """The version of the installed pip-audit; empty when there is none."""
        return installed_version("pip_audit")

    def asks(self, tree: Tree) -> Sequence[str]:
        """The files that declare or lock Python packages."""
        return python_manifests(tree)

    def rules(self, tree: Tree, scan: Scan) -> str:  # noqa: ARG002 (the shape of all scanners)
        """Nothing: the files are all there is."""
        return ""

    def scan(self, tree: Tree, paths: Sequence[str], scan: Scan, desk: Desk) -> Scanned:  # noqa: ARG002 (the same)
        """Look up what ``paths``, and the files they take in, ask for."""
        from hookci.scan.online.askpipaudit import ask_pip_audit  # noqa: PLC0415 (dear, and seldom needed)

        return ask_pip_audit(tree, paths, desk)
