"""Private keys: armoured (RFC 7468, OpenSSH, OpenPGP), also within one escaped line, and their bodies alone.

Public keys and certificates are none, and neither is an armour without a body.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.scan.secrets.entropy import entropy
from hookci.scan.secrets.hits import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["key_hits"]

_RULE, _NAME = "private-key", "a private key"
_BEGIN = re.compile(rb"-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----")
_PUTTY = b"PuTTY-User-Key-File-"
_PUTTY_BODY = re.compile(rb"Private-Lines: [0-9]{1,3}\r?\n(?P<body>[A-Za-z0-9+/=\r\n]{64,8192})")
_LONGEST = 16_384
_HEADERS = re.compile(rb"(?m)^[A-Z][A-Za-z\-]{2,20}: .*$")
_ESCAPED_ENDS = re.compile(rb"\\{1,4}[nr]")
_PIECES = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")
_LONG_PIECES = re.compile(rb"[A-Za-z0-9+/]{60,}={0,2}")
_LEAST_BODY, _LEAST_ENTROPY = 64, 4.0
# What the DER of a key begins with, in base 64: the lengths vary, the version and algorithm do not
_BODIES = (
    (b"b3BlbnNzaC1rZXktdjE", re.compile(rb"b3BlbnNzaC1rZXktdjEA[A-Za-z0-9+/=]{40,}")),  # "openssh-key-v1"
    (b"IBAAK", re.compile(rb"MII[A-Za-z0-9+/]{3}IBAAK[BC][A-Za-z0-9+/=]{40,}")),  # RFC 8017, RSAPrivateKey
    (
        b"IBADANBgkqhkiG9w0BAQEF",
        re.compile(rb"MII[A-Za-z0-9+/]{3}IBADANBgkqhkiG9w0BAQEF[A-Za-z0-9+/=]{40,}"),
    ),  # RFC 5208
    (b"MHcCAQEEI", re.compile(rb"MHcCAQEEI[A-Za-z0-9+/=]{40,}")),  # RFC 5915, P-256
    (b"MIGHAgEAMBMGByqGSM49", re.compile(rb"MIGHAgEAMBMGByqGSM49[A-Za-z0-9+/=]{40,}")),  # RFC 5208, P-256
    (b"MC4CAQAwBQYDK2VwBCIEI", re.compile(rb"MC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/=]{40,}")),  # RFC 8410, Ed25519
)
_BEFORE = len(b"MIIxxx")


def key_hits(text: bytes) -> Iterator[Hit]:
    """Every private key; its secret is the body without line ends, so that it is the same however it is wrapped."""
    if b"PRIVATE KEY" in text:
        yield from _armoured(text)
    if _PUTTY in text:
        for found in _PUTTY_BODY.finditer(text):
            yield _hit(*found.span("body"), found["body"])
    for begin, shape in _BODIES:
        place = text.find(begin)
        while place >= 0:
            body = shape.search(text, max(0, place - _BEFORE), place + 4096)
            if body and body.start() <= place and entropy(body[0]) >= _LEAST_ENTROPY:
                yield _hit(*body.span(), body[0])
            place = text.find(begin, body.end() if body else place + 1)


def _armoured(text: bytes) -> Iterator[Hit]:
    for found in _BEGIN.finditer(text):
        rest = text[found.end() : found.end() + _LONGEST]
        stop = rest.find(b"-----END")
        following = rest.find(b"-----BEGIN")
        ended = stop >= 0 and (following < 0 or stop < following)
        # of an armour that is cut off, the lines that can be nothing but its body
        body = _body(rest[:stop], _PIECES) if ended else _body(rest[:4096], _LONG_PIECES)
        if len(body) >= _LEAST_BODY and entropy(body) >= _LEAST_ENTROPY:
            end = found.end() + (stop if ended else rest[:4096].rfind(body[-16:]) + 16)
            yield _hit(found.start(), max(end, found.end()), body, len(found[0]))


def _body(armoured: bytes, pieces: re.Pattern[bytes]) -> bytes:
    lines = _HEADERS.sub(b"", _ESCAPED_ENDS.sub(b"\n", armoured))
    return b"".join(pieces.findall(lines))


def _hit(start: int, end: int, body: bytes, shown: int = 0) -> Hit:
    return Hit(rule=_RULE, name=_NAME, start=start, end=end, secret=b"".join(body.split()), shown=shown)
