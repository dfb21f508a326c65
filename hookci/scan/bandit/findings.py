"""Bandit's words in ours: of a row that its process wrote for a file, findings."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from hookci.model.finding import NOT_SCANNED, Confidence, Finding, Severity
from hookci.scan.bandit.nosec import is_silenced, nosec_comments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["File", "is_test_file", "not_scanned"]

_TOOL = "bandit"
_TEST_DIRECTORIES = frozenset({"tests", "test"})
_TEST_NAME = re.compile(r"test_.*\.pyw?|.*_test\.pyw?|conftest\.py")
_NOT_IN_TESTS = frozenset({"B101", "B105", "B106", "B107", "B108", "B311"})
"""Asserts, passwords, files in /tmp and chance: what tests are made of."""
_PASSWORDS = frozenset({"B105", "B106", "B107"})


def is_test_file(path: str) -> bool:
    """Whether a file is a test or belongs to tests, by its path in the tree."""
    pure = PurePosixPath(path)
    return bool(_TEST_NAME.fullmatch(pure.name)) or not _TEST_DIRECTORIES.isdisjoint(pure.parts[:-1])


def not_scanned(path: str, reason: str, code: str, line: int = 0) -> Finding:
    """The finding that says that bandit could not look at a file, or at a place in it."""
    return Finding(
        tool=_TOOL,
        rule=NOT_SCANNED,
        message=reason,
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        path=path,
        line=line,
        code=code,
    )


class File(Struct, frozen=True):
    """One file that was asked for: its object name and contents, and bandit's rule ids by their names."""

    path: str
    oid: str
    contents: bytes
    names: Mapping[str, str]

    def findings(self, row: Mapping[str, Any]) -> Iterator[Finding]:
        """What ``row`` says (see `hookci.scan.bandit.worker`)."""
        if "failed" in row:
            yield not_scanned(self.path, row["failed"], self.oid, row["line"])
            return
        left_out = _NOT_IN_TESTS if is_test_file(self.path) else frozenset()
        for crash in row.get("crashed", ()):
            if self.names.get(crash["name"]) not in left_out:
                reason = f"rule {crash['name']} crashed here: {crash['message']}"
                yield not_scanned(self.path, reason, f"{crash['name']}: {crash['code']}", crash["line"])
        found = [result for result in row["findings"] if result["rule"] not in left_out]
        comments = nosec_comments(self.contents, self.names) if found else {}
        rules = {rule: name for name, rule in self.names.items()}
        for result in found:
            silenced = is_silenced(result["rule"], result["covering"], comments)
            # bandit has one name for all its rules that go by a list of names
            name = rules[result["rule"]] if result["name"] == "blacklist" else result["name"]
            yield self._finding(result, name, in_source=silenced)

    def _finding(self, result: Mapping[str, Any], name: str, *, in_source: bool) -> Finding:
        return Finding(
            tool=_TOOL,
            rule=result["rule"],
            name=name,
            message=_told(result["rule"], result["message"]),
            severity=Severity(_ranked(result["severity"])),
            confidence=Confidence(_ranked(result["confidence"])),
            path=self.path,
            line=result["line"],
            column=result["column"],
            end_line=result["end_line"],
            end_column=result["end_column"],
            text=result["text"],
            code=result["code"],
            help_uri=result["url"],
            aliases=(f"CWE-{result['cwe']}",) if result["cwe"] else (),
            in_source=in_source,
        )

    def notes(self) -> Iterator[str]:
        """Comments that silence nothing although they are meant to."""
        for line, comment in nosec_comments(self.contents, self.names).items():
            if comment.unknown:
                yield f"{self.path}:{line}: `# nosec {' '.join(comment.unknown)}` names no rule of bandit"


def _told(rule: str, message: str) -> str:
    """Bandit's message, without the password that it shows."""
    return message.partition(":")[0] if rule in _PASSWORDS else message


def _ranked(word: str) -> str:
    """Bandit's ``UNDEFINED`` is the least there is."""
    return "low" if word == "UNDEFINED" else word.lower()
