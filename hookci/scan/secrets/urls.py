"""Passwords in addresses, ``scheme://user:password@host`` (RFC 3986, section 3.2.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.model.finding import Confidence, Severity
from hookci.scan.secrets.entropy import is_placeholder, is_random, is_strong_password
from hookci.scan.secrets.hits import Hit
from hookci.scan.secrets.paths import is_trial

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["url_hits"]

_LEAST = 4
_ADDRESS = re.compile(
    rb"://(?P<user>[^\s:/?#@\"'<>`\\]{0,64}):(?P<password>[^\s/?\"'<>`\\]{3,256})@(?P<host>[A-Za-z0-9.\-_\[\]:%]{1,253})"
)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_NEXT_HOST = re.compile(rb"[,;@][^,;@]*:")
"""In a list of hosts, what seems to be a password is the port of the first (PostgreSQL's and MongoDB's addresses)."""
_ANYONES = re.compile(
    rb"(?i)(?:user(?:name)?|admin|root|guest|me|my|the|db|test(?:ing)?|foo|bar|baz|hunter|pass|pwd?|pw|pswd|secret|key|token|"
    rb"credentials?|auth|access|api|login|name|hidden|abcd?|demo|none|null|default|redis|rabbit(?:mq)?|mongo(?:db)?|"
    rb"postgres(?:ql)?|mysql|maria(?:db)?|minio|django|app|docker|local|host|port|[\d\W_])++"
)
_EXAMPLE_HOST = re.compile(
    rb"(?i)(?:localhost|127\.|0\.0\.0\.0|\[?::1|(?:[\w\-]+\.)*(?:example|test|invalid|localhost|local)(?:\.(?:com|org|net))?(?:[:\]]|$)|"
    rb"(?:host(?:name)?|server|proxy|domain|domain\.tld|foo|bar|db|database|redis|postgres|mysql|mongo|rabbitmq)\d?(?:\.com)?(?::|$))"
)
"""Hosts that are there for examples (RFC 2606), and those of a machine's own development."""


def url_hits(text: bytes, path: str) -> Iterator[Hit]:
    """Every password in an address that is neither a placeholder nor one that everyone has."""
    trial = is_trial(path)
    for found in _ADDRESS.finditer(text):
        start, end = found.span("password")
        if _is_real(found["user"], found["password"], found["host"], trial=trial):
            yield Hit(
                rule="url-password",
                name="a password in an address",
                start=start,
                end=end,
                secret=found["password"],
                severity=Severity.HIGH,
                confidence=Confidence.HIGH,
            )


def _is_real(user: bytes, password: bytes, host: bytes, *, trial: bool) -> bool:
    password = _PERCENT.sub(lambda found: bytes([int(found[1], 16)]), password)
    if is_placeholder(password) or password.lower() == user.lower() or _NEXT_HOST.search(password):
        return False
    if _EXAMPLE_HOST.match(host):
        return is_random(password) or (not trial and is_strong_password(password))
    if trial:
        return is_random(password) or is_strong_password(password)
    return len(password) >= _LEAST and not _ANYONES.fullmatch(password) and password[:1] not in {b"$", b"{"}
