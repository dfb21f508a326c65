"""The text of a file, and the places in it."""

from __future__ import annotations

import bisect
import codecs
import re
from typing import NamedTuple

__all__ = ["NOWHERE", "Place", "Text", "UnreadableError", "decoded"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as the next one does
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LONGEST_LINE = 400


class UnreadableError(Exception):
    """A file, or a part of one, is not what its name says.

    Args:
        message: what is wrong; lower case, no full stop.
        line: where, from 1 on; 0 is unknown.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class Place(NamedTuple):
    """A line by its number from 1 on, and what is in it."""

    line: int
    text: str


NOWHERE = Place(0, "")


def decoded(data: bytes) -> str:
    """``data`` as text: what a byte order mark says, else UTF-8, else Latin-1 (names and versions are ASCII)."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


class Text:
    """A text with its lines; lines end where editors end them, at line feeds."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def at(self, offset: int) -> Place:
        """The place of a character."""
        return self.line(bisect.bisect_right(self._starts, offset))

    def line(self, number: int) -> Place:
        """The place that line is; the text of a very long one (a lock without line breaks) is left out."""
        if not 1 <= number <= len(self._starts):
            return Place(number, "")
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return Place(number, self.text[start:end].strip("\r\n") if end - start < _LONGEST_LINE else "")
