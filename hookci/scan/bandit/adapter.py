"""Bandit as a scanner: what it is asked, and what its answers depend on."""

from __future__ import annotations

import json
import re
import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from hookci.model.finding import Confidence, Severity
from hookci.scan.adapter import Scanned
from hookci.scan.bandit.findings import File, not_scanned
from hookci.scan.bandit.narrowing import WHERE, narrowing_of
from hookci.scan.installed import installed_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.model.scan import Scan
    from hookci.scan.adapter import Desk, Tree

__all__ = ["BanditScanner"]

_SCHEMA = 1
"""To be counted up whenever the same file may give other findings than before."""
_SUFFIXES = (".py", ".pyw")
_SHEBANG = re.compile(
    rb"#![ \t]*(?:\S*/)?(?:env[ \t]+(?:-\S+[ \t]+|\w+=\S*[ \t]+)*)?(?:\S*/)?(?:python[\d.]*(?=\s)|uv[ \t]+run\s)"
)


class BanditScanner:
    """Looks for known weaknesses in Python source, file by file."""

    name = "bandit"
    per_file = True
    severity = Severity.MEDIUM
    confidence = Confidence.MEDIUM

    def version(self) -> str:
        """Bandit's version and Python's, whose parser it uses; empty when bandit is not there."""
        version = installed_version(self.name)
        python = ".".join(map(str, sys.version_info[:3]))
        return version and f"{version} {sys.implementation.name} {python}"

    def asks(self, tree: Tree) -> Sequence[str]:
        """Python files by their names, and programs without a suffix by their first lines."""
        named = {path for path in tree.oids if path.endswith(_SUFFIXES)}
        programs = [path for path in tree.executable if not PurePosixPath(path).suffix]
        scripts = {path for path, text in tree.contents(programs).items() if _SHEBANG.match(text)}
        return sorted(named | scripts)

    def rules(self, tree: Tree, scan: Scan) -> str:  # noqa: ARG002 (the shape of all scanners)
        """The rules that the project names, and the version of this adapter."""
        narrowing = narrowing_of(tree)
        return json.dumps([_SCHEMA, narrowing.tests, narrowing.skips])

    def scan(self, tree: Tree, paths: Sequence[str], scan: Scan, desk: Desk) -> Scanned:  # noqa: ARG002 (as above)
        """Look at ``paths``; nothing of the tree but their contents gets near bandit.

        Raises:
            ScanStoppedError: from ``desk.check``.
            HookciError: bandit cannot be started.
        """
        narrowing = narrowing_of(tree)
        contents = tree.contents(paths)
        missing = [not_scanned(path, "the file is not there", "") for path in paths if path not in contents]
        if not contents:
            return Scanned(findings=tuple(missing), notes=narrowing.notes)
        from hookci.scan.bandit.processes import look_at  # noqa: PLC0415 (most runs remember all files)

        looked = look_at(contents, narrowing, desk)
        findings, notes = missing, [f"{WHERE} {note}" for note in looked.notes]
        for path in sorted(contents):
            file = File(path, tree.oids[path], contents[path], looked.names)
            findings += file.findings(looked.rows[path])
            notes += file.notes()
        scanned = sum("failed" not in row for row in looked.rows.values())
        return Scanned(findings=tuple(findings), files=scanned, notes=(*narrowing.notes, *notes))
