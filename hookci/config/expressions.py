"""Reads the conditions of ``rules: if``.

Source: GitLab CI/CD YAML reference, "CI/CD variable expressions"; of its grammar, `hookci.model.expression` holds the
meaning.  ``${NAME}`` is taken as well, since shells and the rest of the format do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.config.words import show
from hookci.model.expression import And, Comparison, Literal, Match, Or, Truth, Variable, parse_regex

if TYPE_CHECKING:
    from hookci.model.expression import Expression, Operand, Regex

__all__ = ["ExpressionError", "parse_expression"]

_TOKEN = re.compile(
    r"""
      (?P<variable> \$(?:\w+|\{\w+\}) )
    | (?P<string>   "[^"]*" | '[^']*' )
    | (?P<null>     null\b )
    | (?P<boolean>  (?:true|false)\b )
    | (?P<regex>    /(?:[^/\\\n]|\\.)+/[ismU]* )
    | (?P<operator> == | != | =~ | !~ | && | \|\| | [()] )
    """,
    re.VERBOSE | re.ASCII,
)
_OPERANDS = {"variable", "string", "null", "boolean"}
_NAMED = {"null": None, "true": True, "false": False}
_QUOTED_REGEX = re.compile(r"./.+/[ismU]*.", re.DOTALL)
_COMPARING = {"==", "!="}
_MATCHING = {"=~", "!~"}
# Conditions are read and decided by recursion; nobody writes one as long or deep, and none may exhaust the stack.
_MOST_TOKENS = 500
_DEEPEST = 20


class ExpressionError(ValueError):
    """A condition cannot be read; ``column`` counts characters from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column


def parse_expression(text: str) -> Expression:
    """The condition that ``text`` holds.

    Raises:
        ExpressionError: it is none.
    """
    reader = _Reader(text)
    expression = reader.alternatives()
    if reader.kind != "end":
        raise reader.error("&&, || or the end")
    return expression


class _Reader:
    """A recursive descent over the tokens of one condition; ``kind`` and ``word`` are the token in front."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._start = self._end = self._count = self._depth = 0
        self.kind = self.word = ""
        self.advance()

    def advance(self) -> str:
        """Go one token on; the word of the one that was in front."""
        before = self.word
        rest = self._text[self._end :]
        self._start = len(self._text) - len(rest.lstrip())
        found = _TOKEN.match(self._text, self._start)
        self.kind = (found and found.lastgroup) or ("nothing" if rest.strip() else "end")
        self.word = found[0] if found else ""
        self._end = self._start + len(self.word)
        self._count += 1
        if self._count > _MOST_TOKENS:
            raise ExpressionError(f"more than {_MOST_TOKENS} words", self._start + 1)
        return before

    def error(self, expected: str) -> ExpressionError:
        """The token in front is not what the grammar asks for."""
        seen = "the end" if self.kind == "end" else show(self.word or self._text[self._start])
        return ExpressionError(f"expected {expected}, saw {seen}", self._start + 1)

    def alternatives(self) -> Expression:
        left = self.conjunction()
        while self.word == "||":
            self.advance()
            left = Or(left, self.conjunction())
        return left

    def conjunction(self) -> Expression:
        left = self.condition()
        while self.word == "&&":
            self.advance()
            left = And(left, self.condition())
        return left

    def condition(self) -> Expression:
        if self.word == "(":
            return self.parenthesised()
        left = self.operand()
        if self.word in _COMPARING:
            negated = self.advance() == "!="
            return Comparison(left, self.operand(), negated)
        if self.word in _MATCHING:
            negated = self.advance() == "!~"
            return Match(left, self.pattern(), negated)
        return Truth(left)

    def parenthesised(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError(f"more than {_DEEPEST} parentheses within each other", self._start + 1)
        self.advance()
        inner = self.alternatives()
        if self.word != ")":
            raise self.error("&&, || or )")
        self.advance()
        self._depth -= 1
        return inner

    def operand(self) -> Operand:
        if self.kind not in _OPERANDS:
            raise self.error("a $VARIABLE, a quoted text or null")
        kind, word = self.kind, self.advance()
        if kind == "variable":
            return _variable(word)
        return Literal(word[1:-1] if kind == "string" else _NAMED[word])

    def pattern(self) -> Regex | Operand:
        column, kind, word = self._start + 1, self.kind, self.word
        if kind not in {"regex", "string", "variable"}:
            raise self.error("a /regex/, a $VARIABLE or a quoted text")
        self.advance()
        if kind == "variable":
            return _variable(word)
        if kind == "string" and not _QUOTED_REGEX.fullmatch(word):
            return Literal(word[1:-1])
        quotes = 1 if kind == "string" else 0
        try:
            return parse_regex(word[quotes : len(word) - quotes])
        except ValueError as error:
            raise ExpressionError(str(error), column) from error
        except re.error as error:
            raise ExpressionError(f"no regular expression: {error}", column) from error


def _variable(word: str) -> Variable:
    return Variable(word.strip("${}"))
