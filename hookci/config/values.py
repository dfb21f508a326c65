"""Checks of single values; each adds to ``problems`` what is wrong at ``path`` and hands on what can be used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.config.problems import Problem, expected
from hookci.config.words import show
from hookci.model.duration import parse_duration
from hookci.model.expression import parse_regex
from hookci.model.globs import matcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.words import Path

__all__ = [
    "check_name",
    "check_names",
    "check_paths",
    "check_patterns",
    "check_script",
    "seconds",
]

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_name(name: str, what: str, path: Path, problems: list[Problem]) -> None:
    """The name of a stage or job is shown on one line and must be seen there."""
    if not name.strip():
        problems.append(Problem(path, f"the name of a {what} is empty"))
    elif not name.isprintable():
        problems.append(Problem(path, f"the name of a {what} holds a control character"))


def check_names(variables: Mapping[str, str], path: Path, problems: list[Problem]) -> dict[str, str]:
    """The names of environment variables, as POSIX has them (XBD 8.1), in either case."""
    wrong = (name for name in variables if not _VARIABLE.fullmatch(name))
    problems.extend(expected((*path, name), "a variable's name of letters, digits and _", name) for name in wrong)
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
        parse_regex(pattern)
        if not pattern.endswith(("/", "/i")):  # all that `hookci.model.globs.name_matches` takes for a regex
            raise ValueError("expected a regular expression with no flag but i")
