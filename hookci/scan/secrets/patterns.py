"""Tokens that say themselves whose they are: an issuer's prefix, and the shape of what follows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.scan.secrets.entropy import entropy, is_monotone
from hookci.scan.secrets.hits import Hit
from hookci.scan.secrets.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.scan.secrets.providers import Provider

__all__ = ["provider_hits"]

_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_KNOWN_EXAMPLES = re.compile(
    rb"EXAMPLE|(?i:xxxx|your|example|placeholder|redacted)|eyJzdWIiOiIxMjM0NTY3ODkwI|Eby8vdM02x|\.\.\.|\*\*\*"
)
"""AWS' documentation, jwt.io's token, Azurite's key, and what people write into theirs."""
_ESCAPE = re.compile(rb"(?:\\[nrt]|%[0-9A-F]{2})\Z")


def provider_hits(text: bytes) -> Iterator[Hit]:
    """Every token of a known form; the time is that of a search for some hundred literals."""
    for provider in PROVIDERS:
        for begin in provider.begins:
            place = text.find(begin)
            while place >= 0:
                hit = _hit(provider, text, place)
                if hit:
                    yield hit
                place = text.find(begin, hit.end if hit and hit.end > place else place + 1)


def _hit(provider: Provider, text: bytes, place: int) -> Hit | None:
    if provider.back:
        found = provider.shape.search(text, max(0, place - provider.back), place + 256)
    else:
        inside = place and text[place - 1] in _WORD and text[place] in _WORD
        found = None if inside and not _escaped(text, place) else provider.shape.match(text, place)
    if not found:
        return None
    group = "secret" if "secret" in provider.shape.groupindex else 0
    secret = found[group]
    body = secret[len(secret) // 4 :]
    if entropy(secret) < provider.least or is_monotone(body) or _KNOWN_EXAMPLES.search(secret):
        return None
    start, end = found.span(group)
    shown = 4 if group == 0 and not provider.back else 0
    return Hit(
        rule=provider.rule, name=provider.name, start=start, end=end, secret=secret,
        severity=provider.severity, shown=shown,
    )  # fmt: skip


def _escaped(text: bytes, place: int) -> bool:
    """Whether the letter before ``place`` is the end of an escape, in a string or in an address."""
    return _ESCAPE.search(text, max(0, place - 3), place) is not None
