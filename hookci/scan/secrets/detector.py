"""From a text to the secrets in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.scan.secrets.assignments import assignment_hits
from hookci.scan.secrets.decode import decoded_hits
from hookci.scan.secrets.hits import Hit, without_overlaps
from hookci.scan.secrets.keys import key_hits
from hookci.scan.secrets.patterns import provider_hits
from hookci.scan.secrets.urls import url_hits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["SCHEMA", "find_secrets", "readable"]

SCHEMA = "1"
"""Of the rules: to be raised with any change in what is found."""

_WINDOW = 1_000_000
_OVERLAP = 40_000
"""Bytes; half of it is more than the longest secret, which so stands whole in one of two windows."""


def readable(text: bytes) -> bytes:
    """``text`` with its lines as they are read.

    UTF-16 is without its NULs; any other line with a NUL is no text, and empty.  All others are as they are, in
    whatever file: one NUL somewhere hides nothing.
    """
    return b"\n".join(map(_read, text.split(b"\n"))) if b"\0" in text else text


def find_secrets(text: bytes, path: str, check: Callable[[], None]) -> list[Hit]:
    """The secrets in ``text``, in its order; none overlap.

    Args:
        text: a file's content, or lines of it, as `readable` makes it.
        path: the file's path.
        check: is called between pieces of a long text.
    """
    found: list[Hit] = []
    for start, end in _windows(len(text)):
        check()
        first = start + (_OVERLAP // 2 if start else 0)
        last = end - (_OVERLAP // 2 if end < len(text) else 0)
        found += [
            hit if start == 0 else replace(hit, start=hit.start + start, end=hit.end + start)
            for hit in _hits(text[start:end], path)
            if first <= hit.start + start < last
        ]
    return found


def _hits(text: bytes, path: str) -> list[Hit]:
    known = [*key_hits(text), *provider_hits(text), *url_hits(text, path), *decoded_hits(text)]
    return without_overlaps([*known, *assignment_hits(text, path)])


def _windows(size: int) -> Iterator[tuple[int, int]]:
    """Overlapping parts that cover ``size`` bytes."""
    start = 0
    while start + _WINDOW < size:
        yield start, start + _WINDOW
        start += _WINDOW - _OVERLAP
    yield start, size


def _read(line: bytes) -> bytes:
    nulls = line.count(0)
    if not nulls:
        return line
    return line.replace(b"\0", b"") if abs(2 * nulls - len(line)) <= 2 else b""  # noqa: PLR2004 (half a line end, a mark)
