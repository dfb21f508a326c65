"""Pure: which jobs of a plan need not run, because their pass is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hookci.model.plan import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.model.memory import Pass
    from hookci.model.pipeline import Job
    from hookci.model.plan import Plan, PlannedJob

__all__ = ["usable", "with_memory"]


def with_memory(
    plan: Plan, passes: Mapping[str, Pass], *, now: float, still_there: Callable[[PlannedJob, int], bool]
) -> Plan:
    """Mark the jobs whose pass is remembered.

    Args:
        plan: as `make_plan` made it.
        passes: by job, what is remembered under its present key.
        now: unix seconds, against which ``max_age`` is held.
        still_there: whether what a job handed on in a run (artifacts, caches) can still be had; asked only for
            jobs of which a job that will run needs it.
    """
    marked: dict[str, PlannedJob] = {}
    for name, planned in plan.jobs.items():
        marked[name] = _recalled(planned, passes.get(name), now) if planned.action is Action.RUN else planned
    gone = True
    while gone:
        wanted = {giver for planned in marked.values() if planned.action is Action.RUN for giver in planned.depends_on}
        gone = False
        for name in wanted:
            planned = marked[name]
            if planned.remembered_run is not None and not still_there(planned, planned.remembered_run):
                reason = f"passed in run {planned.remembered_run}, but the files it handed on are gone"
                marked[name] = replace(plan.jobs[name], reason=reason)
                gone = True
    return replace(plan, jobs=marked)


def _recalled(planned: PlannedJob, found: Pass | None, now: float) -> PlannedJob:
    job = planned.job
    if not job.memory:
        return replace(planned, reason=f"{planned.reason}; memory = false")
    if found is None:
        return planned
    if not usable(job, found, now):
        return replace(planned, reason=f"{planned.reason}; the pass in run {found.run} is older than max_age")
    reason = f"passed in run {found.run}"
    return replace(planned, action=Action.REMEMBERED, reason=reason, remembered_run=found.run)


def usable(job: Job, found: Pass, now: float) -> bool:
    """Whether a pass still counts at ``now`` (unix seconds); one from the future does not."""
    return job.memory and (job.max_age is None or 0 <= now - found.finished <= job.max_age)
