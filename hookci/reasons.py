"""Why a job of a plan would run, or need not: what has changed since it passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.errors import UsageError
from hookci.execute.circumstances import Witness
from hookci.flow import requested
from hookci.git.changes import changes_between
from hookci.model.files import Files
from hookci.model.plan import Action
from hookci.model.why import Difference, Kind, Why
from hookci.recall.differences import differences, same_inputs

if TYPE_CHECKING:
    from hookci.flow import Request
    from hookci.model.event import Observer
    from hookci.model.memory import KeptPass
    from hookci.model.plan import Plan, PlannedJob
    from hookci.remember import Recall, Remembering
    from hookci.session import Machine, Session

__all__ = ["explain_job"]

_MOST = 100
"""Files that are told by name."""
_NEVER = "no pass of it is remembered: it has not passed here, or the same has failed since, or it was forgotten"


def explain_job(machine: Machine, request: Request, job: str, tell: Observer) -> tuple[Why, ...]:
    """Say why the plan of ``request`` does with ``job`` what it does; one answer for each cell of a matrix.

    Raises:
        UsageError: the plan has no such job.
        HookciError: the request or the config makes no sense.
    """
    session, plan = requested(machine, request, tell)
    wanted = job.removeprefix("job:")
    groups = {name: planned.job.group for name, planned in plan.jobs.items()}
    names = [name for name, group in groups.items() if wanted in {name, group}]
    if not names and wanted in plan.left_out:
        return (Why(job=wanted, action=None, reason=plan.left_out[wanted]),)
    if not names:
        known = [*groups, *groups.values(), *plan.left_out]
        from difflib import get_close_matches  # noqa: PLC0415 (only for what is not there)

        near = get_close_matches(wanted, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"jobs: {', '.join(dict.fromkeys(known)) or 'none'}"
        raise UsageError(f"the plan has no job `{wanted}`", hint)
    with session.remembering(use=request.options.memory and not plan.skip) as (_store, remembering):
        recall = remembering.recall(plan, session.blobs(plan.snapshot))
        return tuple(_why(session, recall, remembering, name) for name in names)


def _why(session: Session, recall: Recall, remembering: Remembering, name: str) -> Why:
    planned, memory = recall.plan.jobs[name], remembering.memory
    if planned.action is Action.REMEMBERED:
        return _answer(planned, memory.kept(recall.keys[name]))
    if planned.action is not Action.RUN or not planned.job.memory:
        return _answer(planned, None)
    then = memory.newest(name)
    if then is None:
        return _answer(replace(planned, reason=f"{planned.reason}; {_NEVER}"), None)
    key = recall.keys[name]
    now = Witness(recall.plan.snapshot, remembering.observatory).value(key)
    files = [] if same_inputs(then, key) else _files(session, recall.plan, planned, then)
    found = (*files[:_MOST], *differences(then, key, now))
    return _answer(planned, then, found, more=max(0, len(files) - _MOST))


def _answer(planned: PlannedJob, passed: KeptPass | None, found: tuple[Difference, ...] = (), *, more: int = 0) -> Why:
    name, action, reason = planned.job.name, planned.action, planned.reason
    return Why(job=name, action=action, reason=reason, passed=passed, differences=found, more=more)


def _files(session: Session, plan: Plan, planned: PlannedJob, then: KeptPass) -> list[Difference]:
    """Which of a job's files have changed; one difference without a name when that cannot be told any more."""
    changes = None
    if then.circumstances is not None:
        before = then.circumstances.tree
        changes = changes_between(session.repository, session.scratch, before, plan.snapshot.tree)
    if changes is None:
        return [Difference(Kind.FILE, "")]
    inputs = planned.job.inputs
    named = changes if inputs is None else Files(changes).named(inputs)
    return [Difference(Kind.FILE, path, how) for path, how in named.items()]
