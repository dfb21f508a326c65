"""Values of YAML files that know where they stand, and how GitLab merges them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

from hookci.config.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hookci.config.words import Path

__all__ = ["Items", "NoText", "Place", "ProblemAt", "Table", "deep_merge", "find_place"]


class Place(NamedTuple):
    """Where a value stands: a path from the repository's root or an include's address, and a line from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class NoText(str):
    """A key that is no text to YAML, as it is written: ``on``, ``1.5``, ``~``; ``value`` is what it means."""

    __slots__ = ("value",)
    value: float | bool | None

    def __new__(cls, written: str, value: float | bool | None) -> Self:  # noqa: FBT001 (a value of YAML)
        """The key as it is written, with what it means."""
        key = super().__new__(cls, written)
        key.value = value
        return key

    @property
    def meaning(self) -> str:
        """What it means to YAML, in words of YAML."""
        return "null" if self.value is None else str(self.value).lower()

    @property
    def hint(self) -> str:
        """What to do where a text is needed."""
        return f"YAML reads `{self}` as {self.meaning}: put it in quotes"


class Table(dict[str, Any]):
    """A mapping; ``marks`` has the place of each of its keys.  Nothing changes one once it is made."""

    __slots__ = ("marks",)

    def __init__(self, values: dict[str, Any] | None = None, marks: dict[str, Place] | None = None) -> None:
        super().__init__(values or {})
        self.marks = marks or {}

    def put(self, key: str, value: object, place: Place) -> None:
        """Set ``key``, which stays where it is if it is there already, as in Ruby."""
        self[key] = value
        self.marks[key] = place


class Items(list[Any]):
    """A sequence; ``marks`` has the place of each of its items."""

    __slots__ = ("marks",)

    def __init__(self, values: Iterable[Any] = (), marks: Iterable[Place] = ()) -> None:
        super().__init__(values)
        self.marks = list(marks)


class ProblemAt(Problem, frozen=True):
    """A problem that stands somewhere else than its path in the composed document says, such as in an include.

    ``bounded`` says that no other value depends on the one in question: the rest can be read, and checked.
    """

    place: Place | None = None
    bounded: bool = False


def deep_merge(base: Table, over: Table) -> Table:
    """A new mapping with ``over`` laid upon ``base``: mappings are merged at any depth, all else is replaced.

    Source: GitLab CI/CD, "Use CI/CD configuration from other files", "Merge method for include".
    """
    merged = Table(base, dict(base.marks))
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Table) and isinstance(value, Table):
            merged.put(key, deep_merge(below, value), over.marks[key])
        else:
            merged.put(key, value, over.marks[key])
    return merged


def find_place(values: Table, path: Path) -> Place | None:
    """Where the value at ``path`` stands, or the nearest one around it; None when not even its first step is there."""
    place: Place | None = None
    value: Any = values
    for step in path:
        if isinstance(value, Table) and step in value:
            place, value = value.marks[str(step)], value[str(step)]
        elif isinstance(value, Items) and isinstance(step, int) and step < len(value):
            place, value = value.marks[step], value[step]
        else:
            break
    return place
