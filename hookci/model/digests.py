"""SHA-1 (for git's names), SHA-256 and a keyed digest, without what `hashlib` loads first.

That is OpenSSL, which takes longer than a hook has for it.  The interpreter's own implementations give the same
digests; the standard library's `random` does likewise.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    class _Hash(Protocol):
        def update(self, data: bytes, /) -> None: ...
        def digest(self) -> bytes: ...
        def hexdigest(self) -> str: ...

    sha1: Callable[..., _Hash]
    sha256: Callable[..., _Hash]
    blake2b: Callable[..., _Hash]
else:
    try:
        from _sha1 import sha1
    except ImportError:
        from hashlib import sha1
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:
        from hashlib import sha256
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b

__all__ = ["keyed_digest", "sha1", "sha256"]


def keyed_digest(key: bytes, *parts: bytes) -> str:
    """256 bits over ``parts``, each with its length, that nobody can make who has not ``key`` (RFC 7693), in hex."""
    mac = blake2b(key=key, digest_size=32)
    for part in parts:
        mac.update(len(part).to_bytes(8, "big") + part)
    return mac.hexdigest()
