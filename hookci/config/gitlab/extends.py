"""Lays every job upon those that its ``extends`` names.

Source: GitLab CI/CD YAML reference, "extends": several parents, eleven levels, mappings merged at any depth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.config.gitlab.located import Items, Table, deep_merge
from hookci.config.problems import Problem
from hookci.config.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["extend"]

_DEEPEST = 11
"""Jobs with ``extends`` in a row."""


def extend(document: Table, problems: list[Problem]) -> Table:
    """The document with every ``extends`` resolved; the key itself stays."""
    extender = _Extender(document, problems)
    return Table({key: extender.job(key, ()) for key in document}, document.marks)


class _Extender:
    def __init__(self, document: Table, problems: list[Problem]) -> None:
        self._document = document
        self._problems = problems
        self._known: dict[str, object] = {}
        self._heights: dict[str, int] = {}

    def job(self, name: str, below: tuple[str, ...]) -> object:
        """The value under ``name``, extended; ``below`` are the jobs that it is wanted for."""
        if name not in self._known:
            value = self._document[name]
            if not isinstance(value, Table) or "extends" not in value:
                return value
            self._known[name] = self._extended(name, value, below)
        return self._known[name]

    def _extended(self, name: str, value: Table, below: tuple[str, ...]) -> Table:
        path = (name, "extends")
        if name in below:
            chain = " -> ".join((*below[below.index(name) :], name))
            self._problems.append(Problem(path, f"circular dependency detected in `extends`: {chain}"))
            return value
        merged, height = Table(), 1
        for parent in self._parents(name, value["extends"]) if len(below) < _DEEPEST else ():
            above = self.job(parent, (*below, name))
            if isinstance(above, Table):
                merged = deep_merge(merged, above)
            height = max(height, 1 + self._heights.get(parent, 0))
        self._heights[name] = height
        if height > _DEEPEST or len(below) >= _DEEPEST:
            self._problems.append(Problem(path, f"nesting too deep in `extends`: {_DEEPEST} levels at most"))
        return deep_merge(merged, value)

    def _parents(self, name: str, extends: object) -> Iterator[str]:
        """The jobs above ``name`` that can be extended."""
        for index, parent in enumerate(extends if isinstance(extends, Items) else [extends]):
            path = (name, "extends", index) if isinstance(extends, Items) else (name, "extends")
            if parent is None and path[-1] == "extends":
                continue
            if not isinstance(parent, str) or parent not in self._document:
                message = f"unknown keys in `extends` ({parent})"
                self._problems.append(Problem(path, message, did_you_mean(str(parent), self._document)))
            elif not isinstance(self._document[parent], Table):
                self._problems.append(Problem(path, f"invalid base hashes in `extends` ({parent})"))
            else:
                yield parent
