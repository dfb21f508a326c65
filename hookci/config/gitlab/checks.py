"""What only all jobs together show: stages and needs that exist, and an order that is one.

Source: GitLab CI/CD YAML reference, "stages", "needs", "dependencies"; the wording is GitLab's.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from hookci.config.gitlab.deployments import check_stops
from hookci.config.gitlab.needs import MOST_NEEDS
from hookci.config.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path
    from hookci.model.pipeline import Job, Need

__all__ = ["check_jobs"]


def check_jobs(jobs: Mapping[str, Job], written: Iterable[str], stages: tuple[str, ...], ledger: Ledger) -> None:
    """Check what the jobs say of each other.

    Args:
        jobs: by name, cells for themselves.
        written: the names in the file, those of jobs that could not be read too: of them nothing is said.
        stages: in their order.
        ledger: what is wrong.
    """
    groups: dict[str, list[Job]] = {}
    for job in jobs.values():
        groups.setdefault(job.group, []).append(job)
    order = {stage: number for number, stage in enumerate(stages)}
    graph = _Graph({**groups, **{name: [job] for name, job in jobs.items()}}, frozenset(written) - groups.keys(), order)
    for group, members in groups.items():
        if members[0].stage not in order:
            available = ", ".join(stages)
            message = f"{group} job: chosen stage {members[0].stage} does not exist; available stages are {available}"
            ledger.problem((group, "stage"), message, did_you_mean(members[0].stage, stages))
        for job in members:
            graph.check(job, ledger)
    check_stops({group: members[0] for group, members in groups.items()}, ledger)
    _check_cycles(groups, graph, ledger)


class _Graph:
    """The names that may be needed, and where in the order of the stages they stand."""

    def __init__(self, named: Mapping[str, list[Job]], broken: frozenset[str], order: Mapping[str, int]) -> None:
        self._named = named
        self._broken = broken
        self._order = order

    def group(self, name: str) -> str | None:
        """The name that a job or cell was written under, if there is one."""
        return self._named[name][0].group if name in self._named else None

    def check(self, job: Job, ledger: Ledger) -> None:
        """The needs and dependencies of one job."""
        for needs, path in _needs(job):
            if len(needs) > MOST_NEEDS:
                count = f"one job can only need {MOST_NEEDS} others, but you have listed {len(needs)}"
                ledger.problem(path, f"{job.group}: {count}")
            for need in needs:
                self._check_one(job, need.job, "need", path, ledger, optional=need.optional)
        for name in job.dependencies or ():
            self._check_one(job, name, "dependency", (job.group, "dependencies"), ledger, optional=False)
        if job.needs is not None and job.needs and job.dependencies and not job.unsupported:
            self._check_subset(job, ledger)

    def _check_one(self, job: Job, name: str, what: str, path: Path, ledger: Ledger, *, optional: bool) -> None:
        group = self.group(name)
        if group is None:
            if not optional and name.partition(": [")[0] not in self._broken:
                ledger.problem(path, f"{job.group} job: undefined {what}: {name}", did_you_mean(name, self._named))
            return
        mine, other = (self._order.get(one.stage) for one in (job, self._named[name][0]))
        if mine is not None and other is not None and other > mine:
            ledger.problem(path, f"{job.group} job: {what} {name} is not defined in current or prior stages")

    def _check_subset(self, job: Job, ledger: Ledger) -> None:
        needed = {self.group(need.job) for need in job.needs or ()}
        missing = [name for name in job.dependencies or () if self.group(name) not in needed]
        if missing:
            message = f"dependencies the {', '.join(missing)} should be part of needs"
            ledger.problem((job.group, "dependencies"), message)


def _needs(job: Job) -> Iterator[tuple[tuple[Need, ...], Path]]:
    yield job.needs or (), (job.group, "needs")
    for index, rule in enumerate(job.rules or ()):
        yield rule.needs or (), (job.group, "rules", index, "needs")


def _check_cycles(groups: Mapping[str, list[Job]], graph: _Graph, ledger: Ledger) -> None:
    """No job waits for itself; needs alone can make it so, as they never go to a later stage."""
    waits = {
        job.name: {name for need in job.needs or () for name in _members(groups, graph, need.job)}
        for members in groups.values()
        for job in members
    }
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        around: list[str] = error.args[1][::-1]
        first = graph.group(around[0]) or around[0]
        ledger.problem((first, "needs"), f"the pipeline has circular dependencies: {' -> '.join(around)}")


def _members(groups: Mapping[str, list[Job]], graph: _Graph, name: str) -> list[str]:
    if name in groups:
        return [job.name for job in groups[name]]
    return [] if graph.group(name) is None else [name]
