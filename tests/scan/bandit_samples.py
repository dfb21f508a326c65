"""Scans by bandit of trees that are held in memory, and pieces of Python it has something to say about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from desk_samples import DeskChanges, desk, tree

from hookci.model.finding import NOT_SCANNED, Finding
from hookci.model.scan import Scan
from hookci.scan.bandit.adapter import BanditScanner

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hookci.scan.adapter import Scanned

__all__ = ["SHELL", "SLOW", "findings_of", "places", "scan_files", "unscanned"]

SHELL = "import subprocess\nsubprocess.call(cmd, shell=True)\n"
"""Findings: B404 in line 1, B602 in line 2."""

SLOW = "names = [\n" + "'name',\n" * 400_000 + "]\n"
"""Takes bandit some seconds."""


def scan_files(
    tmp_path: Path,
    files: Mapping[str, str | bytes],
    *,
    executable: Iterable[str] = (),
    **changes: Unpack[DeskChanges],
) -> Scanned:
    """What bandit answers about all files it asks for."""
    scanner, whole = BanditScanner(), tree(files, executable)
    return scanner.scan(whole, scanner.asks(whole), Scan(tool="bandit"), desk(tmp_path, **changes))


def findings_of(tmp_path: Path, source: str | bytes, path: str = "app.py") -> list[Finding]:
    """The findings in one file."""
    return list(scan_files(tmp_path, {path: source}).findings)


def places(scanned: Scanned) -> set[tuple[str, str, int]]:
    """Path, rule and line of each finding that is not silenced."""
    return {(finding.path, finding.rule, finding.line) for finding in scanned.findings if not finding.in_source}


def unscanned(scanned: Scanned) -> dict[str, Finding]:
    """The findings that say that a file was not looked at, by path."""
    return {finding.path: finding for finding in scanned.findings if finding.rule == NOT_SCANNED}
