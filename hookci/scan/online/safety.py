"""Safety, by an account key or a mirror of its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.finding import Confidence, Severity
from hookci.scan.installed import installed_version
from hookci.scan.online.files import python_manifests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookci.model.scan import Scan
    from hookci.scan.adapter import Desk, Scanned, Tree

__all__ = ["SafetyScanner"]


class SafetyScanner:
    """Asks Safety about the versions that a tree pins.

    Args:
        servers: addresses of Safety's servers, by the variables that Safety reads them from.  A job's environment
            cannot set them: whoever answers there gets the account key, and says what is safe.
    """

    name = "safety"
    severity = Severity.LOW
    confidence = Confidence.LOW
    per_file = False

    def __init__(self, servers: Mapping[str, str] | None = None) -> None:
        self._servers = dict(servers or {})

    def version(self) -> str:
        """The version of the installed Safety; empty when there is none."""
        return installed_version("safety")

    def asks(self, tree: Tree) -> Sequence[str]:
        """The files that declare or lock Python packages."""
        return python_manifests(tree)

    def rules(self, tree: Tree, scan: Scan) -> str:  # noqa: ARG002 (the shape of all scanners)
        """The mirror, and when it is too old."""
        return f"{scan.db} stale after {scan.stale_after}"

    def scan(self, tree: Tree, paths: Sequence[str], scan: Scan, desk: Desk) -> Scanned:
        """Look up the versions that ``paths``, and the files they take in, pin."""
        from hookci.scan.online.asksafety import ask_safety  # noqa: PLC0415 (dear, and a remembered scan needs it not)

        return ask_safety(tree, paths, scan, desk, self._servers)
