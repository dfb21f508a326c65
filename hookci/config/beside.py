"""Reads a ``hookci.toml`` that stands beside a GitLab pipeline and adds to it.

Its ``[variables]`` are to the pipeline what a project's variables are on GitLab: they win over those of the file.  Its
``[defaults]`` are below what the file says of a job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from hookci.config.environments import read_environments
from hookci.config.jobs import read_defaults
from hookci.config.needs import check_hooks
from hookci.config.notify import read_notify
from hookci.config.pipeline import check_requires, told
from hookci.config.problems import Problem
from hookci.config.scans import read_suppressions, with_suppressions
from hookci.config.structure import read_structure
from hookci.errors import ConfigError
from hookci.model.pipeline import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.structure import Structure
    from hookci.config.surroundings import Surroundings
    from hookci.model.environment import Environment
    from hookci.model.pipeline import Pipeline

__all__ = ["read_beside"]

_NOT_BESIDE = ("stages", "jobs")
_BLANK = Job(name="", group="", stage="")


def read_beside(source: str, raw: Mapping[str, Any], surroundings: Surroundings) -> Pipeline:
    """The pipeline of the GitLab file that ``raw`` names as its ``pipeline``, with what ``raw`` adds to it.

    Raises:
        ConfigError: with every problem of both; what is said of jobs can only be checked when there are some.
    """
    structure = read_structure(raw)
    problems = _out_of_place(raw)
    check_requires(structure, problems)
    named = str(raw["pipeline"])
    if surroundings.read(named) is None:
        problems.append(Problem(("pipeline",), f"there is no file {named}"))
        raise ConfigError(source, told(structure, problems))
    from hookci.config.gitlab.pipeline import read_gitlab  # noqa: PLC0415 (only beside a GitLab pipeline)

    try:
        pipeline = read_gitlab(named, replace(surroundings, settled=structure.document.variables))
    except ConfigError as error:
        found = told(structure, problems)
        raise ConfigError(source if found else error.source, (*found, *error.problems)) from error
    stages = structure.document.model_copy(update={"stages": list(pipeline.stages)})
    pipeline = _added(replace(structure, document=stages), pipeline, problems)
    found = told(structure, problems)
    if found:
        raise ConfigError(source, found)
    return pipeline


def _out_of_place(raw: Mapping[str, Any]) -> list[Problem]:
    hint = "leave it out, or leave out `pipeline`"
    return [Problem((key,), f"stands in {raw['pipeline']} already", hint) for key in _NOT_BESIDE if key in raw]


def _added(structure: Structure, pipeline: Pipeline, problems: list[Problem]) -> Pipeline:
    document = structure.document
    suppressions = read_suppressions(document.suppressions, problems)
    start = read_defaults(document, problems)
    is_local = document.defaults.image is not None and start.image is None
    jobs = {name: _below(start, job, is_local=is_local) for name, job in pipeline.jobs.items()}
    jobs = with_suppressions(jobs, suppressions)
    return replace(
        pipeline,
        jobs=jobs,
        hooks=check_hooks(structure, jobs, problems),
        suppressions=suppressions,
        environments=read_environments(structure, jobs, problems, _deploying(pipeline, jobs)),
        notify=read_notify(document.notify, problems),
        warnings=(*pipeline.warnings, *_dropped(pipeline, is_local=is_local)),
    )


def _deploying(pipeline: Pipeline, jobs: Mapping[str, Job]) -> Mapping[str, Environment]:
    """What the jobs deploy to, as they are with all that stands beside them."""
    if not pipeline.environments:
        return {}
    from hookci.config.gitlab.environments import environments_of  # noqa: PLC0415 (only beside a GitLab pipeline)

    return environments_of(jobs.values(), next(iter(pipeline.environments.values())).branch)


def _below(start: Job, job: Job, *, is_local: bool) -> Job:
    """``job`` with what ``start`` says of what it does not say itself."""
    said = {name: getattr(start, name) for name in Job.__struct_fields__}
    added = {
        name: value
        for name, value in said.items()
        if value != getattr(_BLANK, name) and getattr(job, name) == getattr(_BLANK, name) and name != "stage"
    }
    added["variables"] = {**start.variables, **job.variables}
    if is_local:
        added |= {"image": None, "services": ()}
    if job.trigger is not None:
        child = job.trigger.pipeline
        below = {name: _below(start, one, is_local=is_local) for name, one in child.jobs.items()}
        added["trigger"] = replace(job.trigger, pipeline=replace(child, jobs=below))
    return replace(job, **added)


def _dropped(pipeline: Pipeline, *, is_local: bool) -> list[str]:
    if not is_local or not any(job.image or job.services for job in pipeline.jobs.values()):
        return []
    return [f'defaults.image = "local": jobs run on this machine, no image or service of {pipeline.source} is used']
