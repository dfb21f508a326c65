"""TOML and JSON whose errors have a line, and JSON whose members have places."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import tomli

from hookci.scan.dependencies.text import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.scan.dependencies.text import Text

__all__ = ["Member", "load_json", "load_toml", "members"]

_OPENING = re.compile(r"\s*\{\s*")
_COLON = re.compile(r"\s*:\s*")
_COMMA = re.compile(r"\s*,?\s*")
_DECODER = json.JSONDecoder()


class Member(NamedTuple):
    """A member of a JSON object: where its name begins, and where its value does."""

    name: str
    at: int
    begin: int
    value: Any


def load_toml(text: Text) -> dict[str, Any]:
    """The table that ``text`` is.

    Raises:
        UnreadableError: it is no TOML.
    """
    try:
        return tomli.loads(text.text)
    except tomli.TOMLDecodeError as error:
        raise UnreadableError(f"no TOML: {error.msg.lower()}", error.lineno) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        raise UnreadableError("no TOML that can be read") from None


def load_json(text: Text) -> dict[str, Member]:
    """The members of the object that ``text`` is, by their names.

    Raises:
        UnreadableError: it is no JSON, or something else than an object.
    """
    try:
        value = json.loads(text.text)
    except json.JSONDecodeError as error:
        raise UnreadableError(f"no JSON: {error.msg.lower()}", error.lineno) from None
    except (ValueError, RecursionError):  # as above
        raise UnreadableError("no JSON that can be read") from None
    if not isinstance(value, dict):
        raise UnreadableError("no JSON object")
    return {member.name: member for member in members(text, 0)}


def members(text: Text, begin: int) -> Iterator[Member]:
    """The members of the object that begins at ``begin``; the text is JSON, as `load_json` knows."""
    at = _end(_OPENING, text, begin)
    while text.text[at] == '"':
        name, end = _DECODER.raw_decode(text.text, at)
        start = _end(_COLON, text, end)
        value, end = _DECODER.raw_decode(text.text, start)
        yield Member(name, at, start, value)
        at = _end(_COMMA, text, end)


def _end(pattern: re.Pattern[str], text: Text, begin: int) -> int:
    match = pattern.match(text.text, begin)
    return match.end() if match else begin
