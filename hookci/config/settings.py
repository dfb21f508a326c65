"""What belongs to a clone or a person and never to the repository: git's own config, and one file of the user's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hookci.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Settings", "read_settings"]

_PREFIX = "hookci."
_UNCONFIGURED = ("allow", "refuse")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of this clone.

    ``allow_unconfigured`` lets pushes of trees without a pipeline through (``hookci.unconfigured=allow``);
    ``jobs`` is how many jobs run at once (``hookci.jobs``), None for one on each processor.  ``deploys`` names the
    environments that this clone deploys from its hooks (``hookci.deploys``, once for each), ``remote`` the remote that
    locks and tags of deployments go to (``hookci.remote``), None for ``origin`` where there is one.
    """

    allow_unconfigured: bool = False
    jobs: int | None = None
    deploys: tuple[str, ...] = ()
    remote: str | None = None


def read_settings(git_config: Mapping[str, list[str]], user_file: Path) -> Settings:
    """Settings from ``hookci.*`` in git's config, which beats the user's file.

    Args:
        git_config: all of git's settings; keys in lower case, the last value of a key counts, of a list all do.
        user_file: a TOML file with the same keys, without the ``hookci.`` in front; may be missing.

    Raises:
        ConfigError: a key or value makes no sense.
    """
    source = str(user_file)
    given = {name: (source, value) for name, value in _user_values(user_file).items()}
    for key, values in git_config.items():
        if key.startswith(_PREFIX):
            name = key.removeprefix(_PREFIX)
            given[name] = ("git config", values if name in _LISTS else values[-1])
    problems: list[tuple[str, ConfigProblem]] = []
    parsed = {name: _parse(name, value, place, problems) for name, (place, value) in given.items()}
    if problems:
        raise ConfigError(problems[0][0], tuple(problem for _place, problem in problems))
    return Settings(**{_FIELDS.get(name, name): value for name, value in parsed.items()})


def _parse(name: str, value: object, place: str, problems: list[tuple[str, ConfigProblem]]) -> Any:  # noqa: ANN401 (as its field in Settings has it)
    if name not in _PARSERS:
        import difflib  # noqa: PLC0415 (only when something is wrong)

        near = difflib.get_close_matches(name, _PARSERS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(_PARSERS)}"
        problems.append((place, ConfigProblem(f"hookci.{name}", "unknown setting", hint)))
        return None
    try:
        return _PARSERS[name](value)
    except ValueError as error:
        problems.append((place, ConfigProblem(f"hookci.{name}", f"{error}, saw `{value}`")))
        return None


def _user_values(path: Path) -> dict[str, object]:
    if not path.exists():
        return {}
    import tomli  # noqa: PLC0415 (few have the file)

    try:
        return tomli.loads(path.read_text(encoding="utf-8"))
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


def _deploys(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
        raise ValueError("expected names of environments")
    return tuple(dict.fromkeys(names))


def _remote(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or value.startswith("-"):
        raise ValueError("expected the name of a remote")
    return value


_PARSERS: dict[str, Callable[[object], object]] = {
    "unconfigured": _unconfigured,
    "jobs": _jobs,
    "deploys": _deploys,
    "remote": _remote,
}
_LISTS = {"deploys"}
_FIELDS = {"unconfigured": "allow_unconfigured"}
