"""Pure: which jobs of a plan need not run, because their pass is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.model.plan import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from hookci.model.memory import Pass
    from hookci.model.pipeline import Job
    from hookci.model.plan import Plan, PlannedJob

__all__ = ["usable", "with_memory"]


def with_memory(
    plan: Plan,
    passes: Mapping[str, Pass],
    *,
    now: float,
    still_there: Callable[[PlannedJob, int], bool],
    files_of: Collection[str] = (),
) -> Plan:
    """Mark the jobs whose pass is remembered.

    Args:
        plan: as `make_plan` made it.
        passes: by job, what is remembered under its present key.
        now: unix seconds, against which ``max_age`` is held.
        still_there: whether what a job handed on in a run (artifacts, caches) can still be had; asked only for
            jobs of which a job that will run needs it.
        files_of: jobs whose files somebody else needs, too.
    """
    marked: dict[str, PlannedJob] = {}
    for name, planned in plan.jobs.items():
        marked[name] = _recalled(planned, passes.get(name), now) if planned.action is Action.RUN else planned
    while True:
        reasons = {**_after_what_runs(marked), **_gone(marked, still_there, files_of)}
        if not reasons:
            return replace(plan, jobs=marked)
        # what another run is to answer for must be done again, too, if its files are gone
        marked.update(
            (name, replace(plan.jobs[name], action=Action.RUN, remembered_run=None, reason=reason))
            for name, reason in reasons.items()
        )


def _after_what_runs(marked: Mapping[str, PlannedJob]) -> dict[str, str]:
    """The remembered jobs that depend on one that is not: what it hands on now may be something else."""
    return {
        name: f"`{needed}`, which it depends on, is not remembered"
        for name, planned in marked.items()
        if planned.action is Action.REMEMBERED
        for needed in planned.depends_on
        if marked[needed].action is not Action.REMEMBERED
    }


def _gone(
    marked: Mapping[str, PlannedJob], still_there: Callable[[PlannedJob, int], bool], files_of: Collection[str]
) -> dict[str, str]:
    """The remembered jobs whose files are needed, by a job that runs or by somebody else, and are there no more."""
    wanted = {giver for planned in marked.values() if planned.action is Action.RUN for giver in planned.depends_on}
    wanted.update(name for name, planned in marked.items() if {name, planned.job.group} & {*files_of})
    return {
        name: f"passed in run {run}, but the files it handed on are gone"
        for name in wanted
        if (run := marked[name].remembered_run) is not None and not still_there(marked[name], run)
    }


def _recalled(planned: PlannedJob, found: Pass | None, now: float) -> PlannedJob:
    job = planned.job
    if not job.memory and job.gitlab:
        return planned
    if not job.memory:
        return replace(planned, reason=f"{planned.reason}; memory = false")
    if found is None:
        return planned
    if not usable(job, found, now):
        over = "is older than max_age" if found.expires is None or now < found.expires else "counts no more"
        return replace(planned, reason=f"{planned.reason}; the pass in run {found.run} {over}")
    reason = f"passed in run {found.run}"
    return replace(planned, action=Action.REMEMBERED, reason=reason, remembered_run=found.run)


def usable(job: Job, found: Pass, now: float) -> bool:
    """Whether a pass still counts at ``now`` (unix seconds); one from the future does not if its age matters."""
    if found.expires is not None and not found.finished <= now < found.expires:
        return False
    return job.memory and (job.max_age is None or 0 <= now - found.finished <= job.max_age)
