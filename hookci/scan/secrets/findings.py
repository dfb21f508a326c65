"""From a hit to a finding, in which the secret itself is nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hookci.scan.secrets.hashing import SecretNames
    from hookci.scan.secrets.hits import Hit

__all__ = ["TOOL", "Passage", "findings_in"]

TOOL = "secrets"
_MASK = b"****"
_MOST_SHOWN = 4
_WIDEST = 200
"""Characters of a line that are shown."""


class Passage(Struct, frozen=True):
    """A file or lines of it: ``numbers`` are those of its lines."""

    path: str
    text: bytes
    numbers: Sequence[int] = range(1, 2**31)


def findings_in(passage: Passage, hits: Sequence[Hit], names: SecretNames, commit: str = "") -> Iterator[Finding]:
    """A finding for each of ``hits``, which are all there are in ``passage``, in its order."""
    at, row = 0, 0
    for hit in hits:
        row, at = row + passage.text.count(b"\n", at, hit.start), hit.start
        yield _finding(passage, hit, _Line(passage.text, hit, hits), names, (passage.numbers[row], commit))


def _finding(passage: Passage, hit: Hit, line: _Line, names: SecretNames, where: tuple[int, str]) -> Finding:
    text, is_cut = line.shown()
    number, commit = where
    return Finding(
        tool=TOOL,
        rule=hit.rule,
        message=f"this looks like {hit.name}",
        severity=hit.severity,
        confidence=hit.confidence,
        path=passage.path,
        line=number,
        end_line=number,
        column=0 if is_cut else line.column(hit.start),
        end_column=0 if is_cut else line.column(min(hit.end, line.end)),
        text=text,
        code=names.code(hit.secret),
        secret=names.shown(hit.secret),
        commit=commit,
    )


class _Line:
    """The line that a hit begins on."""

    def __init__(self, text: bytes, hit: Hit, hits: Sequence[Hit]) -> None:
        self._text = text
        self._hit = hit
        self.start = text.rfind(b"\n", 0, hit.start) + 1
        end = text.find(b"\n", hit.start)
        self.end = end if end >= 0 else len(text)
        self._hits = [one for one in hits if one.start < self.end and one.end > self.start]

    def column(self, place: int) -> int:
        """The column of an offset, counted from 1 in code points."""
        return len(self._text[self.start : place].decode(errors="replace")) + 1

    def shown(self) -> tuple[str, bool]:
        """The line without any secret, and whether its beginning had to be left out."""
        before, after, at = b"", b"", self.start
        for hit in self._hits:
            clear = self._text[at : max(at, hit.start)]
            told = self._text[hit.start : min(hit.start + _told(hit), self.end)] if hit.start >= self.start else b""
            if hit.start < self._hit.start:
                before += clear + told + _MASK
            elif hit is self._hit:
                before, after = before + clear, told + (_MASK if hit.start + _told(hit) < self.end else b"")
            else:
                after += clear + told + _MASK
            at = max(at, hit.end)
        after += self._text[at : self.end]
        return _cut(self._clean(before), self._clean(after))

    def _clean(self, part: bytes) -> str:
        for hit in self._hits:  # it may stand there once more where no rule sees it
            part = part.replace(hit.secret, _MASK)
        return part.decode(errors="replace").rstrip("\r")


def _told(hit: Hit) -> int:
    """How many bytes of a hit say nothing but what kind it is: an armour's first line, or a prefix."""
    return hit.shown if hit.rule == "private-key" else min(hit.shown, _MOST_SHOWN)


def _cut(before: str, after: str) -> tuple[str, bool]:
    most = max(_WIDEST // 2, _WIDEST - len(after))
    is_cut = len(before) > most
    start = f"…{before[-most:]}" if is_cut else before
    room = _WIDEST - len(start)
    return start + (f"{after[:room]}…" if len(after) > room else after), is_cut
