"""Secrets in base 64, decoded once: as in Kubernetes' manifests, in settings of CI systems, in HTTP headers."""

from __future__ import annotations

import base64
import binascii
import bisect
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.scan.secrets.keys import key_hits
from hookci.scan.secrets.patterns import provider_hits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.scan.secrets.hits import Hit

__all__ = ["decoded_hits"]

_SHORTEST = 24
"""Characters; no token of a known form is shorter than 18 bytes."""
_LONGEST = 65_536
_WRAPPED = (64, 76)
"""Columns at which openssl(1) and base64(1) break their lines: the token may go on in the next."""
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_OTHERS_BLANK = bytes(byte if byte in _ALPHABET else 32 for byte in range(256))
_STANDARD = bytes.maketrans(b"-_", b"+/")


def decoded_hits(text: bytes) -> Iterator[Hit]:
    """Secrets of known forms in what base 64 hides; a hit covers the encoded word, which is its secret too."""
    words = [word for word in text.translate(_OTHERS_BLANK).split() if _SHORTEST <= len(word) <= _LONGEST]
    if not words:
        return
    plain, begins = _decoded(words)
    place = 0
    for hit in sorted((*provider_hits(plain), *key_hits(plain)), key=lambda hit: hit.start):
        word = words[bisect.bisect_right(begins, hit.start) - 1]
        start = text.find(word, place)
        if start >= 0:
            place = start + len(word)
            yield replace(hit, name=f"{hit.name} in base 64", start=start, end=place, secret=word, shown=0)


def _decoded(words: list[bytes]) -> tuple[bytes, list[int]]:
    """What ``words`` decode to, in one text, and where in it each begins."""
    pieces, begins, size = [], [], 0
    for word in words:
        try:
            piece = base64.b64decode(word.translate(_STANDARD) + b"=" * (-len(word) % 4))
        except binascii.Error:  # five characters stand for no whole bytes
            piece = b""
        if len(word) not in _WRAPPED:
            piece += b"\n"
        begins.append(size)
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces), begins
