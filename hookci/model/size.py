"""Sizes of files as people write and read them; a kilobyte is 1024 bytes, as in git's own settings."""

from __future__ import annotations

import re

from hookci.model.patterns import pattern

__all__ = ["parse_size", "size_text"]

_WHOLE = pattern(r"\s*([0-9]+)\s*(?:([KMGT])(?:iB)?|B)?\s*", re.IGNORECASE)
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse_size(text: str) -> int:
    """The bytes in ``text``, such as ``5GiB``, ``500m``, ``20 KiB`` or ``0``.

    Raises:
        ValueError: it is no size; the message says what is expected.
    """
    match = _WHOLE.fullmatch(text)
    if match is None:
        raise ValueError("expected a size such as `5GiB` or `500MiB`")
    return int(match[1]) * _UNITS.get((match[2] or "").upper(), 1)


def size_text(count: int) -> str:
    """``count`` bytes for a person to read: ``512 bytes``, ``3.4 MiB``, ``12 GiB``."""
    for name, unit in reversed(_UNITS.items()):
        if count >= unit:
            return f"{count / unit:.{int(count < 10 * unit)}f} {name}iB"
    return f"{count} byte{'s' * (count != 1)}"
