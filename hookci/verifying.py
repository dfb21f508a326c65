"""Running again what is remembered, to see whether it would pass now, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.errors import UsageError
from hookci.executing import execute
from hookci.flow import requested
from hookci.model.result import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hookci.execute.schedule import Interrupts
    from hookci.flow import Request
    from hookci.model.event import Observer
    from hookci.model.plan import Plan
    from hookci.model.result import JobResult, RunResult
    from hookci.session import Machine

__all__ = ["Verified", "verify_memory"]

_RED = 1
_FAILED = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ALLOWED_FAILURE})


class Verified(Struct, frozen=True):
    """What came of it.

    ``remembered`` says in which run each job has passed that is remembered; ``result`` is the run in which a sample of
    them ran again, None if there was nothing to run.
    """

    remembered: dict[str, int]
    result: RunResult | None = None

    @property
    def agreeing(self) -> list[JobResult]:
        """The jobs that have passed again."""
        return [job for job in self._again if job.outcome is Outcome.PASSED]

    @property
    def disagreeing(self) -> list[JobResult]:
        """The jobs that were remembered as passed and fail now."""
        return [job for job in self._again if job.outcome in _FAILED]

    @property
    def exit_status(self) -> int:
        """0 when all agree, 1 when one does not, else that of the run."""
        if self.result is None:
            return 0
        return _RED if self.disagreeing else self.result.verdict.exit_status

    @property
    def _again(self) -> list[JobResult]:
        return [job for job in self.result.jobs if job.name in self.remembered] if self.result else []


def verify_memory(
    machine: Machine,
    request: Request,
    jobs: Sequence[str],
    choose: Callable[[Sequence[str]], Sequence[str]],
    tell: Observer,
    stop: Interrupts,
) -> Verified:
    """Run jobs again that are remembered; the pass of one that fails now is forgotten, and every verdict with it.

    Args:
        machine: the machine.
        request: which snapshot and hook; it names no jobs.
        jobs: the jobs that are meant, none for all.
        choose: takes a sample of them.
        tell: told of the run.
        stop: ends it.

    Raises:
        UsageError: one of ``jobs`` is not remembered.
        HookciError: the run could not be made.
    """
    names = tuple(f"job:{name.removeprefix('job:')}" for name in jobs)
    session, plan = requested(machine, replace(request, names=names), tell)
    marked = session.recalled(plan).jobs
    remembered = {name: one.remembered_run for name, one in marked.items() if one.remembered_run is not None}
    meant = {name for name, one in plan.jobs.items() if not jobs or {f"job:{name}", f"job:{one.job.group}"} & {*names}}
    missing = sorted(meant - remembered.keys())
    if jobs and missing:
        hint = f"`hookci plan --why {missing[0]}` says why"
        raise UsageError(f"`{missing[0]}` is not remembered, so there is nothing to hold it against", hint)
    chosen = choose([name for name in plan.jobs if name in meant & remembered.keys()])
    if not chosen:
        return Verified(remembered)
    options = replace(request.options, keep_going=True, again=tuple(chosen))
    return Verified(remembered, execute(session, _only(plan, chosen), tell, stop, options))


def _only(plan: Plan, names: Sequence[str]) -> Plan:
    """The plan of some of its jobs and of those they cannot be without."""
    kept: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in kept:
            kept.add(name)
            one = plan.jobs[name]
            pending += [*one.depends_on, *one.artifacts_from, *([one.parent] if one.parent else [])]
    jobs = {
        name: replace(one, after=tuple(other for other in one.after if other in kept))
        for name, one in plan.jobs.items()
        if name in kept
    }
    return replace(plan, jobs=jobs, whole=False)
