"""Who hands what to whom: the jobs of earlier stages that a job cannot do without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.pipeline import CachePolicy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hookci.model.pipeline import Cache, Job, Pipeline

__all__ = ["Givers", "why_needed"]


def why_needed(job: Job) -> str:
    """Why what `Givers.needed` says is in a run that asks for ``job``."""
    return f"`{job.name}` needs it" if job.needs is not None else f"hands files to `{job.name}`"


class Givers:
    """The jobs of one pipeline by what they hand on.

    Jobs that get the same from the same ones share one answer, so that a thousand jobs of which each half hands files
    to the other are looked through once, and not a thousand times.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._stages = {stage: number for number, stage in enumerate(pipeline.stages)}
        self._order = {name: number for number, name in enumerate(pipeline.jobs)}
        self._groups: dict[str, list[str]] = {}
        self._pushing: dict[tuple[object, ...], list[str]] = {}
        for job in pipeline.jobs.values():
            self._groups.setdefault(job.group, []).append(job.name)
            for cached in _cached(job, (CachePolicy.PUSH, CachePolicy.PULL_PUSH)):
                self._pushing.setdefault(cached, []).append(job.name)
        self._with_artifacts = [job for job in pipeline.jobs.values() if job.artifacts.any]
        self._answers: dict[tuple[object, ...], tuple[str, ...]] = {}

    def cells(self, name: str) -> tuple[str, ...]:
        """The jobs that ``name`` means: one, or all that a matrix made of it."""
        return (name,) if name in self._pipeline.jobs else tuple(self._groups.get(name, ()))

    def needed(self, job: Job) -> tuple[str, ...]:
        """What must run before ``job`` can: its needs, or without any the earlier jobs that hand it files.

        Equal answers are one and the same tuple.
        """
        if job.needs is not None:
            return self._once(tuple(name for need in job.needs for name in self.cells(need.job)))
        pulled = frozenset(_cached(job, (CachePolicy.PULL,)))
        built = tuple(self.builders(job))
        question = (job.stage, bool(job.script), job.dependencies, pulled, built)
        if question not in self._answers:
            names = {*built, *(name for cached in pulled for name in self._pushing.get(cached, ()))}
            names |= self._handing_artifacts(job) if job.script else set()
            earlier = [name for name in names if self._stage_of(name) < self._stages[job.stage]]
            self._answers[question] = self._once(tuple(sorted(earlier, key=self._order.__getitem__)))
        return self._answers[question]

    def builders(self, job: Job) -> dict[str, str]:
        """The jobs that build an image which ``job`` starts, each with the name under which it asks for it."""
        images = (job.image, *(service.image for service in job.services))
        names = {image.builder for image in images if image is not None and image.builder is not None}
        return {cell: name for name in sorted(names) for cell in self.cells(name)}

    def dependencies(self, job: Job) -> Collection[str] | None:
        """The jobs whose artifacts come along; None for all."""
        if job.dependencies is None:
            return None
        return {name for dependency in job.dependencies for name in self.cells(dependency)}

    def _handing_artifacts(self, job: Job) -> set[str]:
        wanted = self.dependencies(job)
        return {giver.name for giver in self._with_artifacts if wanted is None or giver.name in wanted}

    def _stage_of(self, name: str) -> int:
        return self._stages[self._pipeline.jobs[name].stage]

    def _once(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return self._answers.setdefault(("names", names), names)


def _cached(job: Job, policies: Collection[CachePolicy]) -> Iterator[tuple[object, ...]]:
    """What a job stores in its caches, or takes from them, by what makes two caches one."""
    return (_place(cache, path) for cache in job.cache if cache.policy in policies for path in cache.paths)


def _place(cache: Cache, path: str) -> tuple[object, ...]:
    return cache.key, cache.key_files, path
