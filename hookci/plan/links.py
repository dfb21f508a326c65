"""How the jobs of a plan hang together: what each comes after, and where its files come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from hookci.errors import ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hookci.model.pipeline import Job, Need, Pipeline
    from hookci.model.plan import PlannedJob
    from hookci.plan.givers import Givers

__all__ = ["linked"]


def linked(
    pipeline: Pipeline, givers: Givers, decided: Mapping[str, PlannedJob], problems: list[ConfigProblem]
) -> list[PlannedJob]:
    """The jobs in the order of their stages, each with what it comes after and where its artifacts come from.

    Args:
        pipeline: what the config defines.
        givers: its jobs by what they hand on.
        decided: the jobs in the run, in the order of the file.
        problems: gets every need that cannot be met.
    """
    order = {stage: number for number, stage in enumerate(pipeline.stages)}
    ordered = sorted(decided.values(), key=lambda planned: order[planned.job.stage])
    links = _Links(pipeline, givers, decided.keys(), problems)
    found = []
    for place, planned in enumerate(ordered):
        if place == 0 or ordered[place - 1].job.stage != planned.job.stage:
            before = [other.job for other in ordered[:place]]
            links = replace(links, earlier=tuple(job.name for job in before), artifacts=_with_artifacts(before))
        links.check_images(planned.job)
        found.append(links.by_stage(planned) if planned.job.needs is None else links.by_needs(planned))
    return found


def _with_artifacts(jobs: list[Job]) -> tuple[str, ...]:
    return tuple(job.name for job in jobs if job.artifacts.any)


class _Links(Struct, frozen=True):
    """``earlier`` are the jobs of the stages before, ``artifacts`` those of them that have artifacts.

    ``handing`` holds who hands files to the jobs seen so far, by who would if all were in the run.
    """

    pipeline: Pipeline
    givers: Givers
    present: Collection[str]
    problems: list[ConfigProblem]
    earlier: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    handing: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def by_stage(self, planned: PlannedJob) -> PlannedJob:
        """The job comes after all of the stages before."""
        wanted = self.givers.dependencies(planned.job)
        artifacts = self.artifacts if wanted is None else tuple(name for name in self.artifacts if name in wanted)
        handing = self._present(self.givers.needed(planned.job))
        return replace(planned, after=self.earlier, artifacts_from=artifacts, depends_on=handing)

    def by_needs(self, planned: PlannedJob) -> PlannedJob:
        """The job comes after what it needs, whatever stage that is in."""
        after = dict(self._needs(planned.job))
        wanted = self.givers.dependencies(planned.job)
        artifacts = tuple(
            name
            for name, come_along in after.items()
            if come_along and self.pipeline.jobs[name].artifacts.any and (wanted is None or name in wanted)
        )
        return replace(planned, after=tuple(after), artifacts_from=artifacts, depends_on=tuple(after))

    def check_images(self, job: Job) -> None:
        """What builds the images that ``job`` starts has to be in the run."""
        for builder, name in self.givers.builders(job).items():
            if builder not in self.present:
                message = f"the image `job:{name}` is built by `{builder}`, which is not in this run"
                self.problems.append(ConfigProblem(f"jobs.{job.group}", message, "give both jobs the same rules"))

    def _present(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of ``names``, an answer of ``givers``, that are in the run."""
        if id(names) not in self.handing:
            self.handing[id(names)] = tuple(name for name in names if name in self.present)
        return self.handing[id(names)]

    def _needs(self, job: Job) -> Iterator[tuple[str, bool]]:
        for number, need in enumerate(job.needs or ()):
            for name in self.givers.cells(need.job):
                if name in self.present:
                    yield name, need.artifacts
                elif not need.optional:
                    self.problems.append(_absent(job, number, need, name))


def _absent(job: Job, number: int, need: Need, name: str) -> ConfigProblem:
    if job.gitlab:
        message = f"'{job.name}' job needs '{name}' job, but '{name}' does not exist in the pipeline"
        hint = (
            "this might be because of the only, except, or rules keywords; `optional: true` needs a job if it is there"
        )
        return ConfigProblem(f"{job.group}.needs[{number}]", message, hint)
    message = f"`{name}` is not in this run: no rule of it matches"
    hint = f'write {{ job = "{need.job}", optional = true }} if that is fine'
    return ConfigProblem(f"jobs.{job.group}.needs[{number}]", message, hint)
