"""Starting a job that waits for a person: on the same snapshot, with what the run before it has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from hookci.deploy.locking import held_words, holder, is_locked
from hookci.errors import LockHeldError, UsageError
from hookci.executing import RunOptions, execute
from hookci.flow import Request, plan_for
from hookci.git.snapshots import of_revision
from hookci.model.environment import is_component
from hookci.model.event import Notice
from hookci.model.plan import Action
from hookci.model.result import Outcome
from hookci.plan.continued import continued, waits_below
from hookci.session import Session
from hookci.workspace.artifacts import ArtifactStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.execute.schedule import Interrupts
    from hookci.model.event import Observer
    from hookci.model.plan import Plan
    from hookci.model.record import RunRecord
    from hookci.model.result import JobResult, RunResult
    from hookci.model.snapshot import Snapshot
    from hookci.session import Machine

__all__ = ["PlayRequest", "play"]

_OPTIONS = RunOptions()


class PlayRequest(Struct, frozen=True, kw_only=True):
    """A job that waits, in run ``number`` (None: the last one), and variables that a person gives it."""

    job: str
    number: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    options: RunOptions = _OPTIONS


def play(machine: Machine, request: PlayRequest, tell: Observer, stop: Interrupts) -> RunResult:
    """Start a job that waits for a person, and what waits for it, in a run that goes on with the one it waits in.

    Raises:
        HookciError: no verdict could be reached, also because no such job waits.
    """
    session = Session.open(machine)
    record, results, snapshot = _found(session, request.number)
    names = _waiting(record, results, request.job)
    pipeline = session.configured(snapshot, request.variables)
    asked = (*pipeline.stages, *(f"job:{name}" for name in names))
    wanted = Request(hook=record.hook, names=asked, variables=request.variables)
    plan = plan_for(session, pipeline, snapshot, wanted, tell)
    _require_itself(plan, results, names)
    artifacts = ArtifactStore(session.place / "artifacts", machine.env)
    plan = continued(plan, record.number, results, names, lambda name, run: artifacts.has(run, name))
    _require_free(session, plan)
    tell(Notice(f"this goes on with run {record.number}"))
    return execute(session, plan, tell, stop, request.options)


def _require_itself(plan: Plan, results: Mapping[str, JobResult], names: tuple[str, ...]) -> None:
    """Refuse to start what runs already, and waits for one that it has started.

    Raises:
        UsageError: a job is such a one.
    """
    for name in names:
        if waits_below(plan, results, name):
            raise UsageError(f"job `{name}` has started its pipeline: {results[name].reason}")


def _require_free(session: Session, plan: Plan) -> None:
    """Refuse to deploy where a deployment from here is under way.

    Raises:
        LockHeldError: one is.
    """
    state = session.state / "deploy"
    running = [planned.job for planned in plan.jobs.values() if planned.action is Action.RUN]
    names = {job.environment.name for job in running if job.environment and job.environment.action in {"start", "stop"}}
    for name in sorted(names) if state.is_dir() else ():
        if is_component(name) and is_locked(state, name):
            raise LockHeldError(held_words(name, holder(state, name)))


def _found(session: Session, number: int | None) -> tuple[RunRecord, dict[str, JobResult], Snapshot]:
    """The run that is gone on with, how its jobs have ended up to now, and what it judged.

    What goes on with a run is no other pipeline: all of it counts as one.
    """
    with session.store() as store:
        last = store.run(number)
        record = store.run(last.belongs_to) if last and last.belongs_to else last
        if record is None:
            message = "there is no run yet" if number is None else f"there is no run {number}"
            raise UsageError(message, "`hookci runs` lists them")
        results: dict[str, JobResult] = {}
        for one in (record, *store.continuations(record.number)):
            for job in store.jobs(one.number):
                results[job.result.name] = replace(job.result, passed_in=job.result.passed_in or one.number)
        kept = store.snapshot(record.number)
    return record, results, kept or of_revision(session.repository, record.commit)


def _waiting(record: RunRecord, results: Mapping[str, JobResult], job: str) -> tuple[str, ...]:
    """The jobs that ``job`` means, a matrix all its cells; each of them waits for a person."""
    job = job.removeprefix("job:")
    meant = [name for name in results if name == job or name.startswith((f"{job}: [", f"{job} "))]
    waiting = tuple(name for name in meant if results[name].outcome is Outcome.MANUAL)
    if waiting:
        return waiting
    all_waiting = ", ".join(f"`{name}`" for name, one in results.items() if one.outcome is Outcome.MANUAL)
    hint = f"these do: {all_waiting}" if all_waiting else "no job of it does"
    if not meant:
        raise UsageError(f"run {record.number} has no job `{job}` that waits for a person", hint)
    outcome = results[meant[0]].outcome
    raise UsageError(f"job `{job}` of run {record.number} does not wait for a person: it is {outcome}", hint)
