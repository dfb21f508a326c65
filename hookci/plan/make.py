"""From a pipeline, a snapshot and what was asked for to the plan of one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from hookci.errors import ConfigError
from hookci.model.pipeline import Rule, When
from hookci.model.plan import Action, Plan
from hookci.plan.asked import asked_by_hook, asked_within, names_asked
from hookci.plan.decide import decide, planned_job, problems_of
from hookci.plan.facts import Facts
from hookci.plan.givers import Givers, why_needed
from hookci.plan.links import linked
from hookci.plan.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hookci.errors import ConfigProblem
    from hookci.model.pipeline import Job, Pipeline, Trigger
    from hookci.model.plan import PlannedJob
    from hookci.model.snapshot import Snapshot
    from hookci.plan.asked import Asked

__all__ = ["make_plan"]

_AROUND = frozenset({".pre", ".post"})
"""The stages that make no pipeline alone (GitLab CI/CD YAML reference, "stage: .pre")."""
_STARTED = "parent_pipeline"
"""GitLab's word for the source of a pipeline that a job of another one starts."""
_AS_USUAL = Wishes()
_ALWAYS = Rule(implied=True)


def make_plan(  # noqa: PLR0913 (all that a plan depends on, by keyword)
    pipeline: Pipeline,
    snapshot: Snapshot,
    *,
    hook: str,
    asked: Asked,
    skip: tuple[str, ...] = (),
    paths: Callable[[], Iterable[str]],
    wishes: Wishes = _AS_USUAL,
) -> Plan:
    """Decide for every job whether it runs, and why.

    Args:
        pipeline: what the snapshot's config defines.
        snapshot: what is judged.
        hook: the hook that asks, for rules; a run by hand takes the part of one.
        asked: stages and jobs; jobs they need come along.
        skip: jobs a person wants left out for once.
        paths: lists the snapshot's paths, for ``exists``; called only when a rule asks.
        wishes: what else the person and the clone have to say.

    Raises:
        UsageError: a name in ``asked`` is unknown.
        ConfigError: a job needs one that is not in this run, or asks for what this version cannot do.
    """
    facts = Facts(
        pipeline=pipeline, snapshot=snapshot, hook=hook, paths=paths, wishes=wishes, given=dict(wishes.variables)
    )
    level = _Level(facts, asked, skip)
    jobs = {planned.job.name: planned for planned in level.jobs()}
    if level.problems:
        raise ConfigError(pipeline.source, tuple(level.problems))
    return Plan(
        snapshot=snapshot,
        hook=hook,
        stages=tuple(dict.fromkeys([*pipeline.stages, *(planned.job.stage for planned in jobs.values())])),
        jobs=jobs,
        left_out=level.left_out,
        skip=tuple(name for name, planned in jobs.items() if planned.action is Action.SKIPPED),
        whole=asked == asked_by_hook(pipeline, hook) and not wishes.variables,
        all_scans=all(name in jobs for name, job in pipeline.jobs.items() if job.scan),
        facts_read=dict(sorted({**pipeline.facts_read, **facts.read}.items())),
        name=facts.expanded(pipeline.name, level.variables) if pipeline.name else None,
        source=pipeline.source,
        keep_going=pipeline.gitlab,
        notices=(*level.notices, *_far(facts)),
        ends_together=frozenset(level.ends_together),
    )


def _far(facts: Facts) -> Iterator[str]:
    """What a person should know of the variables that rules ask for and nobody knows here."""
    if facts.far:
        names = ", ".join(sorted(facts.far))
        what = f"{facts.pipeline.source}: rules ask for {names}, which only a GitLab server knows"
        yield f"{what}: give it with `--variable NAME=value`"


class _Level(Struct):
    """One pipeline: the snapshot's own, or one that a job of it starts."""

    facts: Facts
    asked: Asked
    skip: tuple[str, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    variables: Mapping[str, str] = field(default_factory=dict)
    ends_together: set[str] = field(default_factory=set)
    raw: frozenset[str] = frozenset()
    """Those of the variables given in whose values ``$NAME`` means nothing."""

    @property
    def pipeline(self) -> Pipeline:
        return self.facts.pipeline

    def jobs(self) -> Iterator[PlannedJob]:
        """The jobs of the run in the order of their stages, each with those of the pipeline that it starts."""
        named = names_asked(self.pipeline, self.asked)
        if not any(named.values()) and self.facts.skips:
            self._nothing("the message of the commit says [skip ci]")
            return
        rule = self._workflow()
        if rule is None:
            self._nothing("no rule of `workflow` holds")
            return
        workflow = rule.variables
        if self.pipeline.ends_together if rule.ends_together is None else rule.ends_together:
            self.ends_together.add(self.facts.prefix.removesuffix("/"))
        self.variables = {**self.pipeline.variables, **workflow}
        givers = Givers(self.pipeline)
        decided = self._decided(named, workflow, givers)
        if not any(named.values()) and decided and {planned.job.stage for planned in decided.values()} <= _AROUND:
            self._nothing("no job is in a stage but `.pre` and `.post`")
            return
        self.problems += [one for planned in decided.values() for one in problems_of(planned)]
        for planned in linked(self.pipeline, givers, decided, self.problems):
            yield planned
            if planned.job.trigger is not None and planned.action is not Action.UNSUPPORTED:
                yield from self._started_by(planned)

    def _nothing(self, why: str) -> None:
        self.left_out = dict.fromkeys(self.pipeline.jobs, why)
        self.notices.append(f"{self.pipeline.source}: {why}, so nothing runs")

    def _workflow(self) -> Rule | None:
        """The rule that lets the pipeline run; None when none does."""
        rules = self.pipeline.workflow
        if rules is None:
            return _ALWAYS
        number = self.facts.first(rules, self.pipeline.variables)
        return None if number is None or rules[number].when is When.NEVER else rules[number]

    def _decided(self, named: Mapping[str, bool], workflow: Mapping[str, str], givers: Givers) -> dict[str, PlannedJob]:
        """The jobs asked for whose rules let them run, and those they need, in the order of the file."""
        pipeline, facts = self.pipeline, self.facts
        wanted = dict.fromkeys(named, "asked for")
        pending = list(named)
        found: dict[str, tuple[Job, str] | None] = {}
        seen: set[int] = set()
        while pending:
            name = pending.pop()
            found[name] = made = decide(pipeline.jobs[name], facts, workflow)
            job = made[0] if made else pipeline.jobs[name]
            needed = givers.needed(job)
            if id(needed) not in seen:
                seen.add(id(needed))
                fresh = dict.fromkeys((other for other in needed if other not in wanted), why_needed(job))
                wanted |= fresh
                pending += fresh
        skipping = {name for wish in self.skip for name in givers.cells(wish.removeprefix("job:"))}
        decided = {}
        for name in pipeline.jobs:
            made = found.get(name)
            if made is not None:
                job, rule = made
                why, by_name = f"{wanted[name]}{rule}", named.get(name, False)
                planned = planned_job(job, facts, why, by_name=by_name, skipped=name in skipping)
                decided[name] = replace(planned, given_raw=self.raw) if self.raw else planned
            else:
                self.left_out[name] = "no rule matches" if name in wanted else self._not_asked()
        return decided

    def _not_asked(self) -> str:
        return f"not asked for ({', '.join(self.asked)})" if self.asked else f"{self.facts.hook} asks for nothing"

    def _started_by(self, planned: PlannedJob) -> Iterator[PlannedJob]:
        """The jobs of the pipeline that ``planned`` starts, by names with its own in front."""
        job = planned.job
        if job.trigger is None or job.trigger.flaws:
            return
        child = job.trigger.pipeline
        handed, raw = self._handed(job, job.trigger)
        facts = self.facts.of(job.name, child, {**handed, "CI_PIPELINE_SOURCE": _STARTED})
        asked = asked_within(self.asked, job.name)
        if not asked or job.stage in self.asked:
            asked = (*child.stages, *asked)
        below = _Level(facts, asked, asked_within(self.skip, job.name), raw=raw - {"CI_PIPELINE_SOURCE"})
        telling = tuple(name for name in planned.artifacts_from if self.pipeline.jobs[name].artifacts.dotenv)
        for one in list(below.jobs()):
            yield _renamed(one, job.name, telling)
        self.ends_together |= below.ends_together
        self.left_out |= {f"{job.name}/{name}": why for name, why in below.left_out.items()}
        self.notices += [f"{job.name}: {notice}" for notice in below.notices]
        self.problems += [replace(one, path=f"{job.name}: {one.path}") for one in below.problems]

    def _handed(self, job: Job, trigger: Trigger) -> tuple[dict[str, str], frozenset[str]]:
        """The variables that ``job`` hands to the pipeline that it starts, and those whose values stay as they are.

        Source: GitLab CI/CD YAML reference, "trigger:forward"; ``Ci::Variables::Downstream::RawVariableGenerator``.
        """
        handed: dict[str, str] = {}
        raw: frozenset[str] = frozenset()
        if trigger.variables is not None:
            before = self.pipeline.jobs[job.name].variables
            by_rules = {name: value for name, value in job.variables.items() if before.get(name) != value}
            written = {**trigger.variables, **by_rules}
            raw = trigger.raw - by_rules.keys()
            handed = {
                name: value if name in raw else self.facts.expanded(value, job.variables, job)
                for name, value in written.items()
            }
        if not trigger.pipeline_variables:
            return handed, raw
        given = self.facts.given
        return {**handed, **given}, (raw - given.keys()) | self.raw


def _renamed(planned: PlannedJob, starter: str, telling: tuple[str, ...]) -> PlannedJob:
    """A job of the pipeline that ``starter`` starts, under the name it has in the plan.

    ``telling`` are the jobs whose variables may reach it through ``starter``.
    """

    def named(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{starter}/{name}" for name in names)

    job = replace(planned.job, name=f"{starter}/{planned.job.name}", group=f"{starter}/{planned.job.group}")
    return replace(
        planned,
        job=job,
        parent=f"{starter}/{planned.parent}" if planned.parent else starter,
        after=named(planned.after),
        artifacts_from=named(planned.artifacts_from),
        depends_on=(*named(planned.depends_on), *telling),
    )
