r"""RE2's regular expressions, in the words of Python's `re`: GitLab's are RE2's, and the two are not the same.

Source: RE2, "Syntax" (the wiki of google/re2), and what it does where that is silent; the tests hold both side by side.
Scripts (``\p{Greek}``) and ``\C`` are not there: no table of the standard library has them.
"""

from __future__ import annotations

import functools
import re
import string
import unicodedata
from typing import NoReturn

__all__ = ["translated"]

_LAST = 0x10FFFF
_MOST_TIMES = 1000
_DEEPEST = 100

_Ranges = tuple[tuple[int, int], ...]


def _ranges(text: str) -> _Ranges:
    """``"09AZ__"`` as pairs of the first and the last."""
    return tuple((ord(text[at]), ord(text[at + 1])) for at in range(0, len(text), 2))


_DIGIT, _WORD, _SPACE = _ranges("09"), _ranges("09AZ__az"), _ranges("\t\n\f\r  ")
_PERL = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_POSIX = {
    "alnum": _ranges("09AZaz"),
    "alpha": _ranges("AZaz"),
    "ascii": _ranges("\0\x7f"),
    "blank": _ranges("\t\t  "),
    "cntrl": _ranges("\0\x1f\x7f\x7f"),
    "digit": _DIGIT,
    "graph": _ranges("!~"),
    "lower": _ranges("az"),
    "print": _ranges(" ~"),
    "punct": _ranges("!/:@[`{~"),
    "space": _ranges("\t\r  "),
    "upper": _ranges("AZ"),
    "word": _WORD,
    "xdigit": _ranges("09AFaf"),
}
_THIRD_CASES = {"s": "\u017f", "k": "\u212a"}
"""What is neither of a letter's two cases and yet one of it (Unicode, CaseFolding.txt): the long s, the kelvin sign."""
_ESCAPES = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_ASSERTIONS = {"A": r"(?:\A)", "z": r"(?:\Z)", "b": r"(?a:\b)", "B": r"(?a:\B|\A\Z)"}
_TIMES = re.compile(r"\{([0-9]+)(,([0-9]*))?\}")
_NAME = re.compile(r"\(\?P?<(\w+)>")
_FLAGS = re.compile(r"\(\?([imsU]*)(-[imsU]+)?([:)])")
_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")
_PROPERTY = re.compile(r"\\([pP])(?:\{(\^?)([A-Za-z_&]+)\}|([A-Za-z]))")
_OCTAL = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_HEX = re.compile(r"x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))")


@functools.lru_cache(maxsize=256)
def translated(text: str, flags: str = "") -> str:
    """The regular expression ``text`` of RE2's, with ``flags`` out of ``ismU``, as one of Python's without flags.

    Groups keep their places and lose their names.

    Raises:
        re.error: it is none.
    """
    return _Translation(text, frozenset(flags)).whole()


class _Translation:
    """Reads one expression from left to right; each part that is made stands for itself, whatever is around it."""

    def __init__(self, text: str, flags: frozenset[str]) -> None:
        self._text = text
        self._at = 0
        self._flags = flags
        self._depth = 0

    def whole(self) -> str:
        made, _times = self._alternatives()
        if self._at < len(self._text):
            self._fail("unexpected )")
        return made

    def _fail(self, why: str) -> NoReturn:
        raise re.error(why, self._text, min(self._at, len(self._text)))

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _starts(self, word: str) -> bool:
        return self._text.startswith(word, self._at)

    def _taken(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    def _alternatives(self) -> tuple[str, int]:
        """What stands between two parentheses; also how often a part of it is repeated at most."""
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail(f"more than {_DEEPEST} parentheses within each other")
        flags = self._flags
        branches: list[list[tuple[str, int]]] = [[]]
        while (char := self._next()) not in {"", ")"}:
            parts = branches[-1]
            if char == "|":
                self._at += 1
                branches.append([])
                continue
            parts += self._atom()
            if parts:
                parts.append(self._repeated(*parts.pop()))
        self._flags = flags
        self._depth -= 1
        made = "|".join("".join(part for part, _ in parts) for parts in branches)
        return made, max((times for parts in branches for _, times in parts), default=1)

    def _repeated(self, made: str, times: int) -> tuple[str, int]:
        begin = self._at
        found = self._times()
        if found is None:
            return made, times
        sign, count = found
        lazy = self._next() == "?"
        self._at += lazy
        if self._times() is not None:
            raise re.error(f"bad repetition operator: {self._text[begin : self._at]}", self._text, begin)
        if times * count > _MOST_TIMES:
            raise re.error(f"invalid repetition size: {sign}", self._text, begin)
        return f"(?:{made}){sign}{'?' if lazy != ('U' in self._flags) else ''}", times * max(count, 1)

    def _times(self) -> tuple[str, int] | None:
        """A sign of repetition, if one is in front, and the larger of its numbers."""
        if self._next() in {"*", "+", "?"} and self._next():
            self._at += 1
            return self._text[self._at - 1], 1
        begin = self._at
        found = self._taken(_TIMES)
        if found is None:
            return None
        least, most = int(found[1][:6]), int(found[3][:6]) if found[3] else int(found[1][:6])
        if max(least, most) > _MOST_TIMES or least > most:
            raise re.error(f"invalid repetition size: {found[0]}", self._text, begin)
        return found[0], most

    def _atom(self) -> list[tuple[str, int]]:
        """The part in front, in several when it is a quotation; none when it is only a change of flags.

        What repeats a change of flags repeats what stands before it.
        """
        char = self._next()
        if char in {"*", "+", "?"}:
            self._fail(f"no argument for repetition operator: {char}")
        if char == "{" and _TIMES.match(self._text, self._at):
            self._fail("no argument for repetition operator: {")
        if char == "(":
            group = self._group()
            return [] if group is None else [group]
        if self._starts("\\Q"):
            end = self._text.find("\\E", self._at)
            quoted = self._text[self._at + 2 : end if end >= 0 else None]
            self._at = end + 2 if end >= 0 else len(self._text)
            return [(self._literal(one), 1) for one in quoted]
        return [(self._single(char), 1)]

    def _group(self) -> tuple[str, int] | None:
        begin, outer = self._at, self._flags
        opening = "(?:"
        if not self._starts("(?"):
            self._at += 1
            opening = "("
        elif self._taken(_NAME):
            opening = "("
        else:
            found = self._taken(_FLAGS)
            if found is None:
                self._fail(f"invalid perl operator: {self._text[self._at : self._at + 3]}")
            self._flags = self._flags | set(found[1]) - set(found[2] or "")
            self._flags -= set(found[2] or "")
            if found[3] == ")":
                return None
        made, times = self._alternatives()
        if self._next() != ")":
            raise re.error(f"missing ): {self._text[begin:]}", self._text, begin)
        self._at += 1
        self._flags = outer
        return f"{opening}{made})", times

    def _single(self, char: str) -> str:
        if char == "[":
            return self._class()
        if char == "\\":
            return self._escape()
        self._at += 1
        if char == ".":
            return "(?s:.)" if "s" in self._flags else "[^\\n]"
        if char == "^":
            return "(?m:^)" if "m" in self._flags else _ASSERTIONS["A"]
        if char == "$":
            return "(?m:$)" if "m" in self._flags else _ASSERTIONS["z"]
        return self._literal(char)

    def _literal(self, char: str) -> str:
        return self._folded(re.escape(char))

    def _folded(self, made: str) -> str:
        return f"(?i:{made})" if "i" in self._flags else made

    def _escape(self) -> str:
        kind = self._text[self._at + 1 : self._at + 2]
        if kind in _ASSERTIONS:
            self._at += 2
            return _ASSERTIONS[kind]
        ranges = self._named_class()
        return self._folded(_written(ranges) if ranges is not None else re.escape(chr(self._character())))

    def _named_class(self) -> _Ranges | None:
        r"""What ``\d``, ``\pL`` and their like stand for, if one is in front."""
        kind = self._text[self._at + 1 : self._at + 2] if self._next() == "\\" else ""
        if kind and kind.lower() in _PERL:
            self._at += 2
            return _PERL[kind] if kind.islower() else self._others(_PERL[kind.lower()])
        if kind not in {"p", "P"} or not kind:
            return None
        begin = self._at
        found = self._taken(_PROPERTY)
        ranges = _category(found[3] or found[4]) if found else None
        if found is None or ranges is None:
            what = found[0] if found else "\\" + kind
            raise re.error(f"invalid or unknown character class: {what}", self._text, begin)
        return ranges if (found[1] == "p") != bool(found[2]) else self._others(ranges)

    def _others(self, ranges: _Ranges) -> _Ranges:
        """All other characters; in either case, another case of one of them is none of the others."""
        if "i" not in self._flags:
            return _all_but(ranges)
        letters = [char for char in string.ascii_letters if any(low <= ord(char) <= high for low, high in ranges)]
        cases = {ord(case) for char in letters for case in (char.swapcase(), *_THIRD_CASES.get(char.lower(), ()))}
        return _all_but((*ranges, *((code, code) for code in cases)))

    def _character(self) -> int:
        """The character in front, which may be an escaped one."""
        char = self._next()
        if char != "\\":
            self._at += 1
            return ord(char)
        self._at += 1
        char = self._next()
        if octal := self._taken(_OCTAL):
            return int(octal[0], 8)
        if found := self._taken(_HEX):
            code = int(found[1] or found[2], 16)
            if code <= _LAST:
                return code
        elif char in _ESCAPES and char:
            self._at += 1
            return _ESCAPES[char]
        elif char and char.isascii() and not char.isalnum():
            self._at += 1
            return ord(char)
        self._at -= 1
        why = f"invalid escape sequence: \\{char}" if char else "trailing \\"
        raise re.error(why, self._text, self._at)

    def _class(self) -> str:
        begin = self._at
        self._at += 1
        negated = self._next() == "^"
        self._at += negated
        ranges: list[tuple[int, int]] = []
        first = True
        while self._next() != "]" or first:
            first = False
            if not self._next():
                raise re.error(f"missing ]: {self._text[begin:]}", self._text, begin)
            ranges += self._item()
        self._at += 1
        return self._folded(_written(tuple(ranges), negated=negated))

    def _item(self) -> _Ranges:
        begin = self._at
        if self._starts("[:") and self._text.find(":]", self._at + 2) >= 0:
            found = self._taken(_CLASS)
            named = _POSIX.get(found[2]) if found else None
            if found is None or named is None:
                self._fail("invalid character class range")
            return self._others(named) if found[1] else named
        ranges = self._named_class()
        if ranges is not None:
            return ranges
        low = high = self._character()
        if self._next() == "-" and self._text[self._at + 1 : self._at + 2] not in {"]", ""}:
            self._at += 1
            high = self._character()
        if high < low:
            raise re.error(f"invalid character class range: {self._text[begin : self._at]}", self._text, begin)
        return ((low, high),)


def _written(ranges: _Ranges, *, negated: bool = False) -> str:
    """Characters as a set of Python's."""
    parts = [_edge(low) if low == high else f"{_edge(low)}-{_edge(high)}" for low, high in ranges]
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _edge(code: int) -> str:
    return f"\\U{code:08x}"


def _all_but(ranges: _Ranges) -> _Ranges:
    rest, at = [], 0
    for low, high in sorted(ranges):
        if low > at:
            rest.append((at, low - 1))
        at = max(at, high + 1)
    return (*rest, (at, _LAST)) if at <= _LAST else tuple(rest)


@functools.cache
def _category(name: str) -> _Ranges | None:
    """The characters of a general category of Unicode, or of all that begin with its letter."""
    if name == "Any":
        return ((0, _LAST),)
    ranges: list[tuple[int, int]] = []
    for code in range(_LAST + 1):
        if unicodedata.category(chr(code)).startswith(name):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1] = (ranges[-1][0], code)
            else:
                ranges.append((code, code))
    return tuple(ranges) or None
