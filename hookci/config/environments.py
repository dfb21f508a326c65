"""The environments of a document: from tables to places that can be deployed to."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from hookci.config.health import read_health
from hookci.config.needs import check_deployed
from hookci.config.problems import Problem, expected, unknown
from hookci.config.values import (
    VARIABLE,
    check_filled,
    check_names,
    check_paths,
    check_script,
    is_variable,
    longer_than_zero,
    plain,
)
from hookci.config.words import show
from hookci.model.environment import Approval, Environment, SecretSource, Trigger, is_component

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.config.schema_environment import ApprovalTable, EnvironmentTable, SecretTable
    from hookci.config.structure import Structure
    from hookci.config.words import Path
    from hookci.model.pipeline import Job

__all__ = ["read_environments"]


def read_environments(
    structure: Structure,
    jobs: Mapping[str, Job],
    problems: list[Problem],
    known: Mapping[str, Environment] = MappingProxyType({}),
) -> dict[str, Environment]:
    """The environments of a document by name, in its order.

    Args:
        structure: the document.
        jobs: those whose artifacts they may deploy.
        problems: what is wrong with them.
        known: those that are there already; the document may add to them.
    """
    environments = dict(known)
    built = tuple(dict.fromkeys(job.group for job in jobs.values() if job.build is not None and job.rules is None))
    for name, table in structure.document.environments.items():
        path = ("environments", name)
        _check_name(name, path, problems)
        start = known.get(name) if table.script is None else None
        if start is None:
            start = Environment(name=name, needs=built)
            if table.script is None and structure.is_sound("environments", name):
                problems.append(Problem(path, "has no script"))
        else:
            _check_started(table, path, problems)
        environments[name] = _environment(start, table, path, problems)
        check_deployed(structure, jobs, environments[name].needs, (*path, "needs"), problems)
    _check_after(structure, environments, problems)
    return environments


def _check_started(table: EnvironmentTable, path: Path, problems: list[Problem]) -> None:
    """What a job brings along that deploys cannot be said a second time."""
    hint = "leave it out, or write a `script`, which then takes the place of the job"
    said = [key for key in ("needs", "shell", "timeout") if key in table.model_fields_set]
    problems += [Problem((*path, key), "is said by the job that deploys", hint) for key in said]


def _check_name(name: str, path: Path, problems: list[Problem]) -> None:
    if not is_component(name) or not name.isprintable():
        problems.append(Problem(path, "the name of an environment becomes part of a git tag, which this cannot be"))
    elif name.startswith("-"):
        problems.append(Problem(path, "the name of an environment cannot start with -, as options do"))


def _environment(start: Environment, table: EnvironmentTable, path: Path, problems: list[Problem]) -> Environment:
    check_filled(table, ("url",), path, problems)
    values: dict[str, Any] = {
        key: _READERS[key](getattr(table, key), (*path, key), problems) for key in table.model_fields_set
    }
    if "deploy" in values:
        values["trigger"] = values.pop("deploy")
    return replace(start, **values)


def _branch(name: str, path: Path, problems: list[Problem]) -> str:
    if not all(map(is_component, name.split("/"))) or name.startswith("-") or name in {"@", "HEAD"}:
        problems.append(expected(path, "the name of one branch", name))
    return name


def _approval(value: bool | ApprovalTable, path: Path, problems: list[Problem]) -> Approval | None:  # noqa: FBT001 (the form that TOML has)
    if isinstance(value, bool):
        return Approval() if value else None
    if value.expires is None:
        return Approval(not_author=value.not_author)
    expires = longer_than_zero(value.expires, (*path, "expires"), problems)
    return Approval(expires=expires, not_author=value.not_author)


def _secrets(
    value: list[str] | dict[str, SecretTable | None], path: Path, problems: list[Problem]
) -> tuple[SecretSource, ...]:
    if isinstance(value, list):
        wrong = (index for index, name in enumerate(value) if not is_variable(name))
        problems.extend(expected((*path, index), VARIABLE, value[index]) for index in wrong)
        return tuple(SecretSource(name=name) for name in dict.fromkeys(value))
    check_names(value, path, problems)
    return tuple(_secret(name, table, (*path, name), problems) for name, table in value.items())


def _secret(name: str, table: SecretTable | None, path: Path, problems: list[Problem]) -> SecretSource:
    if table is None:
        return SecretSource(name=name)
    if (table.file is None) == (table.command is None):
        problems.append(Problem(path, "expected either file or command"))
    check_filled(table, ("command",), path, problems)
    file = "" if table.file is None else _own_file(table.file, (*path, "file"), problems)
    return SecretSource(name=name, file=file, command=table.command or "")


def _own_file(name: str, path: Path, problems: list[Problem]) -> str:
    """A file of the person's, which the repository cannot bring along."""
    if not name.startswith(("/", "~/")):
        problems.append(expected(path, "an absolute path, or one below ~", name))
    return name


_READERS: Mapping[str, Callable[[Any, Path, list[Problem]], object]] = {
    "branch": _branch,
    "deploy": plain(Trigger),
    "after": plain(str),
    "approval": _approval,
    "script": check_script,
    "rollback": check_script,
    "shell": plain(str),
    "timeout": longer_than_zero,
    "health": read_health,
    "variables": check_names,
    "pass_env": plain(tuple),
    "secrets": _secrets,
    "needs": plain(tuple),
    "keep": plain(int),
    "url": plain(str),
    "trust": check_paths,
    "irreversible": check_paths,
    "background": plain(bool),
    "pushed": plain(bool),
    "signers": _own_file,
}


def _check_after(structure: Structure, environments: Mapping[str, Environment], problems: list[Problem]) -> None:
    written = structure.raw["environments"] if structure.document.environments else ()
    names = [*dict.fromkeys([*written, *environments])]
    told: set[str] = set()
    for name in structure.document.environments:
        environment = environments[name]
        path = ("environments", name, "after")
        if "after" in structure.document.environments[name].model_fields_set and environment.after not in names:
            problems.append(unknown(path, "environment", environment.after, names))
        way = _way_back(name, environments)
        if way and told.isdisjoint(way):
            told.update(way)
            problems.append(Problem(path, f"cycle: {' -> '.join(way)}"))
        before = environments.get(environment.after)
        if before and before.branch != environment.branch and _have_whole_branches(structure, name, before.name):
            branches = f"{show(before.branch)}, this one from {show(environment.branch)}"
            problems.append(Problem(path, f"{show(before.name)} is deployed from {branches}"))


def _have_whole_branches(structure: Structure, *names: str) -> bool:
    return all(structure.is_sound("environments", name, "branch") for name in names)


def _way_back(name: str, environments: Mapping[str, Environment]) -> list[str]:
    """The way from an environment to itself along ``after``, or nothing."""
    way = [name]
    while (environment := environments.get(way[-1])) and environment.after and len(way) <= len(environments):
        way.append(environment.after)
        if environment.after == name:
            return way
    return []
