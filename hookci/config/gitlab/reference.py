"""Resolves ``!reference [job, keyword]``.

Source: GitLab CI/CD, "Optimize GitLab CI/CD configuration files", "`!reference` tags": resolved when everything is
included and extended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hookci.config.gitlab.located import Items, Place, ProblemAt, Table
from hookci.config.words import did_you_mean

if TYPE_CHECKING:
    from hookci.config.problems import Problem
    from hookci.config.words import Path

__all__ = ["Reference", "resolve_references"]

_DEEPEST = 100


class Reference:
    """A ``!reference`` tag: the ``keys`` that lead to the value it stands for, and its place."""

    __slots__ = ("keys", "place", "resolved", "resolving")

    def __init__(self, keys: Items, place: Place) -> None:
        self.keys = keys
        self.place = place
        self.resolving = False
        self.resolved: list[Any] = []
        """The value, once it is known."""

    def __str__(self) -> str:
        return f"!reference [{', '.join(map(str, self.keys))}]"


def resolve_references(document: Table, problems: list[Problem]) -> Table:
    """The document with every reference replaced by what it stands for, None where that is nothing."""
    resolver = _Resolver(document, problems)
    return resolver.table(document, (), 0)


class _Resolver:
    def __init__(self, document: Table, problems: list[Problem]) -> None:
        self._document = document
        self._problems = problems

    def table(self, table: Table, path: Path, depth: int) -> Table:
        made: Table | None = None
        for key, value in table.items():
            known = self._value(value, (*path, key), depth)
            if known is not value:
                made = made or Table(table, table.marks)
                made[key] = known
        return made or table

    def _items(self, items: Items, path: Path, depth: int) -> Items:
        made: Items | None = None
        for index, value in enumerate(items):
            known = self._value(value, (*path, index), depth)
            if known is not value:
                made = made if made is not None else Items(items, items.marks)
                made[index] = known
        return items if made is None else made

    def _value(self, value: Any, path: Path, depth: int) -> Any:  # noqa: ANN401 (any YAML value)
        if isinstance(value, Table):
            return self.table(value, path, depth + 1)
        if isinstance(value, Items):
            return self._items(value, path, depth + 1)
        if isinstance(value, Reference):
            return self._target(value, path, depth)
        return value

    def _target(self, reference: Reference, path: Path, depth: int) -> Any:  # noqa: ANN401 (any YAML value)
        if reference.resolved:
            return reference.resolved[0]
        target = self._found(reference, path, depth)
        if target is not None:
            reference.resolving = True
            target = self._value(target, tuple(reference.keys), depth + 1)
            reference.resolving = False
        reference.resolved = [target]
        return target

    def _found(self, reference: Reference, path: Path, depth: int) -> Any:  # noqa: ANN401 (any YAML value)
        """What the keys lead to; None, and a problem, when that is nothing."""
        keys = reference.keys
        if not keys or not all(isinstance(key, str) for key in keys):
            return self._lost(reference, path, "is not valid", "write `!reference [.job, script]`")
        if reference.resolving:
            return self._lost(reference, path, "is part of a circular chain")
        if depth >= _DEEPEST:
            return self._lost(reference, path, f"is nested more than {_DEEPEST} levels deep")
        value: Any = self._document
        for key in keys:
            known = value if isinstance(value, Table) else Table()
            if key not in known:
                return self._lost(reference, path, "could not be found", did_you_mean(key, known))
            value = known[key]
        if value is None or value is False:  # nothing but these is false to Ruby, and GitLab asks no more than that
            return self._lost(reference, path, "could not be found")
        return value

    def _lost(self, reference: Reference, path: Path, why: str, hint: str | None = None) -> None:
        self._problems.append(ProblemAt(path, f"`{reference}` {why}", hint, reference.place))
