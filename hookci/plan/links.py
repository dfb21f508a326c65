"""How the jobs of a plan hang together: what each comes after, and where its files come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hookci.errors import ConfigProblem
from hookci.model.pipeline import CachePolicy
from hookci.plan.asked import cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hookci.model.pipeline import Job, Need, Pipeline
    from hookci.model.plan import PlannedJob

__all__ = ["linked", "needed", "why_needed"]


def needed(pipeline: Pipeline, job: Job) -> list[str]:
    """What must run before ``job`` can: its needs, or without any the earlier jobs that hand it files."""
    if job.needs is not None:
        return [name for need in job.needs for name in cells(pipeline, need.job)]
    before = pipeline.stages[: pipeline.stages.index(job.stage)]
    earlier = [other for other in pipeline.jobs.values() if other.stage in before]
    wanted, built = _dependencies(pipeline, job), _builders(pipeline, job)
    return [other.name for other in earlier if other.name in built or _hands_files(other, job, wanted)]


def why_needed(job: Job) -> str:
    """Why what ``needed`` says is in a run that asks for ``job``."""
    return f"`{job.name}` needs it" if job.needs is not None else f"hands files to `{job.name}`"


def _builders(pipeline: Pipeline, job: Job) -> dict[str, str]:
    """The jobs that build an image which ``job`` starts, each with the name under which it asks for it."""
    images = (job.image, *(service.image for service in job.services))
    names = {image.builder for image in images if image is not None and image.builder is not None}
    return {cell: name for name in sorted(names) for cell in cells(pipeline, name)}


def _dependencies(pipeline: Pipeline, job: Job) -> set[str] | None:
    """The jobs whose artifacts come along; None for all."""
    if job.dependencies is None:
        return None
    return {name for dependency in job.dependencies for name in cells(pipeline, dependency)}


def _hands_files(giver: Job, taker: Job, wanted: set[str] | None) -> bool:
    if giver.artifacts.any and taker.script and (wanted is None or giver.name in wanted):
        return True
    pulled = {
        (cache.key, cache.key_files, path)
        for cache in taker.cache
        if cache.policy is CachePolicy.PULL
        for path in cache.paths
    }
    pushed = {
        (cache.key, cache.key_files, path)
        for cache in giver.cache
        if cache.policy is not CachePolicy.PULL
        for path in cache.paths
    }
    return bool(pulled & pushed)


def linked(pipeline: Pipeline, decided: Mapping[str, PlannedJob], problems: list[ConfigProblem]) -> list[PlannedJob]:
    """The jobs in the order of their stages, each with what it comes after and where its artifacts come from.

    Args:
        pipeline: what the config defines.
        decided: the jobs in the run, in the order of the file.
        problems: gets every need that cannot be met.
    """
    order = {stage: number for number, stage in enumerate(pipeline.stages)}
    ordered = sorted(decided.values(), key=lambda planned: order[planned.job.stage])
    before: list[Job] = []
    links = _Links(pipeline, frozenset(decided), problems)
    found = []
    for place, planned in enumerate(ordered):
        if place == 0 or ordered[place - 1].job.stage != planned.job.stage:
            before = [other.job for other in ordered[:place]]
            links = replace(links, earlier=tuple(job.name for job in before), givers=_givers(before))
        links.check_images(planned.job)
        found.append(links.by_stage(planned) if planned.job.needs is None else links.by_needs(planned))
    return found


def _givers(jobs: list[Job]) -> tuple[str, ...]:
    return tuple(job.name for job in jobs if job.artifacts.any)


@dataclass(frozen=True, slots=True)
class _Links:
    """``earlier`` are the jobs of the stages before, ``givers`` those of them that have artifacts."""

    pipeline: Pipeline
    present: frozenset[str]
    problems: list[ConfigProblem]
    earlier: tuple[str, ...] = ()
    givers: tuple[str, ...] = ()

    def by_stage(self, planned: PlannedJob) -> PlannedJob:
        """The job comes after all of the stages before."""
        handing = tuple(name for name in needed(self.pipeline, planned.job) if name in self.present)
        wanted = _dependencies(self.pipeline, planned.job)
        givers = self.givers if wanted is None else tuple(name for name in self.givers if name in wanted)
        return replace(planned, after=self.earlier, artifacts_from=givers, depends_on=handing)

    def by_needs(self, planned: PlannedJob) -> PlannedJob:
        """The job comes after what it needs, whatever stage that is in."""
        after = dict(self._needs(planned.job))
        wanted = _dependencies(self.pipeline, planned.job)
        givers = tuple(
            name
            for name, artifacts in after.items()
            if artifacts and self.pipeline.jobs[name].artifacts.any and (wanted is None or name in wanted)
        )
        return replace(planned, after=tuple(after), artifacts_from=givers, depends_on=tuple(after))

    def check_images(self, job: Job) -> None:
        """What builds the images that ``job`` starts has to be in the run."""
        for builder, name in _builders(self.pipeline, job).items():
            if builder not in self.present:
                message = f"the image `job:{name}` is built by `{builder}`, which is not in this run"
                self.problems.append(ConfigProblem(f"jobs.{job.group}", message, "give both jobs the same rules"))

    def _needs(self, job: Job) -> Iterator[tuple[str, bool]]:
        for number, need in enumerate(job.needs or ()):
            for name in cells(self.pipeline, need.job):
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
