"""What a hook or a person asks for, as jobs of the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.errors import UsageError
from hookci.model.snapshot import HookName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.model.pipeline import Job, Pipeline

__all__ = ["Asked", "asked_by_hook", "asked_within", "cells", "names_asked"]

_DEPLOY = "deploy"

Asked = tuple[str, ...]


def asked_by_hook(pipeline: Pipeline, hook: str) -> Asked:
    """What a hook asks for: what ``[hooks]`` says, else nothing on a commit and all stages on a push.

    A deployment is no part of a push, unless GitLab would make it one.
    """
    if hook in pipeline.hooks:
        return pipeline.hooks[hook]
    if hook == HookName.PRE_MERGE_COMMIT:
        return asked_by_hook(pipeline, HookName.PRE_COMMIT)
    if hook == HookName.PRE_PUSH:
        return tuple(stage for stage in pipeline.stages if pipeline.gitlab or stage != _DEPLOY)
    return ()


def names_asked(pipeline: Pipeline, asked: Asked) -> dict[str, bool]:
    """The jobs that ``asked`` means, each with whether it was meant by its own name.

    A stage wins over a job of the same name; ``job:NAME`` means the job.  The name a matrix was written
    under means all its cells, that of a job in a pipeline which another job starts means that one too.

    Raises:
        UsageError: a name is neither a stage nor a job.
    """
    found: dict[str, bool] = {}
    for name in asked:
        if name in pipeline.stages:
            for job in pipeline.jobs.values():
                if job.stage == name:
                    found.setdefault(job.name, False)
        else:
            found.update(dict.fromkeys(_jobs_called(pipeline, name.removeprefix("job:")), True))
    return {name: found[name] for name in pipeline.jobs if name in found}


def asked_within(asked: Asked, job: str) -> Asked:
    """What ``asked`` means of the pipeline that ``job`` starts; nothing when it means all of it."""
    names = (name.removeprefix("job:") for name in asked)
    return tuple(f"job:{name.removeprefix(f'{job}/')}" for name in names if name.startswith(f"{job}/"))


def cells(pipeline: Pipeline, name: str) -> tuple[str, ...]:
    """The jobs that ``name`` means: one, or all that a matrix made of it."""
    if name in pipeline.jobs:
        return (name,)
    return tuple(job.name for job in pipeline.jobs.values() if job.group == name)


def _jobs_called(pipeline: Pipeline, name: str) -> tuple[str, ...]:
    jobs = cells(pipeline, name) or tuple(job.name for job in _starters(pipeline, name))
    if not jobs:
        known = {*pipeline.stages, *pipeline.jobs, *(job.group for job in pipeline.jobs.values())}
        from difflib import get_close_matches  # noqa: PLC0415 (only for what is not there)

        near = get_close_matches(name, sorted(known), n=1)
        listed = f"jobs: {', '.join(pipeline.jobs) or 'none'}; stages: {', '.join(pipeline.stages)}"
        raise UsageError(
            f"{pipeline.source} has no stage and no job named `{name}`",
            f"did you mean `{near[0]}`?" if near else listed,
        )
    return jobs


def _starters(pipeline: Pipeline, name: str) -> Iterator[Job]:
    """The jobs that start a pipeline in which ``name``, with theirs in front, is a job."""
    for job in pipeline.jobs.values():
        if job.trigger is not None and name.startswith(f"{job.name}/"):
            yield job
