"""Reading the test reports that a job has written: JUnit's XML, as every test tool writes it.

A report is made by whatever the job ran, so nothing in it is trusted: it is read in pieces, up to a size, without
document types (with which entities begin), and what it says passes the mask.  It never decides about a job.

Source: the format as pytest, Surefire, Gradle, Jest, node and gotestsum write it; there is no standard.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.model.testreport import FailedTest, ReportedTests
from hookci.model.text import clean, plain
from hookci.workspace.copy import expand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Reports"]

_LARGEST = 64 * 1024 * 1024
"""Bytes, of all reports of one job."""
_PIECE = 65_536
_NAMED = 50
_LONGEST = 300
_KEPT_TEXT = 4096
_ROOTS = frozenset({"testsuites", "testsuite"})
_FAILED = frozenset({"failure", "error"})
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class _UnreadableError(Exception):
    """A report that says nothing; the text says why."""


class Reports:
    """The reports of one attempt of a job: make it before the script starts, `read` it when the script is over.

    Args:
        workspace: where the job runs.
        patterns: globs below it.
        top: what the job calls that place, if not the same.
    """

    def __init__(self, workspace: bytes, patterns: Sequence[str], top: bytes | None = None) -> None:
        self._workspace = Path(os.fsdecode(workspace))
        self._top = os.fsdecode(top or workspace)
        self._patterns = patterns
        self._room = _LARGEST
        self._before = {path: self._stamp(path) for path in self._found()}

    def read(self, mask: Callable[[str], str], say: Callable[[str], None]) -> ReportedTests | None:
        """What the reports say; None when there is none that can be read.

        Args:
            mask: takes secrets out of a line.
            say: gets a line for the job's log about every report that cannot be read.
        """
        if not self._patterns:
            return None
        found = self._found()
        if not found:
            say(f"hookci: no test report matches {', '.join(f'`{pattern}`' for pattern in self._patterns)}")
        cases = _Cases()
        read = [path for path in found if self._read_one(path, cases, say)]
        if not read:
            return None
        failing = tuple(
            FailedTest(_line(self._name(case), mask), _line(case.says, mask)) for case in cases.failing[:_NAMED]
        )
        return ReportedTests(total=cases.total, failed=cases.failed, skipped=cases.skipped, failing=failing)

    def _found(self) -> list[str]:
        try:
            return sorted(map(os.fsdecode, expand(os.fsencode(self._workspace), self._patterns)))
        except OSError:  # a directory that the job made unreadable
            return []

    def _stamp(self, path: str) -> tuple[int, int, int] | None:
        """Changes with every write to a file, however fast (ctime cannot be set)."""
        try:
            info = (self._workspace / path).lstat()
        except OSError:
            return None
        return info.st_ino, info.st_size, info.st_ctime_ns

    def _read_one(self, path: str, cases: _Cases, say: Callable[[str], None]) -> bool:
        if self._before.get(path, ()) == self._stamp(path):
            say(f"hookci: test report `{path}` was there before the job and is not read")
            return False
        try:
            cases.take(self._parse(path))
        except (_UnreadableError, OSError, SyntaxError, ValueError, LookupError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            say(f"hookci: test report `{path}` is not read: {why}")
            return False
        return True

    def _parse(self, path: str) -> _Cases:
        import xml.etree.ElementTree as ET  # noqa: PLC0415 (few jobs write reports)

        descriptor = os.open(self._workspace / path, _OPEN)
        with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor has no Path)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _UnreadableError("it is not a regular file")
            cases = _Cases()
            parser = ET.XMLParser(target=cases)  # noqa: S314 (no document types: `_Cases.doctype`)  # nosec B314
            while piece := file.read(_PIECE):
                self._room -= len(piece)
                if self._room < 0:
                    raise _UnreadableError(f"the reports of this job have more than {_LARGEST >> 20} MiB")
                parser.feed(piece)
            parser.close()
        return cases

    def _name(self, case: _Case) -> str:
        """A test as its tool calls it: ``tests/test_a.py::TestA::test_x`` for pytest, else ``group::name``."""
        group, file = case.group, case.file.removeprefix(f"{self._top}/") or self._module(case.group)
        if not file:
            return f"{group}::{case.name}" if group and not case.name.startswith(group) else case.name
        module = file.removesuffix(".py").replace("/", ".")
        classes = group.removeprefix(f"{module}.").split(".") if group.startswith(f"{module}.") else []
        return "::".join([file, *classes, case.name])

    def _module(self, group: str) -> str:
        """The Python file that a dotted name begins with, empty if there is none."""
        parts = group[:_LONGEST].split(".")
        files = ("/".join(parts[:length]) + ".py" for length in range(len(parts), 0, -1))
        try:
            return next((file for file in files if (self._workspace / file).is_file()), "")
        except OSError:  # no file has such a name
            return ""


def _line(text: str, mask: Callable[[str], str]) -> str:
    """``text`` in one line, masked as output is: line by line, before anything is moved."""
    masked = [mask(clean(line)) for line in text[:_KEPT_TEXT].splitlines()]
    shown = " ".join(plain(" ".join(masked)).split())
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]} ..."


class _Case(Struct):
    """A ``testcase``: its ``classname``, and the first failure or error in it."""

    name: str
    group: str
    file: str
    failed: bool = False
    skipped: bool = False
    message: str = ""
    kind: str = ""
    text: str = ""

    @property
    def says(self) -> str:
        """The message, or the first line of the text that the tool wrote instead."""
        return self.message.strip() or next((line for line in self.text.splitlines() if line.strip()), self.kind)


class _Cases(Struct):
    """Counts test cases while a parser reads them: the ``target`` of an `xml.etree.ElementTree.XMLParser`."""

    total: int = 0
    failed: int = 0
    skipped: int = 0
    failing: list[_Case] = field(default_factory=list)
    _root: str = ""
    _case: _Case | None = None
    _is_telling: bool = False

    def take(self, other: _Cases) -> None:
        """Add what another report says."""
        self.total += other.total
        self.failed += other.failed
        self.skipped += other.skipped
        self.failing += other.failing

    def doctype(self, *_: object) -> None:
        """Refuse it: entities are declared there, and no tool needs one."""
        raise _UnreadableError("it has a document type")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        tag = tag.rpartition("}")[2]
        self._root = self._root or tag
        if self._root not in _ROOTS:
            raise _UnreadableError(f"it is no JUnit report: it begins with <{tag[:40]}>")
        if tag == "testcase":
            name, group, file = (attributes.get(key, "") for key in ("name", "classname", "file"))
            self._case = _Case(name, group, file)
        elif self._case is not None:
            self._inside(self._case, tag, attributes)

    def _inside(self, case: _Case, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "skipped":
            case.skipped = True
        elif tag in _FAILED and not case.failed:
            case.failed = self._is_telling = True
            case.message, case.kind = attributes.get("message", ""), attributes.get("type", "")

    def data(self, text: str) -> None:
        """Text between elements."""
        if self._is_telling and self._case is not None and len(self._case.text) < _KEPT_TEXT:
            self._case.text += text[:_KEPT_TEXT]

    def end(self, tag: str) -> None:
        """An element ends."""
        tag = tag.rpartition("}")[2]
        if tag in _FAILED:
            self._is_telling = False
        if tag != "testcase" or self._case is None:
            return
        case, self._case = self._case, None
        self.total += 1
        self.failed += case.failed
        self.skipped += case.skipped and not case.failed
        if case.failed and len(self.failing) < _NAMED:
            self.failing.append(case)

    def close(self) -> None:
        """The report is over."""
