"""The graph of a document's jobs: names that exist, and no job that waits for itself."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from hookci.config.problems import Problem, unknown
from hookci.config.words import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hookci.config.structure import Structure
    from hookci.config.words import Path
    from hookci.model.pipeline import Job

__all__ = ["check_deployed", "check_hooks", "check_needs"]

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


def check_deployed(
    structure: Structure, jobs: Mapping[str, Job], needs: Iterable[str], path: Path, problems: list[Problem]
) -> None:
    """Each of the ``needs`` at ``path`` names a job with artifacts, which are all that is deployed of a job."""
    names = _job_names(structure, jobs)
    for index, name in enumerate(needs):
        meant = [job for job in jobs.values() if name in {job.name, job.group}]
        whole = structure.is_sound("defaults") and all(structure.is_sound("jobs", job.group) for job in meant)
        if name not in names and not _is_broken_cell(structure, name):
            problems.append(unknown((*path, index), "job", name, names))
        elif whole and not all(job.artifacts.paths for job in meant):
            problems.append(Problem((*path, index), f"the job {show(name)} has no artifacts"))


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
