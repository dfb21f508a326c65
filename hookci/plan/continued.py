"""What is left of a run when a job that waited for a person is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.model.pipeline import AllowFailure
from hookci.model.plan import Action
from hookci.model.result import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from hookci.model.plan import Plan, PlannedJob
    from hookci.model.result import JobResult

__all__ = ["continued", "waits_below"]

_WAITING = frozenset({Outcome.MANUAL, Outcome.SKIPPED, Outcome.UNSUPPORTED})


def continued(
    plan: Plan, run: int, results: Mapping[str, JobResult], started: Collection[str], has: Callable[[str, int], bool]
) -> Plan:
    """The plan of a run that goes on with ``run``: what is started, what waited for it, and what those need of before.

    Args:
        plan: of all jobs on the snapshot of that run, those that are started asked for by name.
        run: its number.
        results: how its jobs ended.
        started: the jobs that waited for a person and are started now.
        has: whether the files that a job handed on in a run are still there.
    """
    rest = _Rest(plan, run, results, has)
    chosen = rest.chosen(started)
    before = rest.before(chosen)
    kept = chosen | before.keys()
    jobs = {
        name: before[name] if name in before else _within(planned, kept, is_started=name in started)
        for name, planned in plan.jobs.items()
        if name in kept
    }
    others = {name: f"run {run} has it" for name in plan.jobs if name not in kept}
    return replace(plan, jobs=jobs, left_out={**plan.left_out, **others}, whole=False, all_scans=False, belongs_to=run)


def waits_below(plan: Plan, results: Mapping[str, JobResult], name: str) -> bool:
    """Whether a job waits since a person is to start one of the pipeline that it has started."""
    return _is_manual(results, name) and any(
        planned.parent == name and _is_manual(results, member) for member, planned in plan.jobs.items()
    )


def _is_manual(results: Mapping[str, JobResult], name: str) -> bool:
    return name in results and results[name].outcome is Outcome.MANUAL


class _Rest(Struct, frozen=True):
    plan: Plan
    run: int
    results: Mapping[str, JobResult]
    has: Callable[[str, int], bool]

    def _outcome(self, name: str) -> Outcome | None:
        return self.results[name].outcome if name in self.results else None

    def _is_good(self, name: str) -> bool:
        outcome = self._outcome(name)
        return outcome is not None and outcome.is_good

    def chosen(self, started: Collection[str]) -> set[str]:
        """What is started, and all that could not run because of it; not what something else kept from running."""
        chosen = set(started)
        while True:
            more = {name for name in self.plan.jobs.keys() - chosen if self._follows(name, chosen)}
            if not more:
                return chosen
            chosen |= more

    def _follows(self, name: str, chosen: set[str]) -> bool:
        planned = self.plan.jobs[name]
        if planned.parent in chosen and not self._waits_below(planned.parent):
            return True
        if self._waits_below(name):
            members = self._members(name)
            return not chosen.isdisjoint(members) and all(one in chosen or self._is_over(one) for one in members)
        waited = self._outcome(name) is Outcome.SKIPPED and not chosen.isdisjoint(planned.after)
        return waited and all(other in chosen or self._is_over(other) for other in planned.after)

    def _is_over(self, name: str) -> bool:
        """Whether a job did not fail, so that what waits for it too can go on."""
        return self._is_good(name) or self._outcome(name) in _WAITING

    def _waits_below(self, name: str | None) -> bool:
        return name is not None and waits_below(self.plan, self.results, name)

    def _members(self, name: str) -> list[str]:
        if self.plan.jobs[name].job.trigger is None:
            return []
        return [member for member, planned in self.plan.jobs.items() if planned.parent == name]

    def before(self, chosen: Collection[str]) -> dict[str, PlannedJob]:
        """The jobs that those chosen come after or get files from, or whose pipeline they wait for, as they ended."""
        pending = [other for name in chosen for other in (*_named(self.plan.jobs[name]), *self._members(name))]
        found: dict[str, PlannedJob] = {}
        while pending:
            name = pending.pop()
            if name in found or name in chosen:
                continue
            planned = self.plan.jobs[name]
            good = self._is_good(name) and not planned.job.trigger
            parent = planned.parent if planned.parent in chosen else None
            if good:
                found[name] = replace(self._ended(planned), parent=parent)
                pending += planned.depends_on
            elif self._is_good(name) and parent is not None:
                found[name] = replace(self._ended(_plain(planned)), parent=parent)
            elif self._waits_below(name):
                found[name] = replace(_left(replace(_plain(planned), action=Action.MANUAL)), parent=parent)
            elif self._outcome(name) in _WAITING:
                found[name] = replace(_left(planned), parent=parent)
        names = found.keys() | set(chosen)
        return {name: replace(one, depends_on=_only(one.depends_on, names)) for name, one in found.items()}

    def _ended(self, planned: PlannedJob) -> PlannedJob:
        result = self.results[planned.job.name]
        run = result.passed_in or self.run
        overlooked = result.outcome is Outcome.ALLOWED_FAILURE
        job = planned.job
        if overlooked and not self.has(job.name, run):
            # it handed nothing on, and need not do it again for that
            job = replace(job, artifacts=replace(job.artifacts, paths=(), untracked=False, dotenv=()), cache=())
        return replace(
            planned,
            job=job,
            action=Action.REMEMBERED,
            reason=f"{'was allowed to fail' if overlooked else 'passed'} in run {run}",
            remembered_run=run,
            after=(),
            artifacts_from=(),
        )


def _named(planned: PlannedJob) -> Iterable[str]:
    return (*planned.after, *planned.artifacts_from, *planned.depends_on)


def _only(names: tuple[str, ...], there: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in there)


def _plain(planned: PlannedJob) -> PlannedJob:
    """A job that starts a pipeline, without that: it ends as it ended, and if it waits, it holds up what it held up."""
    job, trigger = planned.job, planned.job.trigger
    allowed = job.allow_failure if trigger is None or trigger.mirror else AllowFailure()
    return replace(planned, job=replace(job, trigger=None, allow_failure=allowed))


def _left(planned: PlannedJob) -> PlannedJob:
    """A job that did not run, and does not now."""
    action = planned.action if planned.action in {Action.MANUAL, Action.UNSUPPORTED} else Action.SKIPPED
    return replace(planned, action=action, after=(), artifacts_from=(), depends_on=())


def _within(planned: PlannedJob, kept: Collection[str], *, is_started: bool) -> PlannedJob:
    return replace(
        planned,
        # a person wants it to be done, whatever is remembered
        job=replace(planned.job, memory=False) if is_started else planned.job,
        after=_only(planned.after, kept),
        artifacts_from=_only(planned.artifacts_from, kept),
        depends_on=_only(planned.depends_on, kept),
        parent=planned.parent if planned.parent in kept else None,
    )
