"""What a hosted pipeline is made of, whichever engine it is for."""

from __future__ import annotations

import functools
import math
import shlex
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

import hookci
from hookci.errors import UsageError
from hookci.model.pipeline import Need, When
from hookci.model.snapshot import HookName, Snapshot
from hookci.plan import asked_by_hook, make_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hookci.model.pipeline import Job, Pipeline
    from hookci.model.plan import Plan

__all__ = [
    "CELL",
    "INSTALL",
    "HostedJob",
    "as_yaml",
    "check_exported",
    "heading",
    "hosted_jobs",
    "minutes",
    "needed",
    "needs_builder",
    "on_a_push",
    "seconds",
]

CELL = "HOOKCI_CELL"
"""The variable that tells the cells of a matrix apart; its values are such that the names of jobs stay the same."""

INSTALL = f"command -v hookci >/dev/null || python3 -m pip install --quiet hookci=={hookci.__version__}"
"""Where an image or a runner has hookci already, that one is used."""

_NOWHERE = Snapshot(tree="", commit="", source="commit", label="", facts={})


class HostedJob(Struct, frozen=True):
    """One job of the hosted pipeline: a job, or all ``cells`` of a matrix (the text in the brackets of their names)."""

    name: str
    job: Job
    body: Mapping[str, Any]
    cells: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The line of a shell that runs it."""
        if self.cells:
            name = f"{shlex.quote(f'job:{self.name}: [')}\"${CELL}\"']'"
        else:
            name = shlex.quote(f"job:{self.job.name}")
        # what needs an image that a job builds has it built there, as on every machine; see `needs_builder`
        return f"hookci run {'' if needs_builder(self.job) else '--hosted '}{name}"


def needs_builder(job: Job) -> bool:
    """Whether an image that it starts is built by another job, so that it brings that one along."""
    images = [image for image in (job.image, *(service.image for service in job.services)) if image is not None]
    return any(image.builder for image in images)


def check_exported(pipeline: Pipeline, engine: str) -> None:
    """Refuse what is no pipeline of ours.

    Raises:
        UsageError: it was written for GitLab.
    """
    if pipeline.gitlab:
        message = f"{pipeline.source} was written for GitLab; a pipeline for {engine} is made from hookci.toml"
        raise UsageError(message, "GitLab runs that file as it is")


def on_a_push(pipeline: Pipeline) -> Plan:
    """The jobs that a push asks for with all that they need, as if every rule held."""
    jobs = {
        name: replace(job, rules=None, when=When.ON_SUCCESS, unsupported=None) for name, job in pipeline.jobs.items()
    }
    hook = HookName.PRE_PUSH.value
    whole = replace(pipeline, jobs=jobs)
    return make_plan(whole, _NOWHERE, hook=hook, asked=asked_by_hook(pipeline, hook), paths=tuple)


def hosted_jobs(pipeline: Pipeline, body: Callable[[Job], Mapping[str, Any]]) -> dict[str, HostedJob]:
    """The hosted jobs by name; the cells of a matrix are one of them if ``body`` makes the same of each."""
    groups: dict[str, list[Job]] = {}
    for job in pipeline.jobs.values():
        groups.setdefault(job.group, []).append(job)
    found: dict[str, HostedJob] = {}
    for name, jobs in groups.items():
        bodies = [body(job) for job in jobs]
        cells = tuple(job.name.removeprefix(f"{name}: [").removesuffix("]") for job in jobs)
        if jobs[0].name == name:
            found[name] = HostedJob(name, jobs[0], bodies[0])
        elif all(one == bodies[0] for one in bodies) and not any("$" in cell for cell in cells):
            found[name] = HostedJob(name, jobs[0], bodies[0], cells)
        else:
            found.update((job.name, HostedJob(job.name, job, one)) for job, one in zip(jobs, bodies, strict=True))
    return found


def needed(
    pipeline: Pipeline, hosted: Mapping[str, HostedJob], job: Job
) -> Iterator[tuple[Need, HostedJob, str | None]]:
    """The needs of ``job`` with the hosted job that each means, and the one cell of it that is meant (None: all)."""
    for need in job.needs or ():
        if need.job in hosted:
            yield need, hosted[need.job], None
            continue
        for name, other in pipeline.jobs.items():
            if need.job in {name, other.group}:
                group = hosted.get(name) or hosted[other.group]
                cell = name.removeprefix(f"{other.group}: [").removesuffix("]") if group.cells else None
                yield need, group, cell


def minutes(job: Job) -> int:
    """How long all attempts of a job may take, in whole minutes."""
    return math.ceil(seconds(job) / 60)


def seconds(job: Job) -> int:
    """How long all attempts of a job may take, in whole seconds; it is hookci that tries again, and ends them."""
    return math.ceil(job.timeout) * (job.retry.max + 1)


def heading(engine: str, pipeline: Pipeline) -> str:
    """The first lines of a file: what it is, and how it comes about."""
    return (
        f"# Made by `hookci export {engine}` from {pipeline.source}: change that, and export again.\n"
        "# Each job runs the job of the same name through hookci; what it does is said there.\n"
    )


@functools.cache
def _dumper() -> Any:  # noqa: ANN401 (a class that is made when yaml is there)
    import yaml  # noqa: PLC0415 (dear, and only what exports writes YAML)

    class Dumper(yaml.SafeDumper):
        """Writes lists below their key, and quotes what some reader of YAML may take for a number or a time."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 (PyYAML's)
            super().increase_indent(flow, indentless=False)

        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 (PyYAML's)
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = '"' if value[:1] in set("0123456789+-.~") else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return Dumper


def as_yaml(document: Mapping[str, Any]) -> str:
    """``document`` as YAML, the same for the same content, an empty line between its parts."""
    import yaml  # noqa: PLC0415 (as above)

    parts = [
        yaml.dump({key: value}, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=10**6)
        for key, value in document.items()
    ]
    return "\n".join(parts)
