"""Keeping secrets out of everything that is shown or stored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.model.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MASK", "Masker"]

MASK = "[MASKED]"


class Masker:
    """Replaces every form of every secret by `MASK`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms: list[str] = []
        if secrets := tuple(secrets):
            self._look_for(secrets)

    def _look_for(self, secrets: Iterable[str]) -> None:
        from hookci.execute.disguises import disguises  # noqa: PLC0415 (most jobs have no secrets)

        self._forms = sorted({form for secret in secrets for form in disguises(secret)}, key=len, reverse=True)
        any_form = "|".join(map(re.escape, self._forms)) or "(?!)"
        self._search = re.compile(any_form).search
        # the longest form at each place, also where another secret has begun before
        self._at_each_place = re.compile(f"(?=({any_form}))")

    def mask(self, line: str) -> str:
        """One line without secrets; if colours were used to cut one in pieces, the colours go too."""
        if not self._forms:
            return line
        bare = plain(line)
        if not self._search(bare):
            return line
        masked, hidden = _covered(line, self._spans(line)), _covered(bare, self._spans(bare))
        return masked if plain(masked) == hidden else hidden

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Where secrets are, those that overlap joined to one."""
        spans: list[tuple[int, int]] = []
        for match in self._at_each_place.finditer(text):
            start, end = match.span(1)
            if spans and start < spans[-1][1]:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((start, end))
        return spans

    def safe_length(self, text: str) -> int:
        """How much of an unfinished ``text`` can be shown: not the beginning of what may become a secret."""
        longest = len(self._forms[0]) if self._forms else 0
        for start in range(max(0, len(text) - longest + 1), len(text)):
            tail = text[start:]
            if any(form.startswith(tail) for form in self._forms):
                return start
        return len(text)

    def place_to_break(self, text: str, most: int) -> int:
        """Where to break an unfinished ``text`` within its first ``most`` characters: not inside of a secret."""
        if not self._forms:
            return most
        place = min(most, self.safe_length(text))
        around = (start for start, end in self._spans(text) if start < place < end)
        return next(around, place) or most


def _covered(text: str, spans: Iterable[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in spans:
        parts += [text[at:start], MASK]
        at = end
    return "".join([*parts, text[at:]])
