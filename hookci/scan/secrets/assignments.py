"""Values that are given to a name such as ``db_password`` or ``apiKey``, and that look as if they were real."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.finding import Confidence, Severity
from hookci.scan.secrets.entropy import is_random, is_strong_password
from hookci.scan.secrets.hits import Hit
from hookci.scan.secrets.paths import is_code, is_lock_file, is_trial

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["assignment_hits"]

_KEYWORDS = (b"pass", b"pwd", b"secret", b"token", b"key", b"credential", b"auth")
_BEFORE = re.compile(rb"[\w.\-]{0,64}\Z")
_AFTER = re.compile(
    rb"""(?P<rest>[\w.\-]{0,64})                                   # of the name
    (?P<closed>\\?["'`]?\]?)[ \t]{0,20}
    (?: :[ \t]{0,4}[A-Za-z_][\w.\[\]|, ]{0,40}?[ \t]{0,4}(?==[^=]) )?  # a type
    (?: :=|=>|[=!]==?|\?=|=|:|>|,|\(|["',]{0,2}\s{1,40}["']?value["']?[ ]?[:=] )
    [ \t]{0,20}
    (?: [\w.]{1,40}\([ ]? )?                                       # SecretStr("..."), bytes("...")
    (?: [bBrRuUfF@]{0,2}\\?(?P<quote>["'`])(?P<quoted>(?:(?!(?P=quote))[^\\\r\n]){8,512})\\?(?P=quote)
      | (?P<bare>(?:(?:[Bb]earer|[Bb]asic|[Tt]oken|[Bb]ot)[ ]{1,4})?[^\s"'`]{8,512}) )""",
    re.VERBOSE,
)
_SCHEME = re.compile(rb"(?i)(?:bearer|basic|token|bot)[ ]+")
_HUMP = re.compile(rb"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORDS = re.compile(rb"[_.\-]+")
_PASSWORD = re.compile(rb"(?:.*(?:password|passwd|passwort|passphrase|passcode|pwd)|pass|pw|dbpass|userpass|mypass)")
_SECRET = re.compile(
    rb"(?:.*(?:secret|apikey|token|accesskey|secretkey|authkey|privatekey)|credentials?|auth|authorization)"
)
_KINDS_OF_KEY = frozenset(
    b"api access auth secret private encryption encrypt decryption signing sign signature master account shared "
    b"service storage admin client consumer app application session hmac jwt deploy webhook cookie aes "
    b"fernet subscription integration server ingest write".split()
)
_ADDED = frozenset(
    b"value val prod production live dev staging stage default base64 b64 str string bytes text 1 2 3".split()
)
_NOT_SECRET = frozenset(
    b"public pub csrf xsrf next page continuation sync hash hashed digest checksum cancellation verification id ids "
    b"foreign primary partition sort cache test publishable site".split()
)
_AWS_SHAPE = re.compile(rb"[A-Za-z0-9/+]{40}")
_BASE_64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_TEXT = re.compile(rb"[\t\n\r -~]+")
_LEAST_IN_TRIALS = 20
_UUID = re.compile(rb"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _Kind(Struct, frozen=True):
    rule: str
    name: str
    severity: Severity = Severity.HIGH
    confidence: Confidence = Confidence.MEDIUM


_AWS = _Kind("aws-secret-access-key", "an AWS secret access key", Severity.CRITICAL, Confidence.HIGH)
_HEROKU = _Kind("heroku-key", "a Heroku API key", Severity.CRITICAL, Confidence.HIGH)
_CHOSEN = _Kind("password", "a password")
_GENERIC = _Kind("generic-secret", "a secret of an unknown kind")


def assignment_hits(text: bytes, path: str) -> Iterator[Hit]:
    """Every value of a telling name that looks like a secret; ``path`` tells code, tests and lock files."""
    if is_lock_file(path):
        return
    lower = text.lower()
    bare, trial = not is_code(path), is_trial(path)
    for keyword in _KEYWORDS:
        place = lower.find(keyword)
        while place >= 0:
            found = _AFTER.match(text, place)
            if found:
                yield from _value(text, place, found, bare=bare, trial=trial)
            place = lower.find(keyword, found.end("rest") if found else place + len(keyword))


def _value(text: bytes, place: int, found: re.Match[bytes], *, bare: bool, trial: bool) -> Iterator[Hit]:
    group = "quoted" if found["quoted"] is not None else "bare"
    if group == "bare" and not bare:
        return
    before = _BEFORE.search(text, max(0, place - 64), place)
    words = _words((before[0] if before else b"") + found["rest"])
    start, value = found.start(group), found[group]
    scheme = _SCHEME.match(value)
    if scheme:
        start, value = start + scheme.end(), value[scheme.end() :]
    if group == "bare":
        value = _trimmed(value)
    kind = _kind(words, value, trial=trial)
    if kind:
        yield Hit(
            rule=kind.rule,
            name=kind.name,
            start=start,
            end=start + len(value),
            secret=value,
            severity=kind.severity,
            confidence=kind.confidence,
        )


def _words(name: bytes) -> list[bytes]:
    words = [word for word in _WORDS.split(_HUMP.sub(b"_", name).lower()) if word]
    while len(words) > 1 and words[-1] in _ADDED:
        words.pop()
    return words


def _trimmed(value: bytes) -> bytes:
    """An unquoted value without what the syntax around it adds; nothing when it is an expression."""
    value = value.split(b"<")[0].split(b"&quot;")[0].rstrip(b",;)]}\\|")
    return b"" if b"(" in value or value[:1] in {b"{", b"[", b"&", b"*", b"$", b"@", b"%", b"=", b">"} else value


def _kind(words: list[bytes], value: bytes, *, trial: bool) -> _Kind | None:
    """What a secret ``value`` of the name ``words`` is; None when it is none."""
    last = words[-1].rstrip(b"0123456789") if words else b""
    if not last or any(word in _NOT_SECRET for word in words):
        return None
    is_key = (last == b"key" and len(words) > 1 and words[-2] in _KINDS_OF_KEY) or bool(_SECRET.fullmatch(last))
    if _UUID.fullmatch(value):
        return (_HEROKU if b"heroku" in words else None if trial else _GENERIC) if is_key else None
    if is_key and words[0] == b"aws" and _AWS_SHAPE.fullmatch(value) and is_random(value):
        return _AWS
    value = _unwrapped(value)
    least = _LEAST_IN_TRIALS if trial else 0
    if len(value) >= least and is_random(value):
        return _CHOSEN if _PASSWORD.fullmatch(last) else _GENERIC if is_key else None
    return _CHOSEN if not trial and _PASSWORD.fullmatch(last) and is_strong_password(value) else None


def _unwrapped(value: bytes) -> bytes:
    """``value``, or the text that it is base 64 of; of HTTP's basic authentication, the password."""
    if len(value) % 4 or not _BASE_64.fullmatch(value):
        return value
    text = base64.b64decode(value)
    return text.rpartition(b":")[2] if _TEXT.fullmatch(text) else value
