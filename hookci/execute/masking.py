"""Keeping secrets out of everything that is shown or stored."""

from __future__ import annotations

import base64
import json
import re
import textwrap
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from hookci.model.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MASK", "Masker"]

MASK = "[MASKED]"
_SMALLEST_ENCODED = 6
"""Bytes; the encoded form of less would be a few letters that occur in any text."""
_WRAPPED = (64, 76)
"""Columns at which openssl(1) and base64(1) break their lines."""


def _base64_forms(secret: str) -> set[str]:
    """What a base64 text holds when the secret is part of what was encoded, at any of the three offsets."""
    raw = secret.encode(errors="surrogateescape")
    forms = set()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode("ascii").rstrip("=")
        # the first characters mix in what comes before, the last one what comes after
        first = -(-offset * 8 // 6)
        last = len(encoded) if (offset + len(raw)) % 3 == 0 else len(encoded) - 1
        for form in (encoded[first:last], encoded[first:last].replace("+", "-").replace("/", "_")):
            forms.add(form)
    return forms


def _wrapped_forms(secret: str) -> Iterator[str]:
    """The whole lines of a base64 text that is the secret and nothing else."""
    for end in ("", "\n"):
        encoded = base64.b64encode((secret + end).encode(errors="surrogateescape")).decode("ascii")
        for width in _WRAPPED:
            lines = textwrap.wrap(encoded, width)
            yield from (line for line in lines[:-1] + lines[1:] if len(line) > _SMALLEST_ENCODED)


def _parts(value: str) -> set[str]:
    """The value, and each of its lines that says anything (a brace alone is no secret)."""
    lines = {line.strip() for line in value.splitlines()}
    return {value, value.strip(), *(line for line in lines if any(map(str.isalnum, line)))}


def _forms(value: str) -> set[str]:
    """A secret as it may be printed: itself, each line of it, quoted for URLs and JSON, in base64."""
    forms: set[str] = set(_wrapped_forms(value.strip()))
    for part in _parts(value):
        forms |= {part, quote(part, safe=""), quote(part), quote_plus(part), json.dumps(part)[1:-1]}
        if len(part) >= _SMALLEST_ENCODED:
            forms |= _base64_forms(part)
    return {form for form in forms if form.strip()}


class Masker:
    """Replaces every form of every secret by `MASK`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
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
