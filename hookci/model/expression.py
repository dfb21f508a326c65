"""The conditions of ``rules: if``, parsed: GitLab's expression language as values.

Source: GitLab CI/CD YAML reference, "CI/CD variable expressions" (``==``, ``!=``, ``=~``, ``!~``, ``&&``, ``||``,
parentheses, ``$NAME``, quoted strings, ``null`` and ``/regexes/``).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["And", "Comparison", "Expression", "Literal", "Match", "Operand", "Or", "Regex", "Truth", "Variable"]


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
