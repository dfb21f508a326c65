"""Whether a value was made by chance or by a person: what no word, no sequence and no placeholder explains."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter

__all__ = ["entropy", "is_monotone", "is_placeholder", "is_random", "is_strong_password", "wordiness"]

_FOLLOWS = (
    "a:bcdgilmnprstu b:aeilosu c:aehiklortu d:adeiorsu e:acdefglmnprstvx f:aefioru g:eirs h:aeio i:abcdefglmnoprstvz "
    "k:e l:adeilostuy m:aeiopsu n:acdefgiostuv o:bcdglmnoprstuvw p:aeiloprstu q:u r:acdegimnorstuy s:acehilopstuy "
    "t:acehilorstuy u:abceilmnprst v:aei w:ai x:pt y:p z:e"
)
"""The 200 pairs of letters that make up 88 % of those in the identifiers of Python's standard library (measured)."""
_COMMON = {
    (ord(group[0]), ord(second)) for group in _FOLLOWS.split(" ") for second in group.partition(":")[2]
}  # by chance 30 %: 200 of 676

_LEAST_RANDOM = 16
_WORDY = 0.62
_FEW_PAIRS, _FEW_OF_ALL = 5, 0.35
_HEX = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
_LETTERS = re.compile(rb"[A-Za-z]+")
_CLASSES = (re.compile(rb"[a-z]"), re.compile(rb"[A-Z]"), re.compile(rb"[0-9]"), re.compile(rb"[^A-Za-z0-9]"))
_STOP_WORDS = re.compile(
    rb"(?i)change.?me|example|placeholder|dummy|sample|redacted|your[_\-. ]?|xxxx|\*\*\*|\.\.\.|p[a4@][s$5]{2}w|"
    rb"secret|token|api[_\-]?key|test(?:ing|_|-|\d|$)|fake|insert|replace|foobar|bogus|invalid|undefined|default|"
    rb"^django-insecure-|qwert[yz]|letmein|hunter2|none$|null$|true$|false$|mysql|postgres"
)
"""What people write where a secret will be, and what Django calls its key until it is one (security.W009)."""
_REFERENCE = re.compile(
    rb"^\$[A-Za-z_]|\$\{|\$\([\w ./\-]+\)|\{\{|%\(\w+\)|<[\w \-./]+>|\{[\w.!:\-]*\}|\[[\w \-]+\]$|@[\w.]+@$|#\{|"
    rb"%[A-Za-z_]+%$|^%[sdr]$|^[A-Z]+(?:_[A-Z]+)+$|(?:process\.)?env[.\[]|secrets\.|^(?:vault|arn|ssm):|^op://|^!\w|a-z|A-Z|0-9"
)
"""Variables of shells, templates and CI systems, formats, secret stores, ranges of regular expressions."""
_HASHED = re.compile(
    rb"(?:sha(?:1|224|256|384|512)|md5)[-:$=]|(?:pbkdf2|scrypt|bcrypt|argon2|md5|sha1|sha256|crypt|unsalted)[\w]*\$|"
    rb"\$(?:2[aby]?|1|5|6|y|argon2\w*|pbkdf2\w*)\$|\{S?SHA\d*\}|\{CRYPT\}|\{SSHA|[0-9a-f]{16}:[0-9a-f]{32}\Z"
)
"""Integrities (W3C SRI, npm), hashed passwords (Django, crypt(5), LDAP), and the secrets that a suppression names."""
_PATH = re.compile(rb"[a-z][a-z0-9+.\-]{0,20}://|\.{0,2}/[\w.\-]+/|~/|[A-Za-z]:\\")
_SEGMENT = re.compile(rb"[a-z_.\-]*")


def entropy(value: bytes) -> float:
    """Shannon's entropy of the bytes of ``value`` in bits per byte."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


def wordiness(value: bytes) -> float:
    """The share of pairs of letters that are common in words; 0.0 when there are too few to tell."""
    pairs = [pair for run in _LETTERS.findall(value) for pair in itertools.pairwise(run.lower())]
    is_told = len(pairs) >= max(_FEW_PAIRS, _FEW_OF_ALL * len(value))
    return sum(pair in _COMMON for pair in pairs) / len(pairs) if is_told else 0.0


def is_monotone(value: bytes) -> bool:
    """Whether most of ``value`` counts up or down, stands still, or is made of very few characters."""
    steps = sum(abs(after - before) <= 1 for before, after in itertools.pairwise(value))
    return steps * 2 >= len(value) - 1 or len(set(value)) < min(6, len(value) // 2)


def is_placeholder(value: bytes) -> bool:
    """Whether ``value`` stands for a secret that is somewhere else, or for none at all."""
    found = _STOP_WORDS.search(value) or _REFERENCE.search(value) or _HASHED.match(value) or _PATH.match(value)
    return found is not None or is_monotone(value) or _is_relative_path(value)


def _is_relative_path(value: bytes) -> bool:
    segments = value.split(b"/")
    return len(segments) > 2 and all(map(_SEGMENT.fullmatch, segments[1:]))  # noqa: PLR2004 (a/b may be base 64)


def is_random(value: bytes) -> bool:
    """Whether ``value`` is at least 16 characters made by chance: hex, base 64 or any other."""
    if len(value) < _LEAST_RANDOM or b" " in value or is_placeholder(value):
        return False
    classes = [bool(kind.search(value)) for kind in _CLASSES]
    if _HEX.fullmatch(value):
        return classes[2] and (classes[0] or classes[1]) and entropy(value) >= 2.9  # noqa: PLR2004 (16 hex digits: 3.2)
    mixed = classes[2] or (classes[0] and classes[1])
    return mixed and any(classes[:2]) and entropy(value) >= 3.3 and wordiness(value) < _WORDY  # noqa: PLR2004 (16: 3.8)


def is_strong_password(value: bytes) -> bool:
    """Whether a person may have chosen ``value`` as a password: 8 characters, three kinds of them, no stop word."""
    if not 8 <= len(value) <= 64 or b" " in value or b"/" in value or is_placeholder(value):  # noqa: PLR2004 (as documented)
        return False
    return sum(bool(kind.search(value)) for kind in _CLASSES) >= 3 and bool(_CLASSES[2].search(value))  # noqa: PLR2004
