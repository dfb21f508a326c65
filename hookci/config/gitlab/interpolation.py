"""Puts the values of inputs into a file's text: ``$[[ inputs.name | function ]]``.

Source: GitLab CI/CD, "CI/CD inputs", "Specify functions to manipulate input values".  As there, the text is changed
before it is read as YAML, with all but texts written as JSON.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hookci.config.gitlab.documents import Piece
from hookci.config.gitlab.known import expand
from hookci.config.gitlab.located import Place, ProblemAt
from hookci.config.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.config.problems import Problem

__all__ = ["interpolate"]

_BLOCK = re.compile(r"\$\[\[\s*(\S.*?\S)\s*\]\]")
_MOST_BLOCKS = 10_000
_MOST_FUNCTIONS = 3
_LONGEST = 1_000_000
"""Characters of the text that comes out."""

_LATER = ("matrix", "job")
"""What a block begins with whose value is known when jobs are made."""

_TRUNCATE = re.compile(r"truncate\(\s*(\d+)\s*,\s*(\d+)\s*\)?")
_SPLIT = re.compile(r"split\('([^']*)'\)")
_UNSAFE = re.compile(r"([^A-Za-z0-9_\-.,:+/@\n])")


class _BlockError(ValueError):
    """A block has no value."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def interpolate(
    piece: Piece,
    values: Mapping[str, Mapping[str, Any]],
    lookup: Callable[[str], str | None],
    file: str,
    problems: list[Problem],
) -> Piece:
    """``piece`` with the values of its blocks in their places; each line still knows where it stood.

    Args:
        piece: the text of a document.
        values: by the first word of a block: ``inputs``, ``component``.
        lookup: tells a variable, for ``expand_vars``.
        file: where the text stands.
        problems: a block that has no value adds to it.
    """
    made: list[str] = []
    lines = [piece.line(0)]
    at, line, length = 0, 0, 0
    for count, block in enumerate(_BLOCK.finditer(piece.text)):
        before = piece.text[at : block.start()]
        lines.extend(piece.line(line := line + 1) for _ in range(before.count("\n")))
        try:
            value = _value(block[1], values, lookup)
        except _BlockError as error:
            problems.append(ProblemAt((), str(error), error.hint, Place(file, piece.line(line))))
            value = ""
        value = block[0] if value is None else value
        lines.extend(piece.line(line) for _ in range(value.count("\n")))
        made += [before, value]
        at, length = block.end(), length + len(before) + len(value)
        if count >= _MOST_BLOCKS or length > _LONGEST:
            problems.append(ProblemAt((), "too many interpolation blocks", None, Place(file, piece.line(line))))
            break
    rest = piece.text[at:]
    lines.extend(piece.line(line := line + 1) for _ in range(rest.count("\n")))
    return Piece("".join([*made, rest]), lines)


def _value(text: str, values: Mapping[str, Mapping[str, Any]], lookup: Callable[[str], str | None]) -> str | None:
    """What a block stands for; None for one that is left for later."""
    access, *functions = (part.strip() for part in _parts(text))
    first, _, name = access.partition(".")
    if first in _LATER:
        return None
    if not name:
        raise _BlockError(f"`{text}`: invalid interpolation access pattern", "write `$[[ inputs.name ]]`")
    if name not in values.get(first, {}):
        raise _BlockError(f"unknown interpolation key: `{name}`", did_you_mean(name, values.get(first, {})))
    if len(functions) > _MOST_FUNCTIONS:
        raise _BlockError("too many functions in interpolation block")
    value = values[first][name]
    for function in functions:
        value = _applied(function, value, lookup)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parts(text: str) -> list[str]:
    return text.split("|") if "split('|')" not in text else re.split(r"\|(?!')", text)


def _applied(function: str, value: Any, lookup: Callable[[str], str | None]) -> Any:  # noqa: ANN401 (any YAML value)
    name = function.partition("(")[0]
    truncate, split = _TRUNCATE.fullmatch(function), _SPLIT.fullmatch(function)
    if not truncate and not split and function not in {"expand_vars", "posix_escape", "posix_quote"}:
        hint = did_you_mean(name, ["expand_vars", "posix_escape", "split", "truncate"])
        raise _BlockError(f"no function matching `{function}`: check the function name, arguments, and types", hint)
    if not isinstance(value, str):
        raise _BlockError(f"error in `{name}` function: invalid input type: it can only be used with string inputs")
    if truncate:
        return value[int(truncate[1]) :][: int(truncate[2])]
    if split:
        return [part.strip() for part in value.split(split[1]) if part.strip()] if split[1] else [value]
    if function == "expand_vars":
        return expand(value, lookup, keep=True)
    # Ruby's Shellwords.shellescape
    return _UNSAFE.sub(r"\\\1", value).replace("\n", "'\n'") or "''"
