"""The values of a report that nobody vouches for: what has another shape than expected is as if it were not there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["line", "number", "rows", "table", "text"]

_CHARACTERS = 2_000
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def table(value: object, *keys: str) -> Mapping[str, object]:
    """The object at ``keys`` inside ``value``; an empty one when there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def rows(value: object) -> Sequence[object]:
    """``value`` when it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def number(value: object) -> int:
    """``value`` when it is a whole number from 0 on that a line or an index can have, else -1."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31 else -1


def text(value: object, most: int = _CHARACTERS) -> str:
    """``value`` when it is text, at most ``most`` code points of it, without NUL and lone surrogates."""
    if not isinstance(value, str):
        return ""
    usable = _UNUSABLE.sub("\ufffd", value[: most + 1])
    return usable if len(usable) <= most else f"{usable[: most - 1]}\u2026"


def line(value: object, most: int = _CHARACTERS) -> str:
    """`text` on one line."""
    return " ".join(text(value, most).split())
