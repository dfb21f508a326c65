"""Who brought a secret: of a push, which secrets were added by it, and which were in the files before."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hookci.model.finding import Finding

__all__ = ["Ledger"]


class Ledger:
    """Keeps account of the findings in added and removed lines, commit by commit, the oldest first."""

    def __init__(self) -> None:
        self._added: list[Finding] = []
        self._removed: list[Finding] = []
        self._ours: Counter[tuple[str, str]] = Counter()
        self._before: set[tuple[str, str]] = set()
        self._newest: dict[tuple[str, str], Finding] = {}

    def add(self, findings: Sequence[Finding]) -> None:
        """Findings in lines that the commit at hand adds."""
        self._added += findings

    def remove(self, findings: Sequence[Finding]) -> None:
        """Findings in lines that the commit at hand removes."""
        self._removed += findings

    def settle(self) -> None:
        """The commit is over: what it removed and did not come from an earlier one was there before."""
        for finding in self._removed:
            key = _key(finding)
            if self._ours[key]:
                self._ours[key] -= 1
            else:
                self._before.add(key)
        for finding in self._added:
            self._ours[_key(finding)] += 1
            self._newest[_key(finding)] = finding
        self._added, self._removed = [], []

    def new(self) -> Iterator[tuple[str, list[Finding]]]:
        """What was added, by path: of each secret in a file the newest."""
        by_path: dict[str, list[Finding]] = {}
        for (path, _code), finding in self._newest.items():
            by_path.setdefault(path, []).append(finding)
        yield from by_path.items()

    def was_there(self, finding: Finding) -> bool:
        """Whether its file had the secret before all commits."""
        return _key(finding) in self._before


def _key(finding: Finding) -> tuple[str, str]:
    return finding.path, finding.code
