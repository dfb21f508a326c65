"""Scanning a tree and what it is compared with: each file once, whatever run or branch it comes up in again."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field, to_builtins
from msgspec.structs import replace

from hookci.model.finding import NOT_SCANNED, Finding, finding_from
from hookci.model.globs import matcher
from hookci.scan.veil import veiled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hookci.model.scan import Scan
    from hookci.scan.adapter import Desk, Scanned, Tree, TreeScanner

__all__ = ["Examined", "FindingMemory", "Trees", "examine_trees", "read_found", "write_found"]

_SCHEMA = "1"
_CHUNK = 1000
"""Files that are remembered together: what a cancelled scan has done is not done again."""


class FindingMemory(Protocol):
    """What is remembered of files: text by key."""

    def found(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The texts that are remembered under ``keys``."""

    def remember_found(self, rows: Mapping[str, str]) -> None:
        """Remember texts by their keys."""


class Trees(Struct, frozen=True, kw_only=True):
    """What is scanned, and what it is compared with.

    ``renamed`` has the names files have in ``head`` by those they have in ``base``; asked for only when something was
    found.  ``wanted`` says whether a path is to be looked at.
    """

    head: Tree
    base: Callable[[], Tree | None]
    renamed: Callable[[], Mapping[str, str]]
    wanted: Callable[[str], bool]


class Examined(Struct, frozen=True):
    """What was found now, what of the same files the base had, and the names those have now by the ones there."""

    scanned: Scanned
    base: tuple[Finding, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)


def examine_trees(scanner: TreeScanner, trees: Trees, scan: Scan, desk: Desk, memory: FindingMemory) -> Examined:
    """Scan the head, and of the base the files in which something was found."""
    look = _Look(scanner, scan, desk, memory, trees.wanted)
    scanned = look.at(trees.head, look.asked(trees.head))
    base = trees.base() if scanned.findings else None
    if base is None:
        return Examined(scanned)
    renamed = trees.renamed()
    before = {new: old for old, new in renamed.items()}
    paths = {finding.path for finding in scanned.findings}
    same = {path for path in paths if base.oids.get(path) == trees.head.oids.get(path) is not None}
    if not scanner.per_file and same != paths:
        return Examined(scanned, look.at(base, look.asked(base)).findings, renamed)
    old = [place for path in sorted(paths - same) if (place := before.get(path, path)) in base.oids]
    known = [finding for finding in scanned.findings if finding.path in same]
    if old:
        known += look.at(base, old).findings
    return Examined(scanned, tuple(known), renamed)


class _Look(Struct, frozen=True):
    scanner: TreeScanner
    scan: Scan
    desk: Desk
    memory: FindingMemory
    wanted: Callable[[str], bool]

    def asked(self, tree: Tree) -> list[str]:
        """The paths the scanner asks for, as far as they are wanted."""
        tests = [matcher(pattern) for pattern in self.scan.files]
        return [
            path
            for path in self.scanner.asks(tree)
            if self.wanted(path) and (not tests or any(test(path) for test in tests))
        ]

    def at(self, tree: Tree, paths: Sequence[str]) -> Scanned:
        if not self.scanner.per_file:
            return self._scanned(tree, paths)
        keys = self._keys(tree, paths)
        texts = self.memory.found(list(keys.values()))
        remembered = {key: found for key, text in texts.items() if (found := read_found(text)) is not None}
        missing = [path for path in paths if keys[path] not in remembered]
        answers = [self._new(tree, missing[start : start + _CHUNK], keys) for start in range(0, len(missing), _CHUNK)]
        # without files a scanner still says what there is to say of its rules
        answers = answers or [self._scanned(tree, ())]
        old = [finding for path in paths for finding in remembered.get(keys[path], ())]
        return replace(
            answers[0],
            findings=(*old, *(finding for answer in answers for finding in answer.findings)),
            files=sum(answer.files for answer in answers) + len(paths) - len(missing),
            unscanned=tuple(dict.fromkeys(reason for answer in answers for reason in answer.unscanned)),
            notes=tuple(dict.fromkeys(note for answer in answers for note in answer.notes)),
        )

    def _scanned(self, tree: Tree, paths: Sequence[str]) -> Scanned:
        answer = self.scanner.scan(tree, paths, self.scan, self.desk)
        return replace(answer, findings=veiled(answer.findings, self.desk.check))

    def _new(self, tree: Tree, paths: Sequence[str], keys: Mapping[str, str]) -> Scanned:
        answer = self._scanned(tree, paths)
        found: dict[str, list[Finding]] = {path: [] for path in paths}
        for finding in answer.findings:
            found[finding.path].append(finding)
        if not answer.unscanned:
            rows = {
                keys[path]: write_found(findings)
                for path, findings in found.items()
                if all(finding.rule != NOT_SCANNED for finding in findings)
            }
            self.memory.remember_found(rows)
        return answer

    def _keys(self, tree: Tree, paths: Sequence[str]) -> dict[str, str]:
        scanner = self.scanner
        about = json.dumps([_SCHEMA, scanner.name, scanner.version(), scanner.rules(tree, self.scan)])
        begun = hashlib.sha256(about.encode())
        keys = {}
        for path in paths:
            digest = begun.copy()
            digest.update(f"{tree.oids[path]}\0{path}".encode(errors="surrogateescape"))
            keys[path] = digest.hexdigest()
        return keys


def write_found(findings: Sequence[Finding]) -> str:
    """Findings as text, for `FindingMemory`."""
    return json.dumps([to_builtins(finding) for finding in findings])


def read_found(text: str) -> list[Finding] | None:
    """The findings that ``text`` holds; None when it is not what `write_found` wrote."""
    try:
        return [finding_from(fields) for fields in json.loads(text)]
    except (ValueError, TypeError, KeyError):
        return None
