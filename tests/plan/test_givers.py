"""Who hands files to whom: quick ways to what is simply said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from plan_samples import pipeline, planned

from hookci.model.pipeline import Artifacts, Cache, CachePolicy, Job, Need, Pipeline
from hookci.plan.givers import Givers

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGES = ("build", "test", "deploy")
caches = st.lists(
    st.sampled_from(
        [Cache(key=key, paths=paths, policy=policy)
         for key in ("k", "l") for paths in (("a",), ("a", "b")) for policy in CachePolicy]
    ),
    max_size=2,
).map(tuple)  # fmt: skip


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    jobs = {}
    for number in range(draw(st.integers(1, 8))):
        name, group = f"j{number}", draw(st.sampled_from(["m", "n", f"j{number}"]))
        jobs[name] = Job(
            name=name,
            group=group,
            stage=draw(st.sampled_from(STAGES)),
            script=draw(st.sampled_from([("true",), ("true",), ()])),
            artifacts=Artifacts(paths=draw(st.sampled_from([(), ("out",)]))),
            cache=draw(caches),
            needs=draw(st.sampled_from([None, None, (), (Need("m"), Need("j0"))])),
            dependencies=draw(st.sampled_from([None, None, (), ("m",), ("j0", "j1")])),
        )
    return Pipeline(source="hookci.toml", stages=STAGES, jobs=jobs)


def cells(pipeline: Pipeline, name: str) -> list[str]:
    if name in pipeline.jobs:
        return [name]
    return [job.name for job in pipeline.jobs.values() if job.group == name]


def cached(job: Job, *policies: CachePolicy) -> set[tuple[str, str]]:
    return {(cache.key, path) for cache in job.cache if cache.policy in policies for path in cache.paths}


def simply_needed(pipeline: Pipeline, job: Job) -> Iterator[str]:
    """The same in the words of the docs, one pair of jobs at a time."""
    if job.needs is not None:
        for need in job.needs:
            yield from cells(pipeline, need.job)
        return
    for other in pipeline.jobs.values():
        wanted = job.dependencies is None or any(other.name in cells(pipeline, name) for name in job.dependencies)
        stored = cached(other, CachePolicy.PUSH, CachePolicy.PULL_PUSH)
        hands = (other.artifacts.any and job.script and wanted) or stored & cached(job, CachePolicy.PULL)
        if hands and STAGES.index(other.stage) < STAGES.index(job.stage):
            yield other.name


@settings(max_examples=300, deadline=None)
@given(pipelines())
def test_what_a_job_needs_is_what_looking_at_every_pair_of_jobs_finds(pipeline: Pipeline) -> None:
    givers = Givers(pipeline)

    for job in pipeline.jobs.values():
        assert list(givers.needed(job)) == list(simply_needed(pipeline, job))


def test_jobs_that_get_the_same_share_one_answer() -> None:
    jobs = "".join(
        f'[jobs.{stage}{number}]\nstage = "{stage}"\nscript = ["true"]\nartifacts = ["{stage}{number}"]\n'
        for stage in ("build", "test")
        for number in range(50)
    )

    plan = planned(jobs)
    givers = Givers(pipeline(jobs))

    tests = [plan.jobs[f"test{number}"] for number in range(50)]
    assert len(tests[0].depends_on) == len(tests[0].after) == 50
    for field in ("after", "artifacts_from", "depends_on"):
        assert len({id(getattr(test, field)) for test in tests}) == 1
    assert len({id(givers.needed(test.job)) for test in tests}) == 1
