"""Pure: from a pipeline, a snapshot and what was asked for to the job graph of one run."""

from __future__ import annotations

import difflib
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from hookci.errors import ConfigError, ConfigProblem, UsageError
from hookci.model.expression import evaluate
from hookci.model.globs import any_matches, name_matches
from hookci.model.pipeline import CachePolicy, When
from hookci.model.plan import Action, Plan, PlannedJob
from hookci.model.snapshot import FORK_POINT, HookName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hookci.model.pipeline import Job, Pipeline, Rule
    from hookci.model.snapshot import Snapshot

__all__ = ["Asked", "asked_by_hook", "make_plan", "names_asked"]

_DEPLOY = "deploy"
_PREDEFINED = re.compile(r"\b(?:HOOKCI|CI)_[A-Z0-9_]+\b")

Asked = tuple[str, ...]


def asked_by_hook(pipeline: Pipeline, hook: str) -> Asked:
    """What a hook asks for: what ``[hooks]`` says, else all stages but deploy on a push and nothing on a commit."""
    if hook in pipeline.hooks:
        return pipeline.hooks[hook]
    if hook == HookName.PRE_MERGE_COMMIT:
        return asked_by_hook(pipeline, HookName.PRE_COMMIT)
    if hook == HookName.PRE_PUSH:
        return tuple(stage for stage in pipeline.stages if stage != _DEPLOY)
    return ()


def names_asked(pipeline: Pipeline, asked: Asked) -> dict[str, bool]:
    """The jobs that ``asked`` means, each with whether it was meant by its own name.

    A stage wins over a job of the same name; ``job:NAME`` means the job.  The name a matrix was written
    under means all its cells.

    Raises:
        UsageError: a name is neither a stage nor a job.
    """
    found: dict[str, bool] = {}
    for name in asked:
        if name in pipeline.stages:
            for job in pipeline.jobs.values():
                if job.stage == name:
                    found.setdefault(job.name, False)
        else:
            found.update(dict.fromkeys(_jobs_called(pipeline, name.removeprefix("job:")), True))
    return {name: found[name] for name in pipeline.jobs if name in found}


def _jobs_called(pipeline: Pipeline, name: str) -> tuple[str, ...]:
    jobs = _cells(pipeline, name)
    if not jobs:
        known = {*pipeline.stages, *pipeline.jobs, *(job.group for job in pipeline.jobs.values())}
        near = difflib.get_close_matches(name, sorted(known), n=1)
        listed = f"jobs: {', '.join(pipeline.jobs) or 'none'}; stages: {', '.join(pipeline.stages)}"
        raise UsageError(
            f"{pipeline.source} has no stage and no job named `{name}`",
            f"did you mean `{near[0]}`?" if near else listed,
        )
    return jobs


def _cells(pipeline: Pipeline, name: str) -> tuple[str, ...]:
    if name in pipeline.jobs:
        return (name,)
    return tuple(job.name for job in pipeline.jobs.values() if job.group == name)


class _Facts:
    """What a plan may know beside the tree; remembers what was looked at."""

    def __init__(self, snapshot: Snapshot, hook: str, paths: Callable[[], Iterable[str]]) -> None:
        self._snapshot = snapshot
        self._hook = hook
        self._paths = paths
        self.read: dict[str, str | None] = {}

    def value(self, name: str, job: Job) -> str | None:
        """A variable as ``rules: if`` sees it: the job's own before the predefined ones."""
        if name in job.variables:
            return job.variables[name]
        if name == "HOOKCI_HOOK":
            return self._hook
        self.read[name] = self._snapshot.facts.get(name)
        return self.read[name]

    def mentioned(self, job: Job) -> tuple[str, ...]:
        """The predefined variables that a job's own text names; they count as looked at, set or not."""
        texts = (*job.before_script, *job.script, *job.after_script, *job.variables.values())
        texts += tuple(part for cache in job.cache for part in (cache.key, *cache.paths))
        names = {name for text in texts for name in _PREDEFINED.findall(text)}
        if job.scan is not None:
            # what is new depends on what is there already, and what a push adds on the commits it sends
            names |= {FORK_POINT} if job.scan.tool != "secrets" else {FORK_POINT, "HOOKCI_BASE", "HOOKCI_COMMIT"}
        self.read.update((name, self._snapshot.facts.get(name)) for name in names)
        return tuple(sorted(names))

    def holds(self, rule: Rule, job: Job) -> bool:
        """Whether all conditions of a rule are met."""
        condition = rule.condition
        return (
            (not rule.hook or any(name_matches(pattern, self._hook) for pattern in rule.hook))
            and self._named(rule.branch, "HOOKCI_BRANCH", self._snapshot.branch)
            and self._named(rule.tag, "HOOKCI_TAG", self._snapshot.tag)
            and (condition is None or evaluate(condition, lambda name: self.value(name, job)))
            and (not rule.changes or self._changed(rule.changes))
            and (not rule.exists or any_matches(rule.exists, self._paths()) is not None)
        )

    def _named(self, patterns: tuple[str, ...], fact: str, name: str | None) -> bool:
        if not patterns:
            return True
        self.read[fact] = name
        return name is not None and any(name_matches(pattern, name) for pattern in patterns)

    def _changed(self, patterns: tuple[str, ...]) -> bool:
        self.read["HOOKCI_BASE"] = self._snapshot.base
        changed = self._snapshot.changed
        return changed is None or any_matches(patterns, changed) is not None


def make_plan(
    pipeline: Pipeline,
    snapshot: Snapshot,
    *,
    hook: str,
    asked: Asked,
    skip: tuple[str, ...] = (),
    paths: Callable[[], Iterable[str]],
) -> Plan:
    """Decide for every job whether it runs, and why.

    Args:
        pipeline: what the snapshot's config defines.
        snapshot: what is judged.
        hook: the hook that asks, for rules; a run by hand takes the part of one.
        asked: stages and jobs; jobs they need come along.
        skip: jobs a person wants left out for once.
        paths: lists the snapshot's paths, for ``exists``; called only when a rule asks.

    Raises:
        UsageError: a name in ``asked`` is unknown.
        ConfigError: a job needs one that is not in this run, or asks for what this version cannot do.
    """
    facts = _Facts(snapshot, hook, paths)
    named = names_asked(pipeline, asked)
    wanted = _with_needs(pipeline, named)
    left_out = {name: _why_not(hook, asked) for name in pipeline.jobs if name not in wanted}
    skipping = {name for wish in skip for name in _cells(pipeline, wish.removeprefix("job:"))}
    decided: dict[str, PlannedJob] = {}
    for name, job in pipeline.jobs.items():
        if name in wanted:
            planned = _decide(job, facts, wanted[name], by_name=named.get(name, False), skipped=name in skipping)
            if planned is None:
                left_out[name] = "no rule matches"
            else:
                decided[name] = planned
    _refuse_unsupported(pipeline, decided.values())
    stage_order = {stage: number for number, stage in enumerate(pipeline.stages)}
    ordered = sorted(decided.values(), key=lambda planned: stage_order[planned.job.stage])
    jobs = _linked(pipeline, ordered, stage_order)
    return Plan(
        snapshot=snapshot,
        hook=hook,
        stages=pipeline.stages,
        jobs=jobs,
        left_out=left_out,
        skip=tuple(name for name in jobs if name in skipping),
        whole=asked == asked_by_hook(pipeline, hook),
        all_scans=all(name in jobs for name, job in pipeline.jobs.items() if job.scan),
        facts_read=dict(sorted(facts.read.items())),
    )


def _why_not(hook: str, asked: Asked) -> str:
    return f"not asked for ({', '.join(asked)})" if asked else f"{hook} asks for nothing"


def _with_needs(pipeline: Pipeline, named: Mapping[str, bool]) -> dict[str, str]:
    """The jobs asked for and those they need, each with the reason it is wanted."""
    wanted = dict.fromkeys(named, "asked for")
    pending = list(named)
    while pending:
        job = pipeline.jobs[pending.pop()]
        for name in _needed(pipeline, job):
            if name not in wanted:
                wanted[name] = f"`{job.name}` needs it" if job.needs is not None else f"hands files to `{job.name}`"
                pending.append(name)
    return wanted


def _needed(pipeline: Pipeline, job: Job) -> list[str]:
    """What must run before ``job`` can: its needs, or without any the earlier jobs that hand it files."""
    if job.needs is not None:
        return [name for need in job.needs for name in _cells(pipeline, need.job)]
    before = pipeline.stages[: pipeline.stages.index(job.stage)]
    earlier = [other for other in pipeline.jobs.values() if other.stage in before]
    return [other.name for other in earlier if _hands_files(other, job)]


def _hands_files(giver: Job, taker: Job) -> bool:
    if giver.artifacts.paths and taker.script:
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


def _decide(job: Job, facts: _Facts, why: str, *, by_name: bool, skipped: bool) -> PlannedJob | None:
    when, reason = job.when, why
    if job.rules is not None:
        match = next(((number, rule) for number, rule in enumerate(job.rules) if facts.holds(rule, job)), None)
        if match is None:
            return None
        number, rule = match
        when, reason = rule.when or job.when, f"{why}; rules[{number}] matches"
        if rule.when is When.NEVER:
            return None
        job = _with_rule(job, rule)
    mentioned = facts.mentioned(job)
    action = Action.RUN
    if skipped:
        action, reason = Action.SKIPPED, "HOOKCI_SKIP names it"
    elif when is When.MANUAL and by_name:
        when, reason = When.ON_SUCCESS, "asked for by name"
    elif when is When.MANUAL:
        action, reason = Action.MANUAL, f"`hookci run {shlex.quote(f'job:{job.name}')}` starts it"
    return PlannedJob(job=job, action=action, reason=reason, when=when, facts=mentioned)


def _with_rule(job: Job, rule: Rule) -> Job:
    allow = job.allow_failure if rule.allow_failure is None else rule.allow_failure
    return replace(job, variables={**job.variables, **rule.variables}, allow_failure=allow)


def _refuse_unsupported(pipeline: Pipeline, jobs: Iterable[PlannedJob]) -> None:
    problems = tuple(
        ConfigProblem(f"jobs.{planned.job.group}", f"this version of hookci cannot run {planned.job.unsupported}")
        for planned in jobs
        if planned.job.unsupported and planned.action is Action.RUN
    )
    if problems:
        raise ConfigError(pipeline.source, problems)


def _linked(pipeline: Pipeline, ordered: list[PlannedJob], stage_order: Mapping[str, int]) -> dict[str, PlannedJob]:
    """Add to each job what it comes after and where its artifacts come from."""
    linked: dict[str, PlannedJob] = {}
    problems: list[ConfigProblem] = []
    present = {planned.job.name for planned in ordered}
    earlier: tuple[str, ...] = ()
    givers: tuple[str, ...] = ()
    stage = None
    for planned in ordered:
        if planned.job.stage != stage:
            stage = planned.job.stage
            before = [other.job for other in ordered if stage_order[other.job.stage] < stage_order[stage]]
            earlier = tuple(job.name for job in before)
            givers = tuple(job.name for job in before if job.artifacts.paths)
        if planned.job.needs is None:
            handing = tuple(name for name in _needed(pipeline, planned.job) if name in present)
            linked[planned.job.name] = replace(planned, after=earlier, artifacts_from=givers, depends_on=handing)
        else:
            linked[planned.job.name] = _linked_by_needs(pipeline, planned, present, problems)
    if problems:
        raise ConfigError(pipeline.source, tuple(problems))
    return linked


def _linked_by_needs(
    pipeline: Pipeline, planned: PlannedJob, present: set[str], problems: list[ConfigProblem]
) -> PlannedJob:
    after: dict[str, bool] = {}
    for number, need in enumerate(planned.job.needs or ()):
        for name in _cells(pipeline, need.job):
            if name in present:
                after[name] = need.artifacts
            elif not need.optional:
                path = f"jobs.{planned.job.group}.needs[{number}]"
                message = f"`{name}` is not in this run: no rule of it matches"
                problems.append(
                    ConfigProblem(path, message, f'write {{ job = "{need.job}", optional = true }} if that is fine')
                )
    givers = tuple(name for name, artifacts in after.items() if artifacts and pipeline.jobs[name].artifacts.paths)
    return replace(planned, after=tuple(after), artifacts_from=givers, depends_on=tuple(after))
