"""The environments that jobs of a GitLab pipeline deploy to, as `hookci deploy` knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.environment import Approval, DeployJob, Environment, is_component
from hookci.model.pipeline import When
from hookci.model.slugs import environment_slug
from hookci.model.variables import expand_for_gitlab, references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hookci.model.pipeline import Job

__all__ = ["environments_of"]


def environments_of(jobs: Iterable[Job], branch: str) -> dict[str, Environment]:
    """The environments that ``jobs`` deploy to, by name, in the order of the jobs.

    Left out are those whose name only a commit knows (``review/$CI_COMMIT_REF_SLUG``) or no tag can have, and what
    jobs of child pipelines deploy to.

    Args:
        jobs: of a pipeline that was written for GitLab.
        branch: the default branch, from which all of them are deployed.
    """
    found: dict[str, list[Job]] = {}
    for job in jobs:
        name = _name(job)
        if name is not None:
            found.setdefault(name, []).append(job)
    return {name: _environment(name, deploying, branch) for name, deploying in found.items()}


def _name(job: Job) -> str | None:
    """The name of the environment that a job deploys to, if that is known before there is a commit."""
    if job.environment is None or job.environment.action != "start" or job.trigger is not None:
        return None
    name = _expanded(job.environment.name, job.variables)
    # it becomes part of a git tag, and a word of a command line
    return name if name is not None and is_component(name) and not name.startswith("-") else None


def _expanded(text: str, variables: Mapping[str, str]) -> str | None:
    """``text`` with the variables of the file in place, None if it needs others; they may name each other."""
    known, left = dict[str, str](), dict(variables)
    while True:
        ready = {name: value for name, value in left.items() if known.keys() >= set(references(value, variables))}
        if known.keys() >= set(references(text, variables)):
            return expand_for_gitlab(text, known.get)
        if not ready:
            return None
        known |= {name: expand_for_gitlab(value, known.get) for name, value in ready.items()}
        left = {name: value for name, value in left.items() if name not in known}


def _environment(name: str, jobs: Sequence[Job], branch: str) -> Environment:
    return Environment(
        name=name,
        branch=branch,
        approval=Approval() if any(map(_may_wait, jobs)) else None,
        jobs=tuple(map(_deploying, jobs)),
        timeout=sum(job.timeout for job in jobs),
        url=next(filter(None, (_url(name, job) for job in jobs)), ""),
    )


def _may_wait(job: Job) -> bool:
    """Whether the file says, in some pipeline at least, that a person starts it."""
    return When.MANUAL in ({rule.when or job.when for rule in job.rules} if job.rules is not None else {job.when})


def _deploying(job: Job) -> DeployJob:
    return DeployJob(
        name=job.name,
        script=(*job.before_checkout, *job.before_script, *job.script, *job.after_script),
        variables=job.variables,
        image=job.image,
        services=job.services,
    )


def _url(name: str, job: Job) -> str | None:
    if job.environment is None or job.environment.url is None:
        return None
    told = {"CI_ENVIRONMENT_NAME": name, "CI_ENVIRONMENT_SLUG": environment_slug(name)}
    return _expanded(job.environment.url, {**told, **job.variables})
