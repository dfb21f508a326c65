"""What makes two findings the same one: tool, rule, path and the matched code, without white space and comments.

A line inserted above, a call formatted over more lines, a comment beside it change nothing.  Findings with one
identity are a multiset: two in the base and three now is one new finding.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

    from hookci.model.finding import Finding

__all__ = ["fingerprint", "normalized"]

_VERSION = "1"
_LAST_COMMA = re.compile(r",(?=[)\]}])")
_LARGEST = 20_000


def fingerprint(finding: Finding, path: str | None = None) -> str:
    """The identity of ``finding`` in 64 hex digits; ``path`` is the file's name after a rename."""
    place = finding.path if path is None else path
    parts = [_VERSION, finding.tool, finding.rule, place, normalized(finding.code, place)]
    text = json.dumps(parts, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@functools.lru_cache(maxsize=65_536)
def normalized(code: str, path: str) -> str:
    """``code`` without white space and comments, as the language that ``path`` is in has them."""
    lexer = _lexer(path.rpartition("/")[2]) if len(code) < _LARGEST and not code.isalnum() else None
    if lexer is None:
        return "".join(code.split())
    pieces = (text for kind, text in lexer.get_tokens(code) if not _is_left_out(kind) and text.strip())
    # formatters end a list over several lines with a comma
    return _LAST_COMMA.sub("", "".join(pieces))


def _is_left_out(kind: _TokenType) -> bool:
    from pygments.token import Comment, Whitespace  # noqa: PLC0415 (as below)

    return kind in Comment or kind in Whitespace  # type: ignore[comparison-overlap]  # a kind "holds" its sub-kinds


@functools.lru_cache(maxsize=1024)
def _lexer(name: str) -> Lexer | None:
    from pygments.lexers import get_lexer_for_filename  # noqa: PLC0415 (dear, and most files have no findings)
    from pygments.util import ClassNotFound  # noqa: PLC0415

    try:
        return get_lexer_for_filename(name)
    except ClassNotFound:
        return None
