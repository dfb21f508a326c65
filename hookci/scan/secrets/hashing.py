"""The only forms in which a secret leaves the detector: a salted hash that can be shown, and one that cannot.

The shown one holds its salt, so that what a committed config suppresses is found in every clone.
"""

from __future__ import annotations

import hashlib
import hmac

__all__ = ["SecretNames", "matches", "shown_hash"]

_COST, _BLOCK = 2**12, 8
"""scrypt's n and r (RFC 7914): some 10 ms and 4 MiB, against guessing weak passwords from a committed hash."""
_HASH, _SALT = 16, 8
"""Bytes."""


def shown_hash(secret: bytes, salt: bytes) -> str:
    """``"<salt>:<hash>"`` in hex: by scrypt, so that it may be shown and committed."""
    return f"{salt.hex()}:{hashlib.scrypt(secret, salt=salt, n=_COST, r=_BLOCK, p=1, dklen=_HASH).hex()}"


def matches(secret: bytes, shown: str) -> bool:
    """Whether ``shown`` is a hash of ``secret``, under whatever salt."""
    salt = _salt(shown)
    return salt is not None and hmac.compare_digest(shown_hash(secret, salt), shown.lower())


def _salt(shown: str) -> bytes | None:
    try:
        return bytes.fromhex(shown.partition(":")[0])
    except ValueError:
        return None


class SecretNames:
    """Names secrets for one scan.

    Args:
        key: the clone's own secret.
        suppressed: hashes that a config has; a secret that one of them stands for is named just so.
    """

    def __init__(self, key: bytes, suppressed: tuple[str, ...]) -> None:
        self._key = key
        self._own = hmac.digest(key, b"salt of shown secrets", "sha256")[:_SALT]
        self._suppressed: dict[bytes, list[str]] = {}
        for shown in suppressed:
            salt = _salt(shown)
            if salt is not None:
                self._suppressed.setdefault(salt, []).append(shown)
        self._shown: dict[bytes, str] = {}

    def shown(self, secret: bytes) -> str:
        """What stands for ``secret`` in a report."""
        if secret not in self._shown:
            self._shown[secret] = self._find(secret)
        return self._shown[secret]

    def code(self, secret: bytes) -> str:
        """What tells ``secret`` from others in this clone, in hex; never to be shown."""
        return hmac.digest(self._key, b"secret\0" + secret, "sha256").hex()

    def _find(self, secret: bytes) -> str:
        for salt, known in self._suppressed.items():
            name = shown_hash(secret, salt)
            for shown in known:
                if hmac.compare_digest(name, shown.lower()):
                    return shown
        return shown_hash(secret, self._own)
