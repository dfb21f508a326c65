"""What a plain scalar of YAML 1.1 means to GitLab, which reads with Ruby's Psych.

Source: Psych 5, ``Psych::ScalarScanner``; YAML 1.1, "Language-Independent Types".  Where the two differ, Psych counts:
``12:30`` is 45000, ``1,000`` is 1000, ``089`` is text.
"""

from __future__ import annotations

import re

__all__ = ["Scalar", "resolve"]

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    "null": None,
    "yes": True,
    "true": True,
    "on": True,
    "no": False,
    "false": False,
    "off": False,
    ".inf": float("inf"),
    "+.inf": float("inf"),
    "-.inf": float("-inf"),
    ".nan": float("nan"),
}
_LONGEST_WORD = 5
_NUMERIC = frozenset("0123456789.+-")
_DATE = re.compile(r"\d{4}-(?:1[012]|0\d|\d)-(?:[12]\d|3[01]|0\d|\d)")
_TIME = re.compile(
    r"-?\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|\s+)\d{1,2}:\d\d:\d\d(?:\.\d*)?(?:\s*(?:Z|[-+]\d{1,2}:?(?:\d\d)?))?"
)
_SIXTIES = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][+-][0-9]+)?")
_INTEGER = re.compile(
    r"""
      (?P<two>     [-+]?0b[01_]+ )
    | (?P<eight>   [-+]?0[0-7_]+ )
    | (?P<ten>     [-+]?(?:0|[1-9](?:[0-9]|,[0-9]|_[0-9])*) )
    | (?P<sixteen> [-+]?0x[0-9a-fA-F_]+ )
    """,
    re.VERBOSE,
)
_BASES = {"two": 2, "eight": 8, "ten": 10, "sixteen": 16}


def resolve(text: str) -> Scalar:
    """The value of a scalar without quotes.

    Raises:
        ValueError: it is a date or a time, which GitLab takes for no value.
    """
    if len(text) <= _LONGEST_WORD and text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return _number(text) if text[0] in _NUMERIC else text


def _number(text: str) -> Scalar:
    if _DATE.fullmatch(text) or _TIME.fullmatch(text):
        raise ValueError("is a date, which GitLab takes for no value")
    found = _INTEGER.fullmatch(text)
    if found:
        digits = text.replace(",", "").replace("_", "")
        return 0 if digits.lstrip("+-") in {"0b", "0x"} else int(digits, _BASES[str(found.lastgroup)])
    if _FLOAT.fullmatch(text):
        return text if text.strip("+-") == "." else float(text.replace(",", "").replace("_", ""))
    return _base_sixty(text) if _SIXTIES.fullmatch(text) else text


def _base_sixty(text: str) -> int:
    # the first part counts as hours even when there are but two: Psych's own arithmetic
    parts = [int(part.replace("_", "")) for part in text.split(":")]
    return int(sum(part * 60.0 ** abs(2 - place) for place, part in enumerate(parts)))
