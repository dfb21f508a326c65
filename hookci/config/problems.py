"""The problems of one document, gathered while it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from hookci.config.words import did_you_mean, show, show_path
from hookci.errors import ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hookci.config.words import Path

__all__ = ["Problem", "in_file_order"]


class Problem(Struct, frozen=True):
    """A `hookci.errors.ConfigProblem` whose path is still one of steps."""

    path: Path
    message: str
    hint: str | None = None


def expected(path: Path, what: str, value: object) -> Problem:
    """``value`` is not what belongs there."""
    return Problem(path, f"expected {what}, saw {show(value)}")


def unknown(path: Path, what: str, name: str, known: Iterable[str]) -> Problem:
    """``name`` names nothing; ``what`` is what it should name, such as ``job``."""
    return Problem(path, f"there is no {what} {show(name)}", did_you_mean(name, known))


def in_file_order(problems: Iterable[Problem], raw: Mapping[str, Any]) -> tuple[ConfigProblem, ...]:
    """The problems in the order in which their places first appear in the file, each once."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: _position(problem.path, raw))
    return tuple(ConfigProblem(show_path(problem.path), problem.message, problem.hint) for problem in ordered)


def _position(path: Path, raw: Mapping[str, Any]) -> list[int]:
    value: Any = raw
    position = []
    for step in path:
        if isinstance(value, dict) and step in value:
            position.append(list(value).index(step))
            value = value[step]
        elif isinstance(value, list) and isinstance(step, int):
            position.append(step)
            value = value[step]
        else:
            return [*position, len(value) if isinstance(value, dict | list) else 0]
    return position
