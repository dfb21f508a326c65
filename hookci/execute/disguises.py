"""The forms that a secret takes in what is printed."""

from __future__ import annotations

import base64
import json
import textwrap
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["disguises"]

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


def disguises(value: str) -> set[str]:
    """A secret as it may be printed: itself, each line of it, quoted for URLs and JSON, in base64."""
    forms: set[str] = set(_wrapped_forms(value.strip()))
    for part in _parts(value):
        forms |= {part, quote(part, safe=""), quote(part), quote_plus(part), json.dumps(part)[1:-1]}
        if len(part) >= _SMALLEST_ENCODED:
            forms |= _base64_forms(part)
    return {form for form in forms if form.strip()}
