"""The environments of a document: checked, so that a config that cannot deploy is red before it has to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.config.problems import Problem, unknown
from hookci.config.values import check_names, check_patterns, check_script, seconds

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hookci.config.schema import EnvironmentTable, HealthTable
    from hookci.config.structure import Structure
    from hookci.config.words import Path

__all__ = ["check_environments"]

# git-check-ref-format(1), for one component: releases are tagged deploy/<environment>/<n>.
_NO_COMPONENT = re.compile(r"^\.|\.\.|[\x00-\x20\x7f~^:?*\[\\/]|@\{|\.$|\.lock$|^$")


def check_environments(structure: Structure, jobs: Collection[str], problems: list[Problem]) -> None:
    """Names, order and checks of all environments; ``jobs`` are the names their ``needs`` may hold."""
    environments = structure.document.environments
    for name, table in environments.items():
        path = ("environments", name)
        if _NO_COMPONENT.search(name):
            problems.append(Problem(path, "the name of an environment becomes part of a git tag, which this cannot be"))
        _check_table(table, path, problems)
        for index, job in enumerate(table.needs or ()):
            if job not in jobs:
                problems.append(unknown((*path, "needs", index), "job", job, jobs))
    _check_after(structure, environments, problems)


def _check_table(table: EnvironmentTable, path: Path, problems: list[Problem]) -> None:
    if table.script is None:
        problems.append(Problem(path, "has no script"))
    else:
        check_script(table.script, (*path, "script"), problems)
    check_patterns(table.branch or [], (*path, "branch"), problems)
    check_names(table.variables or {}, (*path, "variables"), problems)
    for index, health in enumerate(table.health or ()):
        _check_health(health, (*path, "health", index), problems)


def _check_health(table: HealthTable, path: Path, problems: list[Problem]) -> None:
    if (table.url is None) == (table.command is None):
        problems.append(Problem(path, "expected either url or command"))
    if table.within is not None:
        seconds(table.within, (*path, "within"), problems, positive=True)
    if table.stable is not None:
        seconds(table.stable, (*path, "stable"), problems)


def _check_after(structure: Structure, environments: Mapping[str, EnvironmentTable], problems: list[Problem]) -> None:
    names = list(structure.raw.get("environments", {})) if environments else []
    told: set[str] = set()
    for name, table in environments.items():
        path = ("environments", name, "after")
        if table.after is not None and table.after not in names:
            problems.append(unknown(path, "environment", table.after, names))
        way = _way_back(name, environments)
        if way and told.isdisjoint(way):
            told.update(way)
            problems.append(Problem(path, f"cycle: {' -> '.join(way)}"))


def _way_back(name: str, environments: Mapping[str, EnvironmentTable]) -> list[str]:
    """The way from an environment to itself along ``after``, or nothing."""
    way = [name]
    while (table := environments.get(way[-1])) and table.after is not None and len(way) <= len(environments):
        way.append(table.after)
        if table.after == name:
            return way
    return []
