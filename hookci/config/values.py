"""Checks of single values; each adds to ``problems`` what is wrong at ``path`` and hands on what can be used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from hookci.config.problems import Problem, expected
from hookci.config.words import show
from hookci.model.duration import parse_duration
from hookci.model.globs import matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hookci.config.schema_base import Table
    from hookci.config.words import Path

__all__ = [
    "VARIABLE",
    "check_filled",
    "check_name",
    "check_names",
    "check_paths",
    "check_patterns",
    "check_script",
    "is_variable",
    "longer_than_zero",
    "plain",
    "seconds",
]

VARIABLE = "a variable's name of letters, digits and _"
"""What `is_variable` expects, in words."""

_T = TypeVar("_T")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMED_REGEX = re.compile(r"/(.+)/[ismU]*", re.DOTALL)


def check_name(name: str, what: str, path: Path, problems: list[Problem]) -> None:
    """The name of a stage or job is shown on one line and must be seen there."""
    if not name.strip():
        problems.append(Problem(path, f"the name of a {what} is empty"))
    elif not name.isprintable():
        problems.append(Problem(path, f"the name of a {what} holds a control character"))


def is_variable(name: str) -> bool:
    """Whether it is the name of an environment variable, as POSIX has them (XBD 8.1), in either case."""
    return _VARIABLE.fullmatch(name) is not None


def check_names(variables: Mapping[str, _T], path: Path, problems: list[Problem]) -> dict[str, _T]:
    """The names of environment variables."""
    problems.extend(expected((*path, name), VARIABLE, name) for name in variables if not is_variable(name))
    return dict(variables)


def check_script(commands: list[str], path: Path, problems: list[Problem]) -> tuple[str, ...]:
    """A script has at least one command."""
    if not any(command.strip() for command in commands):
        problems.append(Problem(path, "is empty"))
    return tuple(commands)


def seconds(text: str, path: Path, problems: list[Problem], *, positive: bool = False) -> float:
    """A duration; a ``positive`` one is longer than nothing."""
    try:
        duration = parse_duration(text)
    except ValueError as error:
        problems.append(Problem(path, f"{error}, saw {show(text)}"))
        return 0.0
    if positive and not duration:
        problems.append(expected(path, "a duration longer than zero", text))
    return duration


def longer_than_zero(text: str, path: Path, problems: list[Problem]) -> float:
    """A duration that something can be done in."""
    return seconds(text, path, problems, positive=True)


def plain(convert: Callable[[Any], object]) -> Callable[[Any, Path, list[Problem]], object]:
    """A reader of values about which nothing is left to check."""
    return lambda value, _path, _problems: convert(value)


def check_filled(table: Table, keys: Iterable[str], path: Path, problems: list[Problem]) -> None:
    """What is written and says nothing is a slip, and often one that lets more pass than was meant."""
    said = {key: getattr(table, key) for key in keys}
    empty = (key for key, value in said.items() if value == [] or (isinstance(value, str) and not value.strip()))
    problems.extend(Problem((*path, key), "is empty") for key in empty)


def check_paths(globs: list[str], path: Path, problems: list[Problem]) -> tuple[str, ...]:
    """Paths or globs that stay below the repository's root."""
    for index, glob in enumerate(globs):
        if not glob.strip() or glob.startswith("/") or ".." in glob.split("/"):
            problems.append(expected((*path, index), "a path below the repository's root", glob))
        elif not _is_glob(glob):
            problems.append(expected((*path, index), "a glob that stands for fewer patterns", glob))
    return tuple(globs)


def _is_glob(glob: str) -> bool:
    try:
        matcher(glob)
    except Exception:  # noqa: BLE001 (wcmatch's limit of what {1..100000} may become is a private class)
        return False
    return True


def check_patterns(patterns: list[str], path: Path, problems: list[Problem]) -> tuple[str, ...]:
    """Globs, or ``/regexes/``, of branch or tag names."""
    for index, pattern in enumerate(patterns):
        try:
            _check_pattern(pattern)
        except ValueError as error:
            problems.append(Problem((*path, index), f"{error}, saw {show(pattern)}"))
        except re.error as error:
            problems.append(Problem((*path, index), f"no regular expression: {error}, saw {show(pattern)}"))
    return tuple(patterns)


def _check_pattern(pattern: str) -> None:
    if not pattern:
        raise ValueError("expected a glob or a /regex/")
    if pattern.startswith("/"):
        found = _NAMED_REGEX.fullmatch(pattern)
        if not found:
            raise ValueError("expected a regular expression such as /^v[0-9]+/")
        re.compile(found[1])
        if not pattern.endswith(("/", "/i")):  # all that `hookci.model.globs.name_matches` takes for a regex
            raise ValueError("expected a regular expression with no flag but i")
