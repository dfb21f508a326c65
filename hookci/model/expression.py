"""The conditions of ``rules: if``, parsed: GitLab's expression language as values.

Source: GitLab CI/CD YAML reference, "CI/CD variable expressions" (``==``, ``!=``, ``=~``, ``!~``, ``&&``, ``||``,
parentheses, ``$NAME``, quoted strings, ``null`` and ``/regexes/``).
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


@dataclass(frozen=True, slots=True)
class Variable:
    """``$NAME``: its value, or null when it is not set."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A quoted string, or ``null`` (None)."""

    value: str | None


Operand = Variable | Literal


@dataclass(frozen=True, slots=True)
class Regex:
    """``/pattern/flags``; the only flag with a meaning here is ``i``."""

    pattern: str
    ignore_case: bool = False

    def compiled(self) -> re.Pattern[str]:
        """The pattern, ready to be searched for.

        Raises:
            re.error: it is no regular expression.
        """
        with warnings.catch_warnings():
            # Python only warns about what a later version may read in another way.
            warnings.simplefilter("ignore")
            try:
                return re.compile(self.pattern, re.IGNORECASE if self.ignore_case else 0)
            except (OverflowError, RecursionError) as error:
                raise re.error(str(error)) from error


@dataclass(frozen=True, slots=True)
class Truth:
    """A lone operand: true when it is neither null nor empty."""

    operand: Operand


@dataclass(frozen=True, slots=True)
class Comparison:
    """``==``, or ``!=`` when negated."""

    left: Operand
    right: Operand
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """``=~``, or ``!~`` when negated; a variable on the right holds a ``/regex/``."""

    left: Operand
    right: Regex | Operand
    negated: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """``&&``, which binds tighter than ``||``."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Or:
    """``||``."""

    left: Expression
    right: Expression


Expression = Truth | Comparison | Match | And | Or


_REGEX = re.compile(r"/(.+)/([ismU]*)", re.DOTALL)


def parse_regex(text: str) -> Regex:
    """The regex written as ``/pattern/flags``; of GitLab's flags ``ismU`` only ``i`` means anything here.

    Raises:
        ValueError: ``text`` has no such form.
        re.error: the pattern is no regular expression.
    """
    found = _REGEX.fullmatch(text)
    if not found:
        raise ValueError("expected a regular expression such as /^v[0-9]+/")
    regex = Regex(found[1], ignore_case="i" in found[2])
    regex.compiled()
    return regex


def evaluate(expression: Expression, lookup: Callable[[str], str | None]) -> bool:
    """Whether ``expression`` holds, as GitLab decides it; ``lookup`` tells a variable's value, None when it is not set.

    A regex is searched for, not matched in full.  Null matches no regex, and nothing matches a
    variable on the right that holds no ``/regex/``.
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
        case Match(text, regex, negated):
            return _matches(_value(text, lookup), _regex(regex, lookup)) != negated


def _value(operand: Operand, lookup: Callable[[str], str | None]) -> str | None:
    return lookup(operand.name) if isinstance(operand, Variable) else operand.value


def _regex(right: Regex | Operand, lookup: Callable[[str], str | None]) -> Regex | None:
    if isinstance(right, Regex):
        return right
    try:
        return parse_regex(_value(right, lookup) or "")
    except (ValueError, re.error):
        return None


def _matches(text: str | None, regex: Regex | None) -> bool:
    return text is not None and regex is not None and regex.compiled().search(text) is not None
