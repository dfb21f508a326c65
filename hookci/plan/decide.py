"""What becomes of one job: whether it runs, and why."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.errors import ConfigProblem
from hookci.model.pipeline import When
from hookci.model.plan import Action, PlannedJob
from hookci.model.variables import circles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hookci.model.pipeline import Job, Rule
    from hookci.plan.facts import Facts

__all__ = ["decide", "planned_job", "problems_of"]

_DEPLOYING = frozenset({"start", "stop"})


def decide(job: Job, facts: Facts, workflow: Mapping[str, str]) -> tuple[Job, str] | None:
    """A job as the first of its rules that holds makes it, and which one that was; None when none does.

    Args:
        job: as the config has it.
        facts: what rules may know.
        workflow: the variables of the rule that lets the pipeline run.
    """
    added = {name: workflow[name] for name in workflow.keys() - job.own}
    job = replace(job, variables={**job.variables, **added}, raw=job.raw - added.keys())
    why = ""
    if job.rules is not None and any(rule.undecided for rule in job.rules):
        # nobody knows whether it is in the pipeline, and to leave it out in silence would be a guess
        job = replace(job, when=When.ON_SUCCESS)
    elif job.rules is not None:
        number = facts.first(job.rules, job.variables, job)
        if number is None or job.rules[number].when is When.NEVER:
            return None
        rule = job.rules[number]
        job, why = _with_rule(job, rule), "" if rule.implied else f"; rules[{number}] matches"
    elif job.when is When.NEVER:
        return None
    return _filled_in(job, facts), why


def _with_rule(job: Job, rule: Rule) -> Job:
    return replace(
        job,
        variables={**job.variables, **rule.variables},
        raw=job.raw - rule.variables.keys(),
        when=rule.when or job.when,
        start_in=job.start_in if rule.start_in is None else rule.start_in,
        allow_failure=job.allow_failure if rule.allow_failure is None else rule.allow_failure,
        needs=job.needs if rule.needs is None else rule.needs,
    )


def _filled_in(job: Job, facts: Facts) -> Job:
    """``job`` with the variables in place that decide about when and where it runs."""
    environment = job.environment
    if environment is not None:
        environment = replace(environment, name=facts.expanded(environment.name, job.variables, job))
    group = job.resource_group
    if group and job.gitlab:
        group = facts.expanded(group, job.variables, job)
    # a person gave something that is not in the key; a deployment is done each time; a trigger does nothing itself
    forgets = facts.wishes.variables or job.trigger or (environment and environment.action in _DEPLOYING)
    return replace(job, environment=environment, resource_group=group, memory=job.memory and not forgets)


def planned_job(job: Job, facts: Facts, why: str, *, by_name: bool, skipped: bool) -> PlannedJob:
    """What is intended for a job that is in the run."""
    when, action, reason = job.when, Action.RUN, why
    if skipped:
        action, reason = Action.SKIPPED, "HOOKCI_SKIP names it"
    elif by_name and when in {When.MANUAL, When.DELAYED}:
        when, reason = When.ON_SUCCESS, "asked for by name"
    elif when is When.MANUAL:
        action, reason = Action.MANUAL, _start_hint(job, facts)
    elif not by_name and _is_held_back(job, facts):
        action, reason = Action.MANUAL, _held_back(job, facts)
    if action is Action.RUN and job.unsupported and facts.wishes.allow_unsupported:
        action, reason = Action.UNSUPPORTED, job.unsupported
    mentioned = facts.mentioned(job)
    return PlannedJob(job=job, action=action, reason=reason, when=when, facts=mentioned, given=facts.given)


def _start_hint(job: Job, facts: Facts) -> str:
    """How a person starts a job that waits for one."""
    name = facts.prefix + job.name
    command = f"play {shlex.quote(name)}" if job.gitlab else f"run {shlex.quote(f'job:{name}')}"
    return f"`hookci {command}` starts it"


def _is_held_back(job: Job, facts: Facts) -> bool:
    environment = job.environment
    return environment is not None and environment.action == "start" and not facts.deploys(environment.name)


def _held_back(job: Job, facts: Facts) -> str:
    name = job.environment.name if job.environment else ""
    if facts.follows(name):
        return f"it deploys to {name}, which follows its branch; {_start_hint(job, facts)}"
    setting = f"git config --add hookci.deploys {shlex.quote(name)}"
    return f"it deploys to {name}, which this clone does not (`{setting}`); {_start_hint(job, facts)}"


def problems_of(planned: PlannedJob) -> Iterator[ConfigProblem]:
    """What keeps a job that is in the run from running."""
    job = planned.job
    if job.unsupported and planned.action is Action.RUN:
        hint = "`--allow-unsupported` leaves it out"
        yield ConfigProblem(job.group, f"cannot be run here: {job.unsupported}", hint)
    around = circles({**job.variables, **planned.given}, planned.raw) if job.gitlab else ()
    if around:
        yield ConfigProblem(f"{job.group}.variables", f"circular variable reference detected: {', '.join(around)}")
