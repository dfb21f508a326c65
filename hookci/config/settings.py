"""What belongs to a clone or a person and never to the repository: git's own config, and one file of the user's."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import tomli

from hookci.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Settings", "read_settings"]

_UNCONFIGURED = ("allow", "refuse")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of this clone.

    ``allow_unconfigured`` lets pushes of trees without a pipeline through (``hookci.unconfigured=allow``);
    ``jobs`` is how many jobs run at once (``hookci.jobs``), None for one on each processor.
    """

    allow_unconfigured: bool = False
    jobs: int | None = None


def read_settings(git_config: Mapping[str, list[str]], user_file: Path) -> Settings:
    """Settings from ``hookci.*`` in git's config, which beats the user's file.

    Args:
        git_config: all of git's settings; keys in lower case, the last value of a key counts.
        user_file: a TOML file with the same keys, without the ``hookci.`` in front; may be missing.

    Raises:
        ConfigError: a key or value makes no sense.
    """
    values = dict(_user_values(user_file))
    source = str(user_file)
    problems: list[tuple[str, ConfigProblem]] = []
    places = dict.fromkeys(values, source)
    for key, given in git_config.items():
        if key.startswith("hookci."):
            name = key.removeprefix("hookci.")
            values[name], places[name] = given[-1], "git config"
    for name in values:
        if name not in _PARSERS:
            near = difflib.get_close_matches(name, _PARSERS, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(_PARSERS)}"
            problems.append((places[name], ConfigProblem(f"hookci.{name}", "unknown setting", hint)))
    parsed: dict[str, object] = {}
    for name, parser in _PARSERS.items():
        if name in values:
            try:
                parsed[name] = parser(values[name])
            except ValueError as error:
                problems.append((places[name], ConfigProblem(f"hookci.{name}", f"{error}, saw `{values[name]}`")))
    if problems:
        raise ConfigError(problems[0][0], tuple(problem for _place, problem in problems))
    jobs = parsed.get("jobs")
    return Settings(allow_unconfigured=bool(parsed.get("unconfigured")), jobs=jobs if isinstance(jobs, int) else None)


def _user_values(path: Path) -> dict[str, object]:
    try:
        return tomli.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(str(path), (ConfigProblem("", f"cannot be read: {error}"),)) from error


def _unconfigured(value: object) -> bool:
    if value not in _UNCONFIGURED:
        raise ValueError("expected `allow` or `refuse`")
    return value == "allow"


def _jobs(value: object) -> int:
    if not str(value).isdecimal() or int(str(value)) < 1:
        raise ValueError("expected a whole number of 1 or more")
    return int(str(value))


_PARSERS = {"unconfigured": _unconfigured, "jobs": _jobs}
