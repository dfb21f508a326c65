"""From parsed TOML to the pipeline, or to every problem there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from hookci import __version__
from hookci.config.environments import read_environments
from hookci.config.jobs import read_jobs
from hookci.config.needs import check_hooks, check_needs, with_builders
from hookci.config.notify import read_notify
from hookci.config.problems import Problem, expected, in_file_order
from hookci.config.requires import is_met
from hookci.config.scans import read_suppressions, with_suppressions
from hookci.config.structure import read_structure
from hookci.config.values import check_name
from hookci.config.words import show
from hookci.errors import ConfigError
from hookci.model.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hookci.config.structure import Structure
    from hookci.config.words import Path
    from hookci.errors import ConfigProblem

__all__ = ["check_requires", "read_pipeline", "told"]


def read_pipeline(source: str, raw: Mapping[str, Any]) -> Pipeline:
    """The pipeline that ``raw``, read from ``source``, defines.

    Raises:
        ConfigError: with every problem of structure and of meaning, in the order of the file.
    """
    structure = read_structure(raw)
    problems: list[Problem] = []
    _check_top(structure, problems)
    suppressions = read_suppressions(structure.document.suppressions, problems)
    jobs = with_suppressions(read_jobs(structure, problems), suppressions)
    jobs = with_builders(structure, jobs, problems)
    check_needs(structure, jobs, problems)
    hooks = check_hooks(structure, jobs, problems)
    environments = read_environments(structure, jobs, problems)
    notify = read_notify(structure.document.notify, problems)
    found = told(structure, problems)
    if found:
        raise ConfigError(source, found)
    return Pipeline(
        source=source,
        stages=tuple(structure.document.stages),
        jobs=jobs,
        hooks=hooks,
        suppressions=suppressions,
        environments=environments,
        notify=notify,
    )


def told(structure: Structure, problems: list[Problem]) -> tuple[ConfigProblem, ...]:
    """What is wrong with the structure, and ``problems`` of meaning as far as they follow from nothing else."""
    found = [*structure.problems, *_certain(structure, problems), *_unspeakable(structure.raw)]
    return in_file_order(found, structure.raw)


def _certain(structure: Structure, problems: list[Problem]) -> Iterator[Problem]:
    """The problems at places that are whole; what is said about a broken one may only follow from that."""
    for problem in problems:
        place = structure.locate(problem.path)
        if structure.is_sound(*place):
            yield replace(problem, path=place)


def _unspeakable(value: object) -> Iterator[Problem]:
    """Text that no process can be given, since it ends at the NUL character."""
    pending: list[tuple[Path, object]] = [((), value)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, str) and "\0" in value:
            yield Problem(path, "holds a NUL character")
        elif isinstance(value, dict):
            pending += (((*path, key), item) for key, item in value.items())
        elif isinstance(value, list):
            pending += (((*path, index), item) for index, item in enumerate(value))


def check_requires(structure: Structure, problems: list[Problem]) -> None:
    """The versions that a document is for are versions."""
    requires = structure.document.requires
    if requires is not None and is_met(requires, __version__) is None:
        problems.append(expected(("requires",), 'versions such as ">=0.3"', requires))


def _check_top(structure: Structure, problems: list[Problem]) -> None:
    document = structure.document
    check_requires(structure, problems)
    if not structure.raw.get("jobs"):
        problems.append(Problem(("jobs",), "a pipeline needs at least one job"))
    if not document.stages:
        problems.append(Problem(("stages",), "is empty"))
    for index, stage in enumerate(document.stages):
        check_name(stage, "stage", ("stages", index), problems)
        if stage in document.stages[:index]:
            problems.append(Problem(("stages", index), f"there is more than one stage {show(stage)}"))
