"""The secrets detector as a scanner: of a whole tree, and of what a commit or push adds."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

from hookci import __version__
from hookci.model.finding import Confidence, Severity
from hookci.model.globs import matcher
from hookci.scan.adapter import Scanned
from hookci.scan.secrets.detector import SCHEMA, find_secrets, readable
from hookci.scan.secrets.findings import TOOL, Passage, findings_in
from hookci.scan.secrets.hashing import SecretNames
from hookci.scan.secrets.ledger import Ledger
from hookci.scan.secrets.patch import CommitHead, FilePatch, read_patches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hookci.git.patches import Patches
    from hookci.model.finding import Finding
    from hookci.model.scan import Scan
    from hookci.scan.adapter import Desk, Tree
    from hookci.scan.secrets.patch import Lines

__all__ = ["SecretScanner", "scan_patches"]

_BATCH = 100


class SecretScanner:
    """Looks for secrets in every file."""

    name = TOOL
    severity = Severity.LOW
    confidence = Confidence.LOW
    per_file = True

    def version(self) -> str:
        """The version of hookci and of the rules."""
        return f"{__version__} rules {SCHEMA}"

    def asks(self, tree: Tree) -> Sequence[str]:
        """Every file: which lines of one are text is seen by looking at it."""
        return sorted(tree.oids)

    def rules(self, _tree: Tree, scan: Scan) -> str:
        """The hashes that are suppressed: a finding is named by them."""
        return " ".join(sorted(_suppressed(scan)))

    def scan(self, tree: Tree, paths: Sequence[str], scan: Scan, desk: Desk) -> Scanned:
        """Look at ``paths``; a secret is told once for each file that has it."""
        names = SecretNames(desk.salt, _suppressed(scan))
        found: list[Finding] = []
        for start in range(0, len(paths), _BATCH):
            for path, content in tree.contents(paths[start : start + _BATCH]).items():
                desk.check()
                found += _findings(Passage(path, readable(content)), names, desk.check).values()
        return Scanned(findings=tuple(found), files=len(paths))


def scan_patches(patches: Patches, scan: Scan, desk: Desk) -> tuple[Scanned, tuple[Finding, ...]]:
    """Look for secrets in the lines that each commit adds, also in those that a later one removes again.

    Returns:
        The findings, one for each secret in a file, on the line that has it in the end; ``commit`` is set for those
        whose file no longer has it.  And those of them that were in removed lines before they were in added ones:
        to re-indent a line, or to move it within its file, brings nothing new.

    Raises:
        ScanStoppedError: the job was cancelled, or its time is over.
        GitError: git could not make the patches.
    """
    names = SecretNames(desk.salt, _suppressed(scan))
    reading = _Reading(patches, _wanted(patches, scan), names, desk.check)
    found, known = reading.result()
    commits = f"{reading.commits} commit{'s' if reading.commits != 1 else ''}, " if reading.commits else ""
    what = f"{commits}{reading.lines} added line{'s' if reading.lines != 1 else ''}"
    notes = tuple(f"{path} is binary, and what only a merge put into it was not looked at" for path in reading.unseen)
    return Scanned(findings=tuple(found), files=len(reading.files), what=what, notes=notes), tuple(known)


def _suppressed(scan: Scan) -> tuple[str, ...]:
    return tuple(suppression.secret for suppression in scan.suppressions if suppression.secret)


def _wanted(patches: Patches, scan: Scan) -> Callable[[str], bool]:
    tests = [matcher(pattern) for pattern in scan.files]
    return functools.cache(lambda path: patches.paths(path) and (not tests or any(test(path) for test in tests)))


def _findings(passage: Passage, names: SecretNames, check: Callable[[], None], commit: str = "") -> dict[str, Finding]:
    """The findings in ``passage`` by their code, of each secret the first one."""
    hits = find_secrets(passage.text, passage.path, check)
    found: dict[str, Finding] = {}
    for finding in findings_in(passage, hits, names, commit):
        found.setdefault(finding.code, finding)
    return found


class _Reading:
    """Reads patches to their end, and counts on the way."""

    def __init__(
        self, patches: Patches, wanted: Callable[[str], bool], names: SecretNames, check: Callable[[], None]
    ) -> None:
        self._patches = patches
        self._wanted = wanted
        self._names = names
        self._check = check
        self._commit = ""
        self.commits = 0
        self.lines = 0
        self.files: set[str] = set()
        self.unseen: dict[str, None] = {}

    def result(self) -> tuple[list[Finding], list[Finding]]:
        ledger = Ledger()
        with contextlib.closing(self._patches.patches()) as pieces:
            for part in read_patches(pieces):
                self._check()
                if isinstance(part, CommitHead):
                    ledger.settle()
                    self._commit = part.name
                    self.commits += 1
                elif not self._wanted(part.path):
                    continue
                elif isinstance(part, FilePatch):
                    self._look(part, ledger)
                else:
                    self.unseen[part.path] = None
        ledger.settle()
        found = [finding for path, findings in ledger.new() for finding in self._as_it_is_now(path, findings)]
        return found, [finding for finding in found if ledger.was_there(finding)]

    def _look(self, part: FilePatch, ledger: Ledger) -> None:
        if part.added.numbers:
            self.files.add(part.path)
            self.lines += len(part.added.numbers)
        ledger.add(self._in_lines(part.path, part.added))
        ledger.remove(self._in_lines(part.path, part.removed))

    def _in_lines(self, path: str, lines: Lines) -> list[Finding]:
        if not lines.numbers:
            return []
        passage = Passage(path, readable(b"\n".join(lines.texts)), lines.numbers)
        hits = find_secrets(passage.text, path, self._check)
        return list(findings_in(passage, hits, self._names, self._commit))

    def _as_it_is_now(self, path: str, findings: Sequence[Finding]) -> Iterator[Finding]:
        content = self._patches.content(path)
        now = {} if content is None else _findings(Passage(path, readable(content)), self._names, self._check)
        for finding in findings:
            yield now.get(finding.code, finding)
