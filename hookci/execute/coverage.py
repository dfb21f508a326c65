"""The number that a job's ``coverage`` finds in its output."""

from __future__ import annotations

import re
from pathlib import Path

from hookci.model.expression import Regex
from hookci.model.patterns import pattern
from hookci.model.text import plain

__all__ = ["coverage_in", "read_coverage"]

_NUMBER = pattern(r"\d+(?:\.\d+)?")


def read_coverage(pattern: str, log: str) -> float | None:
    """What ``pattern`` finds in the job's log at the path ``log``; see `coverage_in`."""
    return coverage_in(pattern, Path(log).read_text(encoding="utf-8", errors="replace").splitlines())


def coverage_in(pattern: str, lines: list[str]) -> float | None:
    """The number in the last match of the last line that has one; of a match with groups, in the last group.

    Args:
        pattern: a regular expression of RE2's, without slashes around it.
        lines: the output.

    Source: GitLab CI/CD YAML reference, ``coverage``; of its code ``Gitlab::Ci::Trace::Stream#extract_coverage``.
    """
    try:
        compiled = Regex(pattern).compiled()
    except re.error:
        return None
    for line in reversed(lines):
        found = list(compiled.finditer(plain(line)))
        text = (found[-1].groups() or (found[-1][0],))[-1] if found else None
        number = _NUMBER.search(text) if text else None
        if number:
            return float(number[0])
    return None
