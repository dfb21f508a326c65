"""Plans and results to report on."""

from __future__ import annotations

from hookci.model.pipeline import Job, When
from hookci.model.plan import Action, Plan, PlannedJob
from hookci.model.result import JobResult, Outcome, RunResult, Verdict
from hookci.model.snapshot import Snapshot

__all__ = ["make_plan", "make_result", "make_run"]


def make_plan(
    *jobs: tuple[str, str] | tuple[str, str, Action, str], label: str = "main", skip: tuple[str, ...] = ()
) -> Plan:
    """A plan of (stage, name) or (stage, name, action, reason), stages in the order they come up."""
    planned = {}
    for stage, name, *intended in jobs:
        action, reason = intended or (Action.RUN, "not remembered")
        assert isinstance(action, Action)
        job = Job(name=name, group=name, stage=stage)
        planned[name] = PlannedJob(job=job, action=action, reason=reason, when=When.ON_SUCCESS)
    snapshot = Snapshot(tree="a" * 40, commit="b" * 40, source="ref", label=label, facts={})
    stages = tuple(dict.fromkeys(job[0] for job in jobs))
    return Plan(snapshot=snapshot, hook="pre-push", stages=stages, jobs=planned, skip=skip)


def make_result(
    name: str,
    outcome: Outcome = Outcome.PASSED,
    *,
    exit_code: int | None = None,
    reason: str = "",
    seconds: float = 3.2,
) -> JobResult:
    """A result of one attempt, or of none when the outcome needs none."""
    ran = outcome not in {Outcome.SKIPPED, Outcome.MANUAL, Outcome.REMEMBERED, Outcome.UNSUPPORTED}
    return JobResult(
        name=name, stage="test", outcome=outcome, exit_code=exit_code, reason=reason, seconds=seconds, attempts=int(ran)
    )


def make_run(*jobs: JobResult, verdict: Verdict = Verdict.GREEN, skipped: tuple[str, ...] = ()) -> RunResult:
    """Run 7 of main."""
    return RunResult(number=7, label="main", verdict=verdict, jobs=jobs, seconds=12.34, skipped_by_request=skipped)
