"""Keeping secrets out of everything that is shown or stored."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from hookci.model.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MASK", "Masker"]

MASK = "[MASKED]"
_SMALLEST_ENCODED = 6
"""Bytes; the encoded form of less would be a few letters that occur in any text."""


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


def _forms(value: str) -> set[str]:
    """A secret as it may be printed: itself, each line of it, quoted for URLs and JSON, in base64."""
    parts = {value, *value.splitlines()} if "\n" in value or "\r" in value else {value}
    forms: set[str] = set()
    for part in parts:
        forms |= {part, quote(part, safe=""), quote(part), quote_plus(part), json.dumps(part)[1:-1]}
        if len(part) >= _SMALLEST_ENCODED:
            forms |= _base64_forms(part)
    return {form for form in forms if form.strip()}


class Masker:
    """Replaces every form of every secret by `MASK`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
        self._forms = forms
        self._pattern = re.compile("|".join(map(re.escape, forms))) if forms else None

    def mask(self, line: str) -> str:
        """One line without secrets; if colours were used to cut one in pieces, the colours go too."""
        if self._pattern is None:
            return line
        masked = self._pattern.sub(MASK, line)
        bare = plain(masked)
        return self._pattern.sub(MASK, bare) if self._pattern.search(bare) else masked

    def safe_length(self, text: str) -> int:
        """How much of an unfinished ``text`` can be shown: not the beginning of what may become a secret."""
        longest = len(self._forms[0]) if self._forms else 0
        for start in range(max(0, len(text) - longest + 1), len(text)):
            tail = text[start:]
            if any(form.startswith(tail) for form in self._forms):
                return start
        return len(text)
