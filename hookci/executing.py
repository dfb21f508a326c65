"""A plan carried out to its end: its jobs run, and what came of them is written down."""

from __future__ import annotations

import functools
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.execute.attempt import AttemptExecutor
from hookci.execute.circumstances import Witness
from hookci.execute.context import RunContext
from hookci.execute.joining import Joining
from hookci.execute.local import local_place
from hookci.execute.recording import Recorder
from hookci.execute.remembering import RememberingExecutor
from hookci.execute.schedule import RunSettings, run_plan
from hookci.model.event import Notice
from hookci.model.plan import Action
from hookci.model.result import Outcome
from hookci.model.scan import ScanChoice
from hookci.proc.tree import adopt_orphans, end_orphans
from hookci.store.private import private_directory
from hookci.workspace.artifacts import ArtifactStore
from hookci.workspace.cache import CacheStore
from hookci.workspace.checkout import Source
from hookci.workspace.kinds import decide
from hookci.workspace.slots import MOST_AT_ONCE, Slots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from hookci.execute.place import Place
    from hookci.execute.schedule import Executor, Interrupts
    from hookci.model.event import Observer
    from hookci.model.files import Files
    from hookci.model.plan import Plan, PlannedJob
    from hookci.model.result import RunResult
    from hookci.remember import Recall, Remembering
    from hookci.session import Session
    from hookci.store.runs import Store
    from hookci.workspace.slot import Slot

__all__ = ["Handed", "RunOptions", "execute"]

_TOO_MANY = 20


_ALL = ScanChoice()


class RunOptions(Struct, frozen=True, kw_only=True):
    """How to run a plan: ``parallel`` jobs at once (None: as the settings say), on after a failure, with the memory.

    ``scans`` is what a person asks of its scans.  ``files_of`` are jobs whose files are needed after the run.
    The jobs ``again`` run though they are remembered.
    """

    parallel: int | None = None
    keep_going: bool = False
    memory: bool = True
    scans: ScanChoice = _ALL
    files_of: tuple[str, ...] = ()
    again: tuple[str, ...] = ()


class Handed(Struct, frozen=True):
    """What a deployment hands to the jobs that it starts.

    ``put`` puts the artifacts of jobs that are not in the plan into a store, under the number of the run; ``secrets``
    are variables that jobs may name.
    """

    put: Callable[[ArtifactStore, int], None]
    secrets: Mapping[str, str]


class _Parts(Struct, frozen=True):
    """What a run reads from and writes to; ``opened`` closes what is opened while it goes on.

    ``blobs`` lists the snapshot's files; all of a run share it, so that git is asked once.
    """

    session: Session
    store: Store
    remembering: Remembering
    opened: ExitStack
    options: RunOptions
    handed: Handed | None
    blobs: Callable[[], Files]


def execute(
    session: Session,
    plan: Plan,
    observer: Observer,
    interrupts: Interrupts,
    options: RunOptions,
    handed: Handed | None = None,
) -> RunResult:
    """Run what of ``plan`` is not remembered, to its end, and write down what came out.

    ``handed`` is what a deployment gives to its jobs; without it the run is none.
    """
    adopt_orphans()
    try:
        use = options.memory and not plan.skip
        with session.remembering(use=use) as (store, remembering), ExitStack() as opened:
            for warning in store.warnings:
                observer(Notice(warning, "warning"))
            parts = _Parts(session, store, remembering, opened, options, handed, session.blobs(plan.snapshot))
            return _execute(parts, plan, observer, interrupts)
    finally:
        end_orphans()


def _execute(parts: _Parts, plan: Plan, observer: Observer, interrupts: Interrupts) -> RunResult:
    session, store, options = parts.session, parts.store, parts.options
    session.end_what_was_interrupted(store)
    session.mark_engine(plan)
    recall = parts.remembering.recall(plan, parts.blobs, options.files_of, options.again)
    plan = recall.plan
    number = _begin(store, plan)
    passed_in = {name: job.remembered_run for name, job in plan.jobs.items() if job.remembered_run is not None}
    context = _context(parts, number, plan, passed_in)
    recorder = Recorder(store, number, parts.remembering.use)
    executor = _remembering_executor(parts, context, recall, recorder, passed_in)
    settings = RunSettings(
        parallel=min(options.parallel or session.settings.jobs or session.machine.processors, MOST_AT_ONCE),
        keep_going=options.keep_going,
        locks=private_directory(session.state / "locks"),
        cores=session.machine.processors,
        durations=store.durations([name for name, planned in plan.jobs.items() if planned.action is Action.RUN]),
        record=recorder.record,
    )
    with closing(context.slots):
        result = run_plan(plan, number, executor, settings, observer, interrupts)
    store.finish_run(number, result.verdict)
    for warning in _unused_suppressions(plan, result, options.scans):
        observer(Notice(warning, "warning"))
    parts.remembering.remember(recall, result)
    store.prune(beyond=_TOO_MANY)
    store.memory.prune()
    context.artifacts.prune(keep={*passed_in.values(), *store.going_on()})
    if parts.handed is None and any(planned.job.environment for planned in plan.jobs.values()):
        from hookci.deploy.outside import note_started  # noqa: PLC0415 (most pipelines deploy nowhere)

        for note in note_started(session.repository, session.state, session.machine.clock, plan, result):
            observer(Notice(note))
    return result


def _begin(store: Store, plan: Plan) -> int:
    """Write down that a run of ``plan`` begins; its number."""
    snapshot = plan.snapshot
    number = store.begin_run(
        label=snapshot.label,
        hook=plan.hook,
        tree=snapshot.tree,
        commit=snapshot.commit,
        branch=snapshot.branch,
        skipped=plan.skip,
    )
    store.keep_plan(number, plan)
    return number


def _context(parts: _Parts, number: int, plan: Plan, passed_in: Mapping[str, int]) -> RunContext:
    session, store, handed = parts.session, parts.store, parts.handed
    machine, repository, place = session.machine, session.repository, session.place

    def open_log(job: str) -> tuple[str, BinaryIO]:
        log = store.open_log(number, job)
        return log.name, log

    artifacts = ArtifactStore(place / "artifacts", machine.env)
    artifacts.begin(number)
    if handed is not None:
        handed.put(artifacts, number)
    return RunContext(
        number=number,
        plan=plan,
        source=Source.of(repository, session.scratch, workers=machine.processors, umask=machine.umask),
        slots=Slots(place, session.project, decide(session.settings.workspaces)[0], machine.python),
        caches=CacheStore(place / "caches", machine.env),
        artifacts=artifacts,
        user=machine.env if handed is None else {**machine.env, **handed.secrets},
        carried_from=repository.top,
        blobs=parts.blobs,
        passed_in=passed_in,
        open_log=open_log,
        which=functools.cache(machine.which),
        clock=machine.clock,
    )


def _remembering_executor(
    parts: _Parts, context: RunContext, recall: Recall, recorder: Recorder, passed_in: dict[str, int]
) -> RememberingExecutor:
    """What runs the jobs that nobody has run before; ``passed_in`` learns which run the others passed in."""
    remembering, state = parts.remembering, parts.session.state
    locks = private_directory(state / "locks" / "jobs", within=state)
    witness = Witness(context.plan.snapshot, remembering.observatory)
    return RememberingExecutor(
        inner=_executor(parts, context),
        memory=parts.store.memory,
        keys=recall.keys,
        joining=Joining(parts.store, locks, context.number),
        find=remembering.find(recall, context.blobs),
        passed_in=passed_in,
        outcomes=dict.fromkeys(passed_in, Outcome.REMEMBERED),
        share=remembering.use,
        key_of=lambda name: recall.key_of(name, remembering.observatory, witness),
        keep=recorder.keep,
    )


def _executor(parts: _Parts, context: RunContext) -> Executor:
    """What runs a job's attempts: with scanners, if there is a job that scans."""
    session = parts.session
    local = AttemptExecutor(context, _places(session, context))
    if not any(planned.job.scan for planned in context.plan.jobs.values()):
        return local
    from hookci.compare import Scans  # noqa: PLC0415 (not every run scans)
    from hookci.execute.scanning import ScanningExecutor  # noqa: PLC0415
    from hookci.store.scanned import ScannedFiles  # noqa: PLC0415

    scans = Scans(
        repository=session.repository,
        scratch=session.scratch,
        observatory=parts.remembering.observatory,
        memory=parts.opened.enter_context(closing(ScannedFiles(session.state))),
        python=session.machine.python,
        processors=session.machine.processors,
        clock=session.machine.clock,
    )
    return ScanningExecutor(local, context, scans.context(context, parts.options.scans))


def _places(session: Session, context: RunContext) -> Callable[[RunContext, PlannedJob, Slot], Place]:
    """Where the commands of jobs run."""
    planned = context.plan.jobs.values()
    if not any(job.job.contained and job.action is Action.RUN for job in planned):
        return local_place
    from hookci.engines import owner_of, places, rooms, this_host  # noqa: PLC0415 (only with an engine)

    session.desk.warm()
    machine = session.machine
    owner = owner_of(session.place.name, context.number, pid=machine.pid, host=this_host(machine.cache_home))
    return places(rooms(session.desk, session.settings, owner), local_place)


def _unused_suppressions(plan: Plan, result: RunResult, choice: ScanChoice) -> list[str]:
    """What to say of suppressions that matched nothing, if every scan of the pipeline was made just now, in full."""
    scans = [planned.job.scan for planned in plan.jobs.values() if planned.job.scan]
    reports = [job.scan for job in result.jobs if job.scan]
    if not plan.all_scans or choice.paths or not scans or len(reports) < len(scans):
        return []
    from hookci.scan.assess import unused_suppressions  # noqa: PLC0415 (not every run scans)

    return unused_suppressions(scans[0].suppressions, reports, everything=choice.everything)
