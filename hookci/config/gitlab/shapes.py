"""Reads plain values out of a ``.gitlab-ci.yml``; what does not fit is a problem, worded as GitLab words it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from hookci.config.gitlab.durations import parse_period
from hookci.config.words import did_you_mean, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import StrEnum

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path

__all__ = [
    "as_list",
    "choice",
    "choices",
    "commands",
    "flag",
    "numbers",
    "ruby_text",
    "seconds",
    "table",
    "text",
    "texts",
    "whole",
]

_DEEPEST_SCRIPT = 10
_WEEK = 7 * 86400.0
_WORD = TypeVar("_WORD", bound="StrEnum")


def text(value: object, path: Path, ledger: Ledger) -> str | None:
    """A text that is not empty."""
    if not isinstance(value, str):
        ledger.problem(path, f"should be a string, saw {show(value)}")
        return None
    if not value.strip():
        ledger.problem(path, "can't be blank")
        return None
    return value


def flag(value: object, path: Path, ledger: Ledger) -> bool | None:
    """A boolean; YAML has read ``yes`` and ``off`` already."""
    if not isinstance(value, bool):
        ledger.problem(path, f"should be a boolean value, saw {show(value)}")
        return None
    return value


def whole(value: object, path: Path, ledger: Ledger, *, least: int, most: int) -> int | None:
    """A whole number in a range."""
    if isinstance(value, bool) or not isinstance(value, int):
        ledger.problem(path, f"is not a number, saw {show(value)}")
    elif value < least:
        ledger.problem(path, f"must be greater than or equal to {least}, saw {value}")
    elif value > most:
        ledger.problem(path, f"must be less than or equal to {most}, saw {value}")
    else:
        return value
    return None


def numbers(value: object, path: Path, ledger: Ledger) -> tuple[int, ...]:
    """A whole number, or a list of them: exit codes."""
    found = as_list(value)
    if not found or not all(isinstance(item, int) and not isinstance(item, bool) for item in found):
        ledger.problem(path, f"should be an integer or an array of integers, saw {show(value)}")
        return ()
    return tuple(item for item in found if isinstance(item, int))


def as_list(value: object) -> list[object]:
    """A list as it is, anything else as the only item of one, nothing as none."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def texts(value: object, path: Path, ledger: Ledger, *, single: bool = False, nested: bool = False) -> tuple[str, ...]:
    """A list of texts; or a ``single`` text, or ``nested`` lists as ``!reference`` leaves them, if that is allowed."""
    if isinstance(value, str) and single:
        return (value,)
    flat = _flat(value, _DEEPEST_SCRIPT if nested else 0)
    if not isinstance(value, list) or flat is None:
        what = "an array of strings or a string" if single else "an array of strings"
        is_nested = isinstance(value, list) and _flat(value, _DEEPEST_SCRIPT) is not None
        hint = "write one list: only scripts, rules and stages may hold lists in lists" if is_nested else None
        ledger.problem(path, f"should be {what}, saw {'a list in it' if is_nested else _shown(value)}", hint)
        return ()
    return flat


def commands(value: object, path: Path, ledger: Ledger) -> tuple[str, ...]:
    """A script: a text, or a list of texts that may be nested (reference, "script")."""
    flat = (value,) if isinstance(value, str) else _flat(value, _DEEPEST_SCRIPT)
    if flat is None or not isinstance(value, str | list):
        wanted = f"a string or a nested array of strings up to {_DEEPEST_SCRIPT} levels deep"
        hint = "quote a command that holds a colon and a space" if _holds_table(value) else None
        ledger.problem(path, f"config should be {wanted}, saw {_shown(value)}", hint)
        return ()
    return flat


def _flat(value: object, levels: int) -> tuple[str, ...] | None:
    """The texts of a nested list, None when it holds something else or lists too deep."""
    if not isinstance(value, list) or levels < 0:
        return None
    found: list[str] = []
    for item in value:
        inner = (item,) if isinstance(item, str) else _flat(item, levels - 1)
        if inner is None:
            return None
        found += inner
    return tuple(found)


def _holds_table(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(_holds_table(item) for item in value))


def _shown(value: object) -> str:
    """A list by the first item that is no text."""
    while isinstance(value, list) and value:
        value = next((item for item in value if not isinstance(item, str)), "")
    return "a hash" if isinstance(value, dict) else show(value)


def table(value: object, path: Path, ledger: Ledger, known: Iterable[str]) -> Mapping[str, object]:
    """A hash with no keys but the ``known`` ones; keys without a value are as if they were not there."""
    if not isinstance(value, dict):
        ledger.problem(path, f"config should be a hash, saw {show(value)}")
        return {}
    ledger.unknown_keys(value, known, path)
    return {key: item for key, item in value.items() if item is not None}


def choice(value: object, words: type[_WORD], path: Path, ledger: Ledger) -> _WORD | None:
    """One of a few words."""
    allowed = [word.value for word in words]
    if isinstance(value, str) and value in allowed:
        return words(value)
    hint = did_you_mean(value, allowed) if isinstance(value, str) else None
    ledger.problem(path, f"should be one of: {', '.join(allowed)}, saw {show(value)}", hint)
    return None


def choices(value: object, words: type[_WORD], path: Path, ledger: Ledger) -> tuple[_WORD, ...]:
    """One of a few words, or a list of them."""
    found = [choice(item, words, path, ledger) for item in as_list(value)]
    return tuple(word for word in found if word is not None)


def seconds(value: object, path: Path, ledger: Ledger, *, most: float = 30 * 86400.0) -> float | None:
    """A span of time, up to a limit: a month for ``timeout``, a week for ``start_in``."""
    try:
        period = parse_period("" if isinstance(value, bool) else str(value))
    except ValueError as error:
        ledger.problem(path, f"{error}, saw {show(value)}", "write it as `1h 30m` or `90 seconds`")
        return None
    if period > most:
        limit = "1 week" if most == _WEEK else "1 month"
        ledger.problem(path, f"should not exceed the limit of {limit}, saw {show(value)}")
        return None
    return period


_EXPONENT = re.compile(r"^(-?\d+)(?:\.(\d+))?e([+-]\d+)$")


def ruby_text(value: object) -> str | None:
    """A text, number or boolean as Ruby, which GitLab is written in, turns it into a text; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        exponent = _EXPONENT.match(repr(value))
        return f"{exponent[1]}.{exponent[2] or '0'}e{exponent[3]}" if exponent else repr(value)
    return None
