"""``# nosec``: which lines it silences for which rules, told from the comments of a file.

Bandit takes an unknown id, and words, for a comment that silences everything; here they silence nothing.
Source: bandit.core.manager, ``NOSEC_COMMENT``, and bandit.core.tester, which lines count for a finding.
"""

from __future__ import annotations

import io
import re
import tokenize
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Nosec", "is_silenced", "nosec_comments"]

_COMMENT = re.compile(r"#\s*nosec\b:?(?P<rules>[^#]*)")
_WORD = re.compile(r"\w+")
_ID = re.compile(r"B\d+", re.IGNORECASE)
_SIGN = "nosec"


class Nosec(Struct, frozen=True):
    """One comment: the ids of the ``rules`` it silences, or all of them, and what in it means nothing."""

    rules: frozenset[str] = frozenset()
    silences_all: bool = False
    unknown: tuple[str, ...] = ()

    def covers(self, rule: str) -> bool:
        """Whether it silences the rule with this id."""
        return self.silences_all or rule in self.rules


def nosec_comments(contents: bytes, names: Mapping[str, str]) -> dict[int, Nosec]:
    """The comments of a Python file by their lines, from 1.

    Args:
        contents: the file; what cannot be read as Python has no comments.
        names: bandit's ids by the names of its rules.
    """
    if _SIGN.encode() not in contents:
        return {}
    found = {}
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(contents).readline)
        text = contents.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (match := _COMMENT.search(token.string)):
                found[token.start[0]] = _read(match["rules"], names)
    except (SyntaxError, tokenize.TokenError, UnicodeDecodeError):
        return found
    return found


def _read(rules: str, names: Mapping[str, str]) -> Nosec:
    words = _WORD.findall(rules)
    if not rules.strip():
        return Nosec(silences_all=True)
    ids = set(names.values())
    known = {names.get(word, word) for word in words} & ids
    # beside a rule, words are the reason
    unknown = [word for word in words if names.get(word, word) not in ids and (not known or _ID.fullmatch(word))]
    return Nosec(frozenset(known), unknown=tuple(unknown) or (() if known else (rules.strip(),)))


def is_silenced(rule: str, lines: Sequence[int], comments: Mapping[int, Nosec]) -> bool:
    """Whether a comment between the first and the last of ``lines`` silences the rule."""
    first, last = lines
    return any(first <= line <= last and comment.covers(rule) for line, comment in comments.items())
