"""Git's patches, read: which lines each commit adds to a file and takes from it.

Source: git-diff(1), "Generating patch text with -p" and "Combined diff format".  Lines are told by the counts in the
heads of hunks, never by how they begin: an added line may look like any part of a patch.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CommitHead", "FilePatch", "Lines", "UnseenFile", "read_patches"]

_COMMIT = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HUNK = re.compile(rb"(@{2,}) ((?:-[0-9]+(?:,[0-9]+)? )+)\+([0-9]+)(?:,([0-9]+))? \1")
_OLD = re.compile(rb"-([0-9]+)(?:,([0-9]+))? ")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_COMBINED = (b"diff --cc ", b"diff --combined ")
_LARGEST = 1_000_000
"""Bytes of one file after which its lines are handed over in parts."""


class CommitHead(Struct, frozen=True):
    """What follows is of this commit."""

    name: str


class UnseenFile(Struct, frozen=True):
    """A binary file of which a merge has a version of its own; git does not show it."""

    path: str


class Lines(Struct):
    """Lines of a file with their numbers, without line ends."""

    numbers: list[int] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, number: int, text: bytes) -> None:
        """Add one line."""
        self.numbers.append(number)
        self.texts.append(text)
        self.size += len(text)


class FilePatch(Struct, frozen=True):
    """What is added to a file, numbered as it is then, and what is removed; of a merge, compared to all its parents.

    A long one comes in parts.
    """

    path: str
    added: Lines = field(default_factory=Lines)
    removed: Lines = field(default_factory=Lines)


def read_patches(pieces: Iterable[bytes]) -> Iterator[CommitHead | FilePatch | UnseenFile]:
    """What stands in the output of ``git diff-tree -p -U0``, in its order.

    Raises:
        GitError: it ends within a hunk.
    """
    lines = _lines(pieces)
    reader = _Reader()
    for line in lines:
        if line.startswith(b"@@"):
            for _ in reader.hunk(line, lines):
                yield from reader.take()
            continue
        if line.startswith(b"diff --") or _COMMIT.fullmatch(line):
            yield from reader.take()
        yield from reader.head(line)
    yield from reader.take()


class _Reader:
    """Where in a patch we are."""

    def __init__(self) -> None:
        self._path = ""
        self._file = FilePatch("")

    def take(self) -> Iterator[FilePatch]:
        """The lines of the file so far, if there are any; they are forgotten here."""
        if self._file.added.numbers or self._file.removed.numbers:
            yield self._file
        self._file = FilePatch(self._path)

    def head(self, line: bytes) -> Iterator[CommitHead | UnseenFile]:
        """A line outside of all hunks."""
        if _COMMIT.fullmatch(line):
            yield CommitHead(line.decode("ascii"))
        elif line.startswith(_COMBINED):
            self._name(line.split(b" ", 2)[2], 0)
        elif line.startswith((b"--- ", b"+++ ")):
            self._name(line[4:], 2)
        elif line == b"Binary files differ":
            yield UnseenFile(self._path)

    def hunk(self, head: bytes, lines: Iterator[bytes]) -> Iterator[None]:
        """Read a hunk; stops where its lines are better taken before there are too many."""
        found = _HUNK.match(head)
        if not found:
            raise GitError(f"git's patch has a hunk with an unknown head: {head[:40]!r}")
        ranges = [(int(first), int(count or 1)) for first, count in _OLD.findall(found[2])]
        left = [count for _first, count in ranges]
        old, new, to_come = ranges[0][0], int(found[3]), int(found[4] or 1)
        plus, minus, parents = b"+" * len(left), b"-" * len(left), len(left)
        while to_come or any(left):
            line = next(lines, None)
            if line is None:
                raise GitError("git's patch ends within a hunk")
            marks = line[:parents]
            if marks == plus:
                self._file.added.add(new, line[parents:])
                to_come, new = to_come - 1, new + 1
            elif marks == minus:
                self._file.removed.add(old, line[parents:])
                left, old = [count - 1 for count in left], old + 1
            elif not line.startswith(b"\\"):  # "\ No newline at end of file" is no line
                mark = b"-" if b"-" in marks else b" "
                left = [count - (marks[at : at + 1] == mark) for at, count in enumerate(left)]
                to_come, new = (to_come, new) if mark == b"-" else (to_come - 1, new + 1)
            if self._file.added.size + self._file.removed.size > _LARGEST:
                yield

    def _name(self, field_: bytes, prefix: int) -> None:
        name = _unquoted(field_)
        if prefix == 0 or name != b"/dev/null":
            self._path = os.fsdecode(name[prefix:])
            self._file = FilePatch(self._path)


def _unquoted(name: bytes) -> bytes:
    if not name.startswith(b'"'):
        return name.removesuffix(b"\t")  # git ends a name with spaces in it by a tab
    return _ESCAPE.sub(_unescaped, name[1 : name.rindex(b'"')])


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8)]) if len(code) == 3 else _ESCAPED.get(code, code)  # noqa: PLR2004 (three octal digits)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a text that comes in pieces, without line ends."""
    held: list[bytes] = []
    for piece in pieces:
        first, *rest = piece.split(b"\n")
        held.append(first)
        if rest:
            yield b"".join(held)
            yield from rest[:-1]
            held = [rest[-1]]
    last = b"".join(held)
    if last:
        yield last
