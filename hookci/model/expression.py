"""The conditions of ``rules: if``, parsed: GitLab's expression language as values.

Source: GitLab CI/CD YAML reference, "CI/CD variable expressions" (``==``, ``!=``, ``=~``, ``!~``, ``&&``, ``||``,
``!``, parentheses, ``$NAME``, quoted strings, ``null``, ``true``, ``false`` and ``/regexes/``); where that is silent,
what GitLab does (its ``Gitlab::Ci::Pipeline::Expression``).  Regular expressions are RE2's.
"""

from __future__ import annotations

import functools
import re
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
    "Not",
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
    """A quoted string, ``null`` (None), or a boolean, which equals the word for it too."""

    value: str | bool | None


class Regex(Struct, frozen=True):
    """``/pattern/flags``: ``i`` for either case, ``m`` for ``^`` and ``$`` at every line, ``s`` for a dot at all.

    ``U`` has repetitions match as little as they can.
    """

    pattern: str
    flags: str = ""

    def compiled(self) -> re.Pattern[str]:
        """The pattern, ready to be searched for.

        Raises:
            re.error: it is no regular expression.
        """
        return _compiled(self.pattern, self.flags)


@functools.lru_cache(maxsize=256)
def _compiled(text: str, flags: str) -> re.Pattern[str]:
    from hookci.model.re2 import translated  # noqa: PLC0415 (few conditions have one)

    try:
        return re.compile(translated(text, flags))
    except (OverflowError, RecursionError) as error:
        raise re.error(str(error)) from error


class Truth(Struct, frozen=True):
    """A lone operand: true when it is neither null nor empty."""

    operand: Variable | Literal


class Not(Struct, frozen=True):
    """``!``, which binds tighter than anything else."""

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


Expression = Truth | Not | Comparison | Match | And | Or
Operand = Variable | Literal | Expression

_REGEX = pattern(r"/(.+)/([ismU]*)", re.DOTALL)


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
        case Not(negation):
            return not _value(negation, lookup)
        case Comparison(left_operand, right_operand, negated):
            return _are_equal(_value(left_operand, lookup), _value(right_operand, lookup)) != negated
        case Match(text, pattern, negated):
            return _matches(_text(_value(text, lookup)) or "", _pattern(pattern, lookup)) != negated


def _value(operand: Operand, lookup: Callable[[str], str | None]) -> str | bool | None:
    if isinstance(operand, Variable):
        return lookup(operand.name)
    return operand.value if isinstance(operand, Literal) else evaluate(operand, lookup)


def _text(value: str | bool | None) -> str | None:  # noqa: FBT001 (one of the three kinds of values)
    return str(value).lower() if isinstance(value, bool) else value


def _are_equal(one: str | bool | None, other: str | bool | None) -> bool:  # noqa: FBT001 (as above)
    return _text(one) == _text(other)


def _pattern(right: Regex | Operand, lookup: Callable[[str], str | None]) -> Regex | str | None:
    if isinstance(right, Regex):
        return right
    value = _value(right, lookup)
    try:
        return None if value is None else parse_regex(_text(value) or "")
    except (ValueError, re.error):
        return _text(value)


def _matches(text: str, pattern: Regex | str | None) -> bool:
    if isinstance(pattern, Regex):
        return pattern.compiled().search(text) is not None
    # GitLab searches the other way round then: files say `=~ "merge_request_event"` and mean "is"
    return pattern is not None and text in pattern
