"""The graph of a document's jobs: names that exist, and no job that waits for itself."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.config.containers import images
from hookci.config.problems import Problem, unknown
from hookci.config.words import show
from hookci.model.container import BUILT_BY
from hookci.model.pipeline import Need

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hookci.config.structure import Structure
    from hookci.config.words import Path
    from hookci.model.pipeline import Job

__all__ = ["check_deployed", "check_hooks", "check_needs", "with_builders"]

# A job by the name it was written under, or the end of all stages up to the one with that number.
_Node = str | int


def _job_names(structure: Structure, jobs: Mapping[str, Job]) -> dict[str, str]:
    """Every name that may stand for jobs, with the name these were written under."""
    written = structure.raw.get("jobs")
    names = {name: name for name in written} if isinstance(written, dict) else {}
    return names | {job.name: job.group for job in jobs.values()}


def check_needs(structure: Structure, jobs: Mapping[str, Job], problems: list[Problem]) -> None:
    """Every need names a job, and no job waits for itself by way of others."""
    names = _job_names(structure, jobs)
    groups = {job.group: job for job in jobs.values()}
    for group, job in groups.items():
        for index, need in enumerate(job.needs or ()):
            if need.job not in names and not _is_broken_cell(structure, need.job):
                problems.append(unknown(("jobs", group, "needs", index, "job"), "job", need.job, names))
    _check_cycles(structure, groups, names, problems)


def with_builders(structure: Structure, jobs: Mapping[str, Job], problems: list[Problem]) -> dict[str, Job]:
    """The jobs, each with a need for those whose image it uses, if it has ``needs``; every such job builds one."""
    return {name: _with_builders(structure, jobs, job, problems) for name, job in jobs.items()}


def _with_builders(structure: Structure, jobs: Mapping[str, Job], job: Job, problems: list[Problem]) -> Job:
    for below, image in images(job).items():
        if image.builder is None:
            continue
        said = below[0] in structure.document.jobs[job.group].model_fields_set
        path = (*(("jobs", job.group) if said else ("defaults",)), *below)
        builder = _builder(structure, jobs, image.builder, path, problems)
        if builder is None:
            continue
        if job.needs is None:
            _check_before(structure, job, builder, path, problems)
        elif not any(need.job in {builder.name, builder.group} for need in job.needs):
            # whether it is in a run is for the plan to say, which knows where the image is named
            job = replace(job, needs=(*job.needs, Need(builder.name, artifacts=False, optional=True)))
    return job


def _builder(
    structure: Structure, jobs: Mapping[str, Job], name: str, path: Path, problems: list[Problem]
) -> Job | None:
    """The one job that builds the image of which ``job:name`` is said at ``path``."""
    found = [job for job in jobs.values() if name in {job.name, job.group}]
    if not found:
        known = _job_names(structure, jobs)
        if name not in known and not _is_broken_cell(structure, name):
            problems.append(unknown(path, "job", name, known))
    elif len(found) > 1:
        hint = f'write "{BUILT_BY}{found[0].name}" for one of them'
        problems.append(Problem(path, f"the job {show(name)} is {len(found)} jobs with an image each", hint))
    elif found[0].build is None and structure.is_sound("jobs", found[0].group):
        problems.append(Problem(path, f"the job {show(name)} builds no image", "one with `build` does"))
    else:
        return found[0]
    return None


def _check_before(structure: Structure, job: Job, builder: Job, path: Path, problems: list[Problem]) -> None:
    stages = structure.document.stages
    if not {job.stage, builder.stage} <= set(stages) or stages.index(builder.stage) < stages.index(job.stage):
        return
    where = "the same stage" if builder.stage == job.stage else f"the later stage {show(builder.stage)}"
    hint = f"needs = [{show(builder.group)}] makes {show(job.group)} wait for it"
    problems.append(Problem(path, f"the job {show(builder.name)}, which builds it, is in {where}", hint))


def check_deployed(
    structure: Structure, jobs: Mapping[str, Job], needs: Iterable[str], path: Path, problems: list[Problem]
) -> None:
    """Each of the ``needs`` at ``path`` names a job with artifacts or an image: all that is deployed of a job."""
    names = _job_names(structure, jobs)
    for index, name in enumerate(needs):
        meant = [job for job in jobs.values() if name in {job.name, job.group}]
        whole = structure.is_sound("defaults") and all(structure.is_sound("jobs", job.group) for job in meant)
        if name not in names and not _is_broken_cell(structure, name):
            problems.append(unknown((*path, index), "job", name, names))
        elif whole and not all(job.artifacts.paths or job.build for job in meant):
            problems.append(Problem((*path, index), f"the job {show(name)} has no artifacts and builds no image"))


def _is_broken_cell(structure: Structure, name: str) -> bool:
    """Whether a name may be that of a cell whose matrix could not be read."""
    group, found, _ = name.partition(": [")
    return bool(found) and not structure.is_sound("jobs", group)


def _check_cycles(
    structure: Structure, groups: Mapping[str, Job], names: Mapping[str, str], problems: list[Problem]
) -> None:
    graph = _graph(structure.document.stages, groups, names)
    order = list(groups)
    while cycle := _cycle(graph):
        graph[cycle[0]].discard(cycle[1])
        members = [node for node in cycle[:-1] if isinstance(node, str)]
        first = min(range(len(members)), key=lambda index: order.index(members[index]))
        around = [*members[first:], *members[:first], members[first]]
        guilty = next(name for name in around if groups[name].needs is not None)
        hint = None if len(members) == len(cycle) - 1 else _hint(around, groups)
        problems.append(Problem(("jobs", guilty, "needs"), f"cycle: {' -> '.join(around)}", hint))


def _hint(around: list[str], groups: Mapping[str, Job]) -> str:
    waiting = next(name for name in around if groups[name].needs is None)
    return f"`{waiting}` has no `needs`, so it waits for all stages before `{groups[waiting].stage}`"


def _graph(stages: list[str], groups: Mapping[str, Job], names: Mapping[str, str]) -> dict[_Node, set[_Node]]:
    """What each job waits for; one without ``needs`` waits for the end of the stages before its own."""
    graph: dict[_Node, set[_Node]] = {number: {number - 1} if number else set() for number in range(len(stages))}
    for group, job in groups.items():
        number = stages.index(job.stage) if job.stage in stages else -1
        if job.needs is None:
            graph[group] = {number - 1} if number > 0 else set()
        else:
            graph[group] = {names[need.job] for need in job.needs if names.get(need.job) in groups}
        if number >= 0:
            graph[number].add(group)
    return graph


def _cycle(graph: Mapping[_Node, set[_Node]]) -> list[_Node] | None:
    """A way from a node to itself along what it waits for, or None."""
    try:
        TopologicalSorter({node: sorted(graph[node], key=str) for node in graph}).prepare()
    except CycleError as error:
        found: list[_Node] = error.args[1]
        return found[::-1]
    return None


def check_hooks(structure: Structure, jobs: Mapping[str, Job], problems: list[Problem]) -> dict[str, tuple[str, ...]]:
    """What each hook asks for; every name is that of a stage or of a job."""
    asked: dict[str, list[str]] = structure.document.hooks.model_dump(by_alias=True, exclude_unset=True)
    stages, names = structure.document.stages, _job_names(structure, jobs)
    for hook, entries in asked.items():
        for index, entry in enumerate(entries):
            path = ("hooks", hook, index)
            job = entry.removeprefix("job:")
            if job != entry and job not in names:
                problems.append(unknown(path, "job", job, names))
            elif job == entry and entry not in names and entry not in stages and structure.is_sound("stages"):
                problems.append(unknown(path, "stage or job", entry, [*stages, *names]))
    return {hook: tuple(entries) for hook, entries in asked.items()}
