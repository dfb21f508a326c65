"""Pipelines as a GitLab file makes them, and their plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plan_samples import NOTHING, snapshot, told

from hookci.config.expressions import parse_expression
from hookci.model.pipeline import Job, JobEnvironment, Need, Pipeline, Rule, Trigger
from hookci.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hookci.model.plan import Plan
    from hookci.model.snapshot import Snapshot
    from hookci.plan import Wishes

STAGES = (".pre", "build", "test", "deploy", ".post")


def job(name: str, stage: str = "test", *, needs: Iterable[str] | None = None, **more: object) -> Job:
    """A job of a GitLab file."""
    script = () if "trigger" in more else ("true",)
    wanted = None if needs is None else tuple(Need(other) for other in needs)
    values = {"group": name, "script": script, "needs": wanted, **more}
    return Job(name=name, stage=stage, gitlab=True, **values)  # type: ignore[arg-type]  # whatever a job has


def rule(condition: str | None = None, **more: object) -> Rule:
    """A rule, with its condition as it is written."""
    return Rule(condition=None if condition is None else parse_expression(condition), **more)  # type: ignore[arg-type]  # whatever a rule has


def environment(name: str, **more: str) -> JobEnvironment:
    return JobEnvironment(name=name, **more)


def pipeline_of(*jobs: Job, **more: object) -> Pipeline:
    named = {job.name: job for job in jobs}
    return Pipeline(source=".gitlab-ci.yml", stages=STAGES, jobs=named, gitlab=True, **more)  # type: ignore[arg-type]  # whatever a pipeline has


def child_of(*jobs: Job, depend: bool = False, **more: object) -> Trigger:
    return Trigger(pipeline=pipeline_of(*jobs, **more), depend=depend)


def plan_on(
    pipeline: Pipeline,
    of: Snapshot | None = None,
    *,
    asked: tuple[str, ...] = STAGES,
    skip: tuple[str, ...] = (),
    paths: Iterable[str] = (),
    wishes: Wishes = NOTHING,
) -> Plan:
    """The plan on a snapshot (of main by default), everything asked for."""
    judged = of or snapshot(branch="main")
    wishes = told(judged, wishes)
    return make_plan(pipeline, judged, hook="pre-push", asked=asked, skip=skip, paths=lambda: paths, wishes=wishes)
