"""From the tables of a document to jobs, with a problem for every value that means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from hookci.config.containers import check_containers, read_build, read_image, read_services, settled
from hookci.config.matrix import cells
from hookci.config.problems import Problem, unknown
from hookci.config.rules import allow_failure, read_rules
from hookci.config.scans import check_scan_job, has_scanner, read_scan, without_script
from hookci.config.values import check_name, check_names, check_paths, check_script, longer_than_zero, plain
from hookci.config.words import show
from hookci.model.pipeline import AllowFailure, Artifacts, Cache, Job, Need, Retry, When

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.config.schema import Document
    from hookci.config.schema_job import (
        ArtifactsTable,
        CacheTable,
        JobTable,
        NeedTable,
        ReportsTable,
        RetryTable,
        Settings,
    )
    from hookci.config.structure import Structure
    from hookci.config.words import Path

__all__ = ["allow_failure", "read_defaults", "read_jobs"]

_DEFAULT_STAGE = "test"


def read_jobs(structure: Structure, problems: list[Problem]) -> dict[str, Job]:
    """The jobs of a document by name, in its order, the cells of each matrix in place of the matrix."""
    document = structure.document
    base = read_defaults(document, problems)
    jobs: dict[str, Job] = {}
    for name, table in document.jobs.items():
        path = ("jobs", name)
        check_name(name, "job", path, problems)
        start = without_script(base, document.stages) if has_scanner(table) else base
        job = replace(_changed(start, table, path, problems), name=name, group=name)
        job = settled(job, table)
        if job.when is When.MANUAL and not {"allow_failure"} & (
            table.model_fields_set | document.defaults.model_fields_set
        ):
            # GitLab's rule: who waits for a person holds up nobody, unless a rule made it so or allow_failure says it
            job = replace(job, allow_failure=AllowFailure(allowed=True))
        _check(job, table, structure, problems)
        check_containers(job, table, document.defaults, problems)
        for cell in cells(job, table.matrix, (*path, "matrix"), problems):
            if cell.name in jobs:
                problems.append(Problem((*path, "matrix"), f"there is more than one job {show(cell.name)}"))
            jobs[cell.name] = cell
    return jobs


def read_defaults(document: Document, problems: list[Problem]) -> Job:
    """What every job of a document starts from."""
    variables = check_names(document.variables, ("variables",), problems)
    base = Job(name="", group="", stage=_DEFAULT_STAGE, variables=variables)
    return _changed(base, document.defaults, ("defaults",), problems)


def _changed(job: Job, table: Settings, path: Path, problems: list[Problem]) -> Job:
    """``job`` with what a table says; its variables are added, all else takes the place of what was there."""
    said = {name: getattr(table, name) for name in table.model_fields_set & _READERS.keys()}
    values: dict[str, Any] = {
        name: _READERS[name](value, (*path, name), problems) for name, value in sorted(said.items())
    }
    values["variables"] = {**job.variables, **values.get("variables", {})}
    if "reports" in values:
        values["junit"] = values.pop("reports")
    return replace(job, **values)


def _check(job: Job, table: JobTable, structure: Structure, problems: list[Problem]) -> None:
    path = ("jobs", job.group)
    stages = structure.document.stages
    if job.stage not in stages and structure.is_sound("stages"):
        problems.append(unknown((*path, "stage"), "stage", job.stage, stages))
    if table.script is None and table.build is None and (table.scan is None or table.scan.sarif is not None):
        problems.append(Problem(path, "has no script"))
    check_scan_job(table, path, problems)


def _retry(value: RetryTable) -> Retry:
    return Retry(max=value.max, when=tuple(value.when), exit_codes=tuple(value.exit_codes or ()))


def _needs(value: list[NeedTable]) -> tuple[Need, ...]:
    return tuple(Need(need.job, need.artifacts, need.optional) for need in value)


def _caches(value: list[CacheTable], path: Path, problems: list[Problem]) -> tuple[Cache, ...]:
    return tuple(_cache(table, (*path, index), problems) for index, table in enumerate(value))


def _cache(table: CacheTable, path: Path, problems: list[Problem]) -> Cache:
    return Cache(
        paths=check_paths(table.paths, (*path, "paths"), problems),
        key=table.key.prefix,
        key_files=check_paths(table.key.files, (*path, "key", "files"), problems),
        policy=table.policy,
        when=table.when,
    )


def _artifacts(table: ArtifactsTable, path: Path, problems: list[Problem]) -> Artifacts:
    return Artifacts(
        paths=check_paths(table.paths, (*path, "paths"), problems),
        exclude=check_paths(table.exclude, (*path, "exclude"), problems),
        when=table.when,
    )


def _junit(table: ReportsTable, path: Path, problems: list[Problem]) -> tuple[str, ...]:
    return check_paths(table.junit or [], (*path, "junit"), problems)


_READERS: Mapping[str, Callable[[Any, Path, list[Problem]], object]] = {
    "stage": plain(str),
    "script": check_script,
    "before_script": plain(tuple),
    "after_script": plain(tuple),
    "shell": plain(str),
    "variables": check_names,
    "pass_env": plain(tuple),
    "secrets": plain(tuple),
    "needs": plain(_needs),
    "rules": read_rules,
    "when": plain(When),
    "allow_failure": plain(allow_failure),
    "retry": plain(_retry),
    "timeout": longer_than_zero,
    "cache": _caches,
    "artifacts": _artifacts,
    "inputs": check_paths,
    "carry": check_paths,
    "resource_group": plain(str),
    "reports": _junit,
    "scan": read_scan,
    "image": read_image,
    "services": read_services,
    "build": read_build,
    "tools": plain(tuple),
    "memory": plain(bool),
    "max_age": longer_than_zero,
    "weight": plain(int),
}
