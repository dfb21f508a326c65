"""The conditions of ``rules: if``, parsed: GitLab's expression language as values.

Source: GitLab CI/CD YAML reference, "CI/CD variable expressions" (``==``, ``!=``, ``=~``, ``!~``, ``&&``, ``||``,
parentheses, ``$NAME``, quoted strings, ``null``, ``true``, ``false`` and ``/regexes/``); where that is silent, what
GitLab does (its ``Gitlab::Ci::Pipeline::Expression``).
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "And",
    "Comparison",
    "Expression",
    "Literal",
    "Match",
    "Operand",
    "Or",
    "Regex",
    "Truth",
    "Variable",
    "evaluate",
    "parse_regex",
]


class Variable(Struct, frozen=True):
    """``$NAME``: its value, or null when it is not set."""

    name: str


class Literal(Struct, frozen=True):
    """A quoted string, ``null`` (None), or a boolean, which equals no string."""

    value: str | bool | None


Operand = Variable | Literal


class Regex(Struct, frozen=True):
    """``/pattern/flags``: ``i`` for either case, ``m`` for ``^`` and ``$`` at every line, ``s`` for a dot at all."""

    pattern: str
    flags: str = ""

    def compiled(self) -> re.Pattern[str]:
        """The pattern, ready to be searched for.

        Raises:
            re.error: it is no regular expression.
        """
        with warnings.catch_warnings():
            # Python only warns about what a later version may read in another way.
            warnings.simplefilter("ignore")
            try:
                return re.compile(self.pattern, sum(_FLAGS[flag] for flag in set(self.flags)))
            except (OverflowError, RecursionError) as error:
                raise re.error(str(error)) from error


class Truth(Struct, frozen=True):
    """A lone operand: true when it is neither null nor empty."""

    operand: Operand


class Comparison(Struct, frozen=True):
    """``==``, or ``!=`` when negated."""

    left: Operand
    right: Operand
    negated: bool = False


class Match(Struct, frozen=True):
    """``=~``, or ``!~`` when negated; a variable on the right holds a ``/regex/``."""

    left: Operand
    right: Regex | Operand
    negated: bool = False


class And(Struct, frozen=True):
    """``&&``, which binds tighter than ``||``."""

    left: Expression
    right: Expression


class Or(Struct, frozen=True):
    """``||``."""

    left: Expression
    right: Expression


Expression = Truth | Comparison | Match | And | Or


_REGEX = pattern(r"/(.+)/([ismU]*)", re.DOTALL)
# U makes repetitions match as little as they can, which does not change whether there is a match
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "U": 0}


def parse_regex(text: str) -> Regex:
    """The regex written as ``/pattern/flags``.

    Raises:
        ValueError: ``text`` has no such form.
        re.error: the pattern is no regular expression.
    """
    found = _REGEX.fullmatch(text)
    if not found:
        raise ValueError("expected a regular expression such as /^v[0-9]+/")
    regex = Regex(found[1], found[2])
    regex.compiled()
    return regex


def evaluate(expression: Expression, lookup: Callable[[str], str | None]) -> bool:
    """Whether ``expression`` holds, as GitLab decides it; ``lookup`` tells a variable's value, None when it is not set.

    A regex is searched for, not matched in full, and null is searched as if it were empty.  A text on the right that is
    no ``/regex/`` is matched by every part of it; null on the right by nothing.
    """
    match expression:
        case And(left, right):
            return evaluate(left, lookup) and evaluate(right, lookup)
        case Or(left, right):
            return evaluate(left, lookup) or evaluate(right, lookup)
        case Truth(operand):
            return bool(_value(operand, lookup))
        case Comparison(left_operand, right_operand, negated):
            return (_value(left_operand, lookup) == _value(right_operand, lookup)) != negated
        case Match(text, pattern, negated):
            return _matches(str(_value(text, lookup) or ""), _pattern(pattern, lookup)) != negated


def _value(operand: Operand, lookup: Callable[[str], str | None]) -> str | bool | None:
    return lookup(operand.name) if isinstance(operand, Variable) else operand.value


def _pattern(right: Regex | Operand, lookup: Callable[[str], str | None]) -> Regex | str | None:
    if isinstance(right, Regex):
        return right
    value = _value(right, lookup)
    try:
        return None if value is None else parse_regex(str(value))
    except (ValueError, re.error):
        return str(value)


def _matches(text: str, pattern: Regex | str | None) -> bool:
    if isinstance(pattern, Regex):
        return pattern.compiled().search(text) is not None
    # GitLab searches the other way round then: files say `=~ "merge_request_event"` and mean "is"
    return pattern is not None and text in pattern
