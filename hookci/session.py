"""What one call of hookci works with: the machine it runs on, the repository, its store and its settings."""

from __future__ import annotations

import functools
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.config.settings import Settings, read_settings
from hookci.errors import StateError, UnconfiguredError
from hookci.execute.attempt import AttemptExecutor
from hookci.execute.circumstances import Witness
from hookci.execute.context import RunContext
from hookci.execute.joining import Joining
from hookci.execute.local import local_place
from hookci.execute.observations import Observatory
from hookci.execute.recording import Recorder
from hookci.execute.remembering import RememberingExecutor
from hookci.execute.schedule import RunSettings, run_plan
from hookci.execute.shortcut import Shortcut
from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch, tree_blobs
from hookci.model.event import Notice
from hookci.model.plan import Action
from hookci.model.result import Outcome, RunResult, Verdict
from hookci.model.scan import ScanChoice
from hookci.proc.tree import adopt_orphans, end_orphans
from hookci.reading import pipeline_of_tree
from hookci.remember import Remembering, read_salt
from hookci.store.green import GreenRecords
from hookci.store.identity import ProcessIdentity, identify
from hookci.store.parsed import ParsedConfigs
from hookci.store.private import private_directory
from hookci.store.runs import Store
from hookci.workspace.artifacts import ArtifactStore
from hookci.workspace.cache import CacheStore
from hookci.workspace.checkout import Source
from hookci.workspace.kinds import decide
from hookci.workspace.slots import MOST_AT_ONCE, Slots, project_name, repository_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO

    from hookci.engine.desk import EngineDesk
    from hookci.execute.place import Place
    from hookci.execute.schedule import Executor, Interrupts
    from hookci.git.ahead import Ahead
    from hookci.model.event import Observer
    from hookci.model.files import Files
    from hookci.model.notification import Notify
    from hookci.model.pipeline import Pipeline
    from hookci.model.plan import Plan, PlannedJob
    from hookci.model.snapshot import Snapshot
    from hookci.notify.texts import Message
    from hookci.workspace.slot import Slot

__all__ = ["Handed", "Machine", "RunOptions", "Session", "scratch_of"]

_TOO_MANY = 20


class Machine(Struct, frozen=True, kw_only=True):
    """All that hookci takes from its surroundings, read once at the top.

    ``cache_home``, ``config_home`` and ``data_home`` are the user's, as the XDG specification has them.  ``clock``
    tells unix seconds; ``which`` finds a program on a PATH; ``processors`` is how many cores this process may use,
    ``python`` is our interpreter, ``installation`` names this hookci and its interpreter.  ``ahead`` has asked git
    about the repository around ``cwd``.
    """

    env: Mapping[str, str]
    cwd: Path
    cache_home: Path
    config_home: Path
    data_home: Path
    clock: Callable[[], float]
    pid: int
    processors: int
    python: str
    installation: str
    umask: int
    which: Callable[[str, str], str | None]
    ahead: Ahead | None = None


def scratch_of(machine: Machine, repository: Repository) -> Scratch:
    """Where objects of hookci's own go."""
    home = machine.cache_home
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise StateError(f"{home}: {why}", "XDG_CACHE_HOME says where caches go") from error
    return Scratch(private_directory(repository_directory(home, repository), within=home))


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
    """What a run reads from and writes to; ``opened`` closes what is opened while it goes on."""

    store: Store
    remembering: Remembering
    opened: ExitStack
    handed: Handed | None = None


class Session(Struct, frozen=True, dict=True):
    """One repository on one machine; ``began`` is when the first look was taken at it, in unix seconds."""

    machine: Machine
    repository: Repository
    settings: Settings
    began: float = 0.0

    @classmethod
    def open(cls, machine: Machine) -> Session:
        """The repository around the current directory.

        Raises:
            UsageError: there is none.
        """
        began = machine.ahead.began if machine.ahead else machine.clock()
        repository = Repository.discover(machine.cwd, machine.env, machine.ahead)
        settings = read_settings(repository.settings, machine.config_home / "hookci" / "config.toml")
        return cls(machine, repository, settings, began)

    @property
    def state(self) -> Path:
        """Where runs and logs are kept, shared by all worktrees."""
        return self.repository.common_dir / "hookci"

    @property
    def place(self) -> Path:
        """Where workspaces, caches and artifacts are kept."""
        return repository_directory(self.machine.cache_home, self.repository)

    @property
    def scratch(self) -> Scratch:
        """Where objects of hookci's own go."""
        return scratch_of(self.machine, self.repository)

    @functools.cached_property
    def desk(self) -> EngineDesk:
        """Where the container engine is asked for."""
        from hookci.engines import engine_desk, this_host  # noqa: PLC0415 (only with an engine)

        machine = self.machine
        return engine_desk(self.settings.engine, machine.env, self.place.name, this_host(machine.cache_home))

    @property
    def _engine_mark(self) -> Path:
        return self.state / "uses-engine"

    def expect_engine(self) -> None:
        """Begin to reach the engine, if the last run of this clone wanted it, while git is asked what to run."""
        if self._engine_mark.exists():
            self.desk.warm()

    def _mark_engine(self, plan: Plan) -> None:
        wanted = any(planned.job.contained for planned in plan.jobs.values())
        if wanted and not self._engine_mark.exists():
            self._engine_mark.touch()
        elif not wanted:
            self._engine_mark.unlink(missing_ok=True)

    def _image_id(self, name: str, platform: str | None) -> str:
        from hookci.engines import image_id  # noqa: PLC0415 (only with an engine)

        return image_id(self.desk, name, platform)

    def _engine_kind(self) -> str:
        from hookci.engines import engine_kind  # noqa: PLC0415 (only with an engine)

        return engine_kind(self.desk)

    def tell_people(self, notify: Notify, message: Message, secrets: Iterable[str] = ()) -> list[str]:
        """Tell those whom a config names; what to say of it when that did not work.  It changes no result."""
        from tempfile import TemporaryDirectory  # noqa: PLC0415 (few configs name anybody)

        from hookci.execute.masking import Masker  # noqa: PLC0415
        from hookci.notify.send import NotifyDesk, send  # noqa: PLC0415

        if message.occasion not in notify.on:
            return []
        machine = self.machine
        with TemporaryDirectory(prefix="notify-", dir=private_directory(self.state)) as directory:
            mask = Masker(set(secrets)).mask
            desk = NotifyDesk(environment=machine.env, python=machine.python, directory=Path(directory), mask=mask)
            return send(notify, message, desk)

    @property
    def project(self) -> str:
        """How the repository is called."""
        return project_name(self.repository)

    @contextmanager
    def keeping_store(self) -> Iterator[Callable[[], None]]:
        """What is opened of the store stays open until the end of this; what is yielded opens it, if there is one."""
        with ExitStack() as kept:

            def open_now() -> None:
                if (self.state / "state.db").exists():
                    self.__dict__["_open_store"] = kept.enter_context(self.store())

            try:
                yield open_now
            finally:
                self.__dict__.pop("_open_store", None)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The open store."""
        kept: Store | None = self.__dict__.get("_open_store")
        if kept is not None:
            yield kept
            return
        me = identify(self.machine.pid) or ProcessIdentity(self.machine.pid, "unknown")
        with Store.open(self.state, clock=self.machine.clock, owner=me) as store:
            yield store

    def pipeline(
        self, tree: str, snapshot: Callable[[], Snapshot], asked: Mapping[str, str] | None = None
    ) -> Pipeline | None:
        """What the config in ``tree`` defines; None when it has none.

        See `hookci.reading.pipeline_of_tree`.

        Raises:
            ConfigError: the config is wrong.
        """
        machine = self.machine
        known = ParsedConfigs(self.state / "pipelines", machine.installation)
        return pipeline_of_tree(
            self.repository, self.scratch, snapshot, tree=tree, data_home=machine.data_home, known=known, asked=asked
        )

    def configured(self, snapshot: Snapshot, asked: Mapping[str, str] | None = None) -> Pipeline:
        """The same, when there must be one.

        Raises:
            UnconfiguredError: the snapshot has none.
        """
        pipeline = self.pipeline(snapshot.tree, lambda: snapshot, asked)
        if pipeline is None:
            from hookci.config.load import CONFIG_FILES, GITLAB_FILE  # noqa: PLC0415 (only to say where it was looked for)

            top = self.repository.top
            here = [name for name in (CONFIG_FILES[0], GITLAB_FILE) if top is not None and (top / name).exists()]
            found = f"it is in your work tree: `git add {here[0]}` and commit" if here else None
            hint = found or "write one with `hookci init`"
            raise UnconfiguredError(f"{snapshot.label} has no {CONFIG_FILES[0]}", hint)
        return pipeline

    def blobs(self, snapshot: Snapshot) -> Callable[[], Files]:
        """Lists the snapshot's files with their object names; asks git at most once."""
        return functools.cache(lambda: tree_blobs(self.repository, self.scratch, snapshot.tree))

    @contextmanager
    def remembering(self, *, use: bool) -> Iterator[tuple[Store, Remembering]]:
        """The open store, and the memory in it; ``use`` says whether what is remembered may answer."""
        machine, repository = self.machine, self.repository
        attributes = (
            repository.common_dir / "info" / "attributes",
            Path(repository.settings.get("core.attributesfile", [str(machine.config_home / "git" / "attributes")])[-1]),
        )
        with self.store() as store:
            observatory = Observatory(
                user=machine.env,
                which=machine.which,
                salt=read_salt(self.state),
                settings=repository.settings,
                attributes=attributes,
                carried_from=repository.top,
                umask=machine.umask,
                data=machine.data_home / "hookci",
                image_id=self._image_id,
                engine=self._engine_kind,
                blob=self._blob,
            )
            shortcut = Shortcut(
                repository=repository,
                observatory=observatory,
                memory=store.memory,
                green=GreenRecords(self.state),
                settings=machine.config_home / "hookci" / "config.toml",
                installation=machine.installation,
                began=self.began,
            )
            yield (
                store,
                Remembering(
                    memory=store.memory,
                    observatory=observatory,
                    artifacts=ArtifactStore(self.place / "artifacts", machine.env),
                    caches=CacheStore(self.place / "caches", machine.env),
                    user=machine.env,
                    installation=machine.installation,
                    clock=machine.clock,
                    compared=self._compared,
                    deploys=self.settings.deploys,
                    use=use,
                    shortcut=shortcut.record,
                ),
            )

    def _blob(self, oid: str) -> bytes:
        from hookci.git.comparison import read_blobs  # noqa: PLC0415 (few jobs look into files)

        return read_blobs(self.repository, self.scratch, [oid])[oid]

    def _compared(self, snapshot: Snapshot) -> Snapshot:
        from hookci.git.comparison import with_fork_point  # noqa: PLC0415 (few pipelines compare)

        return with_fork_point(self.repository, snapshot)

    def has_verdicts(self, hook: str, tree: str) -> bool:
        """Whether a green verdict on ``tree`` is remembered at all; whether one holds is `known_green`'s to say."""
        if not (self.state / "state.db").exists():
            return False
        with self.store() as store:
            return bool(store.memory.verdicts(hook, tree, self.machine.installation))

    def known_green(self, hook: str, snapshot: Snapshot, skip: tuple[str, ...]) -> RunResult | None:
        """The verdict that is remembered for ``snapshot``, if it holds now too and nothing is to be skipped."""
        if skip or not (self.state / "state.db").exists():
            return None
        with self.remembering(use=True) as (store, remembering):
            self._end_what_was_interrupted(store)
            run = remembering.known_green(hook, snapshot)
        if run is None:
            return None
        commit = None if snapshot.source == "index" else snapshot.commit
        return RunResult(
            number=run,
            label=snapshot.label,
            verdict=Verdict.GREEN,
            jobs=(),
            seconds=0.0,
            commit=commit,
            remembered=True,
        )

    def _end_what_was_interrupted(self, store: Store) -> None:
        """After a kill -9: write the run down as interrupted, and end what of its jobs still runs."""
        if store.mark_interrupted():
            Slots(self.place, project_name(self.repository)).end_interrupted()

    def recalled(self, plan: Plan) -> Plan:
        """``plan`` with the jobs marked whose pass is remembered; nothing is run."""
        with self.remembering(use=not plan.skip) as (_store, remembering):
            return remembering.recall(plan, self.blobs(plan.snapshot)).plan

    def execute(
        self,
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
            with self.remembering(use=use) as (store, remembering), ExitStack() as opened:
                for warning in store.warnings:
                    observer(Notice(warning, "warning"))
                parts = _Parts(store, remembering, opened, handed)
                return self._execute(parts, plan, observer, interrupts, options)
        finally:
            end_orphans()

    def _execute(
        self, parts: _Parts, plan: Plan, observer: Observer, interrupts: Interrupts, options: RunOptions
    ) -> RunResult:
        store, remembering = parts.store, parts.remembering
        self._end_what_was_interrupted(store)
        self._mark_engine(plan)
        snapshot, blobs = plan.snapshot, self.blobs(plan.snapshot)
        recall = remembering.recall(plan, blobs, options.files_of, options.again)
        plan = recall.plan
        number = store.begin_run(
            label=snapshot.label,
            hook=plan.hook,
            tree=snapshot.tree,
            commit=snapshot.commit,
            branch=snapshot.branch,
            skipped=plan.skip,
        )
        store.keep_plan(number, plan)

        def open_log(job: str) -> tuple[str, BinaryIO]:
            log = store.open_log(number, job)
            return log.name, log

        passed_in = {name: job.remembered_run for name, job in plan.jobs.items() if job.remembered_run is not None}
        context = self._context(number, plan, blobs, passed_in, open_log)
        context.artifacts.begin(number)
        if parts.handed is not None:
            parts.handed.put(context.artifacts, number)
            context = replace(context, user={**context.user, **parts.handed.secrets})
        locks = private_directory(self.state / "locks")
        witness = Witness(plan.snapshot, remembering.observatory)
        recorder = Recorder(store, number, remembering.use)
        executor = RememberingExecutor(
            inner=self._executor(context, parts, options),
            memory=store.memory,
            keys=recall.keys,
            joining=Joining(store, private_directory(locks / "jobs"), number),
            find=remembering.find(recall, blobs),
            passed_in=passed_in,
            outcomes=dict.fromkeys(passed_in, Outcome.REMEMBERED),
            share=remembering.use,
            key_of=lambda name: recall.key_of(name, remembering.observatory, witness),
            keep=recorder.keep,
        )
        jobs = min(options.parallel or self.settings.jobs or self.machine.processors, MOST_AT_ONCE)
        settings = RunSettings(
            parallel=jobs,
            keep_going=options.keep_going,
            locks=locks,
            cores=self.machine.processors,
            durations=store.durations([name for name, planned in plan.jobs.items() if planned.action is Action.RUN]),
            record=recorder.record,
        )
        with closing(context.slots):
            result = run_plan(plan, number, executor, settings, observer, interrupts)
        store.finish_run(number, result.verdict)
        for warning in _unused_suppressions(plan, result, options.scans):
            observer(Notice(warning, "warning"))
        remembering.remember(recall, result)
        store.prune(beyond=_TOO_MANY)
        store.memory.prune()
        context.artifacts.prune(keep={*passed_in.values(), *store.going_on()})
        if parts.handed is None and any(planned.job.environment for planned in plan.jobs.values()):
            from hookci.deploy.outside import note_started  # noqa: PLC0415 (most pipelines deploy nowhere)

            for note in note_started(self.repository, self.state, self.machine.clock, plan, result):
                observer(Notice(note))
        return result

    def _executor(self, context: RunContext, parts: _Parts, options: RunOptions) -> Executor:
        """What runs a job's attempts: with scanners, if there is a job that scans."""
        local = AttemptExecutor(context, self._places(context))
        if not any(planned.job.scan for planned in context.plan.jobs.values()):
            return local
        from hookci.compare import Scans  # noqa: PLC0415 (not every run scans)
        from hookci.execute.scanning import ScanningExecutor  # noqa: PLC0415
        from hookci.store.scanned import ScannedFiles  # noqa: PLC0415

        scans = Scans(
            repository=self.repository,
            scratch=self.scratch,
            observatory=parts.remembering.observatory,
            memory=parts.opened.enter_context(closing(ScannedFiles(self.state))),
            python=self.machine.python,
            processors=self.machine.processors,
            clock=self.machine.clock,
        )
        return ScanningExecutor(local, context, scans.context(context, options.scans))

    def _places(self, context: RunContext) -> Callable[[RunContext, PlannedJob, Slot], Place]:
        """Where the commands of jobs run."""
        planned = context.plan.jobs.values()
        if not any(job.job.contained and job.action is Action.RUN for job in planned):
            return local_place
        from hookci.engines import owner_of, places, rooms, this_host  # noqa: PLC0415 (only with an engine)

        self.desk.warm()
        machine = self.machine
        owner = owner_of(self.place.name, context.number, pid=machine.pid, host=this_host(machine.cache_home))
        return places(rooms(self.desk, self.settings, owner), local_place)

    def _context(
        self,
        number: int,
        plan: Plan,
        blobs: Callable[[], Files],
        passed_in: Mapping[str, int],
        open_log: Callable[[str], tuple[str, BinaryIO]],
    ) -> RunContext:
        machine, repository, place = self.machine, self.repository, self.place
        return RunContext(
            number=number,
            plan=plan,
            source=Source.of(repository, self.scratch, workers=machine.processors, umask=machine.umask),
            slots=Slots(place, project_name(repository), decide(self.settings.workspaces)[0], machine.python),
            caches=CacheStore(place / "caches", machine.env),
            artifacts=ArtifactStore(place / "artifacts", machine.env),
            user=machine.env,
            carried_from=repository.top,
            blobs=blobs,
            passed_in=passed_in,
            open_log=open_log,
            which=functools.cache(machine.which),
            clock=machine.clock,
        )


def _unused_suppressions(plan: Plan, result: RunResult, choice: ScanChoice) -> list[str]:
    """What to say of suppressions that matched nothing, if every scan of the pipeline was made just now, in full."""
    scans = [planned.job.scan for planned in plan.jobs.values() if planned.job.scan]
    reports = [job.scan for job in result.jobs if job.scan]
    if not plan.all_scans or choice.paths or not scans or len(reports) < len(scans):
        return []
    from hookci.scan.assess import unused_suppressions  # noqa: PLC0415 (not every run scans)

    return unused_suppressions(scans[0].suppressions, reports, everything=choice.everything)
