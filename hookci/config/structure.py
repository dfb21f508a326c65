"""The structure of a document: held against the schema, and told in our own words what does not fit.

What does not fit is left out and the rest is read, so that the meaning of all sound parts can be checked in one go.
"""

from __future__ import annotations

import re
import typing
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from pydantic import BaseModel, ValidationError

from hookci.config.problems import Problem
from hookci.config.schema import Document
from hookci.config.words import did_you_mean, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from hookci.config.words import Path

__all__ = ["Structure", "read_structure"]

_MISSING = "missing"
_UNKNOWN = "unknown key"


class Structure(Struct, frozen=True):
    """A document without the parts that do not fit; ``dropped`` are their paths in ``raw``."""

    raw: Mapping[str, Any]
    document: Document
    dropped: frozenset[Path] = frozenset()
    problems: tuple[Problem, ...] = ()

    def is_sound(self, *path: str | int) -> bool:
        """Whether nothing at or below ``path`` was left out."""
        return not any(dropped[: len(path)] == path for dropped in self.dropped)

    def locate(self, path: Path) -> Path:
        """Where in ``raw`` the place is that ``document`` has at ``path``.

        Steps that only the longest form of a value has are passed over: what is ``script[0]`` in
        the document may be written as ``script = "make"``.
        """
        return _locate(self.raw, self.dropped, path)


def read_structure(raw: Mapping[str, Any]) -> Structure:
    """Hold ``raw``, parsed TOML, against the schema; one problem for each place that does not fit."""
    dropped: frozenset[Path] = frozenset()
    problems: list[Problem] = []
    while True:
        try:
            document = Document.model_validate(_without(raw, dropped))
        except ValidationError as error:
            found = [_problem(raw, dropped, details) for details in error.errors(include_url=False)]
        else:
            return Structure(raw, document, dropped, tuple(problems))
        problems += _first_hand([problem for problem, _ in found], dropped)
        dropped |= {place for _, place in found}


def _first_hand(problems: list[Problem], dropped: frozenset[Path]) -> list[Problem]:
    """Those that follow from no other: a key is not missing when mistyped, nor a place empty that was emptied here."""
    mistyped = {(problem.path[:-1], problem.hint) for problem in problems if problem.message == _UNKNOWN}
    return [
        problem
        for problem in problems
        if not any(path[: len(problem.path)] == problem.path for path in dropped)
        and (problem.message != _MISSING or (problem.path[:-1], f"did you mean `{problem.path[-1]}`?") not in mistyped)
    ]


def _without(value: Any, dropped: frozenset[Path], here: Path = ()) -> Any:  # noqa: ANN401 (any TOML value)
    if not any(path[: len(here)] == here for path in dropped):
        return value
    if isinstance(value, dict):
        kept = {key: (*here, key) for key in value if (*here, key) not in dropped}
        return {key: _without(value[key], dropped, path) for key, path in kept.items()}
    return [_without(value[index], dropped, (*here, index)) for index in _kept(value, dropped, here)]


def _kept(value: list[Any], dropped: frozenset[Path], here: Path) -> list[int]:
    return [index for index in range(len(value)) if (*here, index) not in dropped]


def _locate(raw: Mapping[str, Any], dropped: frozenset[Path], path: Path) -> Path:
    value: Any = raw
    here: Path = ()
    for step in path:
        if isinstance(value, dict) and step in value:
            here, value = (*here, step), value[step]
        elif isinstance(value, list) and isinstance(step, int):
            index = _kept(value, dropped, here)[step]
            here, value = (*here, index), value[index]
    return here


def _problem(raw: Mapping[str, Any], dropped: frozenset[Path], details: ErrorDetails) -> tuple[Problem, Path]:
    """The problem that pydantic means, and the path of what is to be left out for it."""
    place = details["loc"]
    if details["type"] == "missing":
        holder = _locate(raw, dropped, place[:-1])
        return Problem((*holder, place[-1]), _MISSING), holder
    path = _locate(raw, dropped, place)
    if details["type"] == "extra_forbidden":
        return Problem(path, _UNKNOWN, did_you_mean(str(place[-1]), _keys(Document, place[:-1]))), path
    return Problem(path, _message(details), _nearest_word(details)), path


_EXPECTED = {
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "too_short": "at least one",
}


def _message(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "expected":
        what = details["msg"]
    elif kind in {"literal_error", "enum"}:
        words = [show(word) for word in _words(details)]
        what = " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
    else:
        what = _EXPECTED[kind].format(**context)
    return f"expected {what}, saw {show(details['input'])}"


def _words(details: ErrorDetails) -> list[str]:
    """The words an enumeration allows; pydantic only tells them within a sentence."""
    return re.findall("'([^']*)'", details.get("ctx", {})["expected"])


def _nearest_word(details: ErrorDetails) -> str | None:
    if details["type"] not in {"literal_error", "enum"} or not isinstance(details["input"], str):
        return None
    return did_you_mean(details["input"], _words(details))


def _keys(kind: object, path: Path) -> list[str]:
    """The keys of the table that a type of the schema has at ``path``."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
        return _keys(fields[str(path[0])], path[1:]) if path else list(fields)
    if typing.get_origin(kind) in {list, dict}:
        return _keys(typing.get_args(kind)[-1], path[1:])
    rest = path[1:] if path and str(path[0]).startswith("<") else path  # the tag of a form, see AllowFailure
    return next(filter(None, (_keys(part, rest) for part in typing.get_args(kind))), [])
