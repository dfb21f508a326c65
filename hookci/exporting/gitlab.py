"""``hookci.toml`` as a ``.gitlab-ci.yml`` whose jobs call hookci.

Source of every word: GitLab CI/CD YAML reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hookci.errors import UsageError
from hookci.exporting.conditions import UnsayableError, gitlab_rules, refuse_waiting
from hookci.exporting.hosted import (
    CELL,
    INSTALL,
    as_yaml,
    check_exported,
    heading,
    hosted_jobs,
    needed,
    needs_builder,
    on_a_push,
    seconds,
)
from hookci.model.container import Pull
from hookci.model.pipeline import CachePolicy, When

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.exporting.hosted import HostedJob
    from hookci.model.container import Image, Service
    from hookci.model.pipeline import Cache, Job, Pipeline

__all__ = ["gitlab_file"]

_RESERVED = {
    "image", "services", "stages", "before_script", "after_script", "variables", "cache", "include", "default",
    "workflow", "pages", "spec", "true", "false", "nil",
}  # fmt: skip
"""What GitLab takes for something else than a job."""
_LONGEST_NAME = 255
_MOST_CACHES = 4


def gitlab_file(pipeline: Pipeline) -> str:
    """The text of a ``.gitlab-ci.yml`` for ``pipeline``; the same text for the same pipeline.

    A job that a push does not ask for waits for a person there.  Rules that GitLab has no words for are left to
    hookci, which then runs nothing when none holds.

    Raises:
        UsageError: GitLab cannot have such a job.
    """
    check_exported(pipeline, "GitLab")
    asked = on_a_push(pipeline).jobs
    hosted = hosted_jobs(pipeline, lambda job: _body(job, asked=job.name in asked))
    document: dict[str, Any] = {
        "stages": list(pipeline.stages),
        # hookci judges pushes; what hosted engines make of a merge request beside them is none
        "workflow": {
            "rules": [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"', "when": "never"}, {"when": "always"}]
        },
        # for what changed, and for scans, hookci looks at history
        "variables": {"GIT_DEPTH": "0"},
        "default": {"before_script": [INSTALL]},
    }
    for name, one in hosted.items():
        _check_name(name)
        document[name] = _job(pipeline, hosted, one)
    return heading("gitlab", pipeline) + "\n" + as_yaml(document)


def _check_name(name: str) -> None:
    if name in _RESERVED or name.startswith(".") or len(name) > _LONGEST_NAME:
        raise UsageError(f"GitLab cannot have a job named `{name}`", "give the job another name")


def _job(pipeline: Pipeline, hosted: Mapping[str, HostedJob], one: HostedJob) -> dict[str, Any]:
    said: dict[str, Any] = {"stage": one.job.stage}
    if one.cells:
        said["parallel"] = {"matrix": [{CELL: list(one.cells)}]}
    if one.job.needs is not None:
        said["needs"] = _needs(pipeline, hosted, one.job)
    return {**said, "script": [one.command], **one.body}


def _needs(pipeline: Pipeline, hosted: Mapping[str, HostedJob], job: Job) -> list[str | dict[str, Any]]:
    needs: list[str | dict[str, Any]] = []
    for need, other, cell in needed(pipeline, hosted, job):
        said: dict[str, Any] = {"job": other.name}
        if not need.artifacts:
            said["artifacts"] = False
        if need.optional:
            said["optional"] = True
        if cell is not None:
            said["parallel"] = {"matrix": [{CELL: [cell]}]}
        needs.append(other.name if len(said) == 1 else said)
    return needs


def _body(job: Job, *, asked: bool) -> dict[str, Any]:
    """All that a hosted job is but its name, its command and its place in the order."""
    said: dict[str, Any] = {**_when(job, asked=asked), "timeout": f"{seconds(job)} seconds"}
    if job.resource_group is not None:
        said["resource_group"] = job.resource_group
    if job.image is not None and not needs_builder(job):
        said["image"] = _image(job.image)
    if job.services and not needs_builder(job):
        said["services"] = [_service(service) for service in job.services]
    if job.cache:
        said["cache"] = [_cache(cache) for cache in job.cache[:_MOST_CACHES]]
    if artifacts := _artifacts(job):
        said["artifacts"] = artifacts
    return said


def _when(job: Job, *, asked: bool) -> dict[str, Any]:
    if not asked:
        return {"when": When.MANUAL.value, "allow_failure": True}
    said: dict[str, Any] = {}
    rules = _rules(job)
    if rules is not None:
        said["rules"] = rules
    elif job.when is not When.ON_SUCCESS:
        said["when"] = job.when.value
    # which exit statuses may be overlooked is for hookci to say: its own statuses are others than the script's
    if job.allow_failure.allowed and not job.allow_failure.exit_codes:
        said["allow_failure"] = True
    elif job.when is When.MANUAL:
        said["allow_failure"] = False
    return said


def _rules(job: Job) -> list[dict[str, Any]] | None:
    try:
        return gitlab_rules(job)
    except UnsayableError as error:
        refuse_waiting(job, "GitLab", error)
        return None


def _image(image: Image) -> str | dict[str, Any]:
    said = _container(image)
    return image.name if len(said) == 1 else said


def _container(image: Image) -> dict[str, Any]:
    said: dict[str, Any] = {"name": image.name}
    if image.entrypoint is not None:
        said["entrypoint"] = list(image.entrypoint)
    if image.pull != (Pull.IF_NOT_PRESENT,):
        said["pull_policy"] = [policy.value for policy in image.pull]
    docker = {key: value for key, value in (("user", image.user), ("platform", image.platform)) if value}
    return {**said, "docker": docker} if docker else said


def _service(service: Service) -> str | dict[str, Any]:
    said = _container(service.image)
    if service.aliases:
        said["alias"] = " ".join(service.aliases)
    if service.command is not None:
        said["command"] = list(service.command)
    if service.variables:
        said["variables"] = dict(service.variables)
    return service.image.name if len(said) == 1 else said


def _cache(cache: Cache) -> dict[str, Any]:
    key: str | dict[str, Any] = cache.key
    if cache.key_files:
        # GitLab makes a key of two files at most; hookci of all
        key = {"files": list(cache.key_files[:2]), "prefix": cache.key}
    said: dict[str, Any] = {"key": key, "paths": list(cache.paths)}
    if cache.policy is not CachePolicy.PULL_PUSH:
        said["policy"] = cache.policy.value
    if cache.when is not When.ON_SUCCESS:
        said["when"] = cache.when.value
    return said


def _artifacts(job: Job) -> dict[str, Any]:
    artifacts = job.artifacts
    said: dict[str, Any] = {}
    if artifacts.paths:
        said["paths"] = list(artifacts.paths)
    if artifacts.exclude:
        said["exclude"] = list(artifacts.exclude)
    if job.junit:
        said["reports"] = {"junit": list(job.junit)}
    if said and artifacts.when is not When.ON_SUCCESS:
        said["when"] = artifacts.when.value
    return said
