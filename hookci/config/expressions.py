"""Reads the conditions of ``rules: if``.

Source: GitLab CI/CD YAML reference, "CI/CD variable expressions"; of its grammar, `hookci.model.expression` holds the
meaning.  What GitLab takes for no variable, no regular expression or too long a condition is refused only where the
file is one of GitLab's: ``${NAME}``, ``/x/``, and more than a hundred words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.config.words import show
from hookci.model.expression import And, Comparison, Literal, Match, Not, Or, Truth, Variable, parse_regex

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
    | (?P<operator> == | != | =~ | !~ | && | \|\| | [()!] )
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
_MOST_OF_GITLABS = 100  # the end counts (its ``Lexer::MAX_TOKENS``)
_SHORT_REGEX = re.compile(r"/[^/]/")


class ExpressionError(ValueError):
    """A condition cannot be read; ``column`` counts characters from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column


def parse_expression(text: str, *, gitlab: bool = False) -> Expression:
    """The condition that ``text`` holds, of a file of GitLab's or of hookci's.

    Raises:
        ExpressionError: it is none.
    """
    reader = _Reader(text, gitlab=gitlab)
    expression = reader.alternatives()
    if reader.kind != "end":
        raise reader.error("&&, || or the end")
    return expression


class _Reader:
    """A recursive descent over the tokens of one condition; ``kind`` and ``word`` are the token in front."""

    def __init__(self, text: str, *, gitlab: bool) -> None:
        self._text = text
        self._gitlab = gitlab
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
        most = _MOST_OF_GITLABS if self._gitlab else _MOST_TOKENS
        if self._count > most:
            raise ExpressionError(f"more than {most} words", self._start + 1)
        if self._gitlab:
            self._refuse_what_gitlab_refuses(before)
        return before

    def _refuse_what_gitlab_refuses(self, before: str) -> None:
        if self.kind == "variable" and self.word.startswith("${"):
            name = self.word[2:-1]
            raise ExpressionError(f"`{self.word}` is no variable here: write `${name}`", self._start + 1)
        if self.kind == "regex" and _SHORT_REGEX.match(self.word):
            why = "GitLab takes no regular expression of a single character"
            raise ExpressionError(f"`{self.word}`: {why}", self._start + 1)
        if self.kind == "nothing" and before.startswith("/") and len(before) > 1:
            raise ExpressionError(
                rf"a slash within a regular expression is written `\/`, saw {show(self._text)}", self._start + 1
            )

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
        left = self.operand()
        while self.word in _COMPARING or self.word in _MATCHING:
            sign = self.advance()
            if sign in _COMPARING:
                left = Comparison(left, self.operand(), sign == "!=")
            else:
                left = Match(left, self.pattern(), sign == "!~")
        return Truth(left) if isinstance(left, Variable | Literal) else left

    def parenthesised(self) -> Operand:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError(f"more than {_DEEPEST} parentheses within each other", self._start + 1)
        self.advance()
        inner = self.alternatives()
        if self.word != ")":
            raise self.error("&&, || or )")
        self.advance()
        self._depth -= 1
        return inner.operand if isinstance(inner, Truth) else inner

    def operand(self) -> Operand:
        if self.word == "(":
            return self.parenthesised()
        if self.word == "!":
            return self.negated()
        if self.kind not in _OPERANDS:
            raise self.error("a $VARIABLE, a quoted text or null")
        kind, word = self.kind, self.advance()
        if kind == "variable":
            return _variable(word)
        return Literal(word[1:-1] if kind == "string" else _NAMED[word])

    def negated(self) -> Operand:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError(f"more than {_DEEPEST} negations within each other", self._start + 1)
        self.advance()
        negation = Not(self.operand())
        self._depth -= 1
        return negation

    def pattern(self) -> Regex | Operand:
        column, kind, word = self._start + 1, self.kind, self.word
        if word == "(":
            return self.parenthesised()
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
