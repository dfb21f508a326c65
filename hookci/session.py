"""What one call of hookci works with: the machine it runs on, the repository, its store and its settings."""

from __future__ import annotations

import functools
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.config.settings import Settings, read_settings
from hookci.errors import StateError, UnconfiguredError
from hookci.execute.observations import Observatory
from hookci.execute.shortcut import Shortcut
from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch, tree_blobs
from hookci.model.result import RunResult, Verdict
from hookci.reading import pipeline_of_tree
from hookci.remember import Remembering, read_salt
from hookci.store.green import GreenRecords
from hookci.store.identity import ProcessIdentity, identify
from hookci.store.parsed import ParsedConfigs
from hookci.store.private import private_directory
from hookci.store.runs import Store
from hookci.workspace.artifacts import ArtifactStore
from hookci.workspace.cache import CacheStore
from hookci.workspace.slots import Slots, project_name, repository_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hookci.engine.desk import EngineDesk
    from hookci.git.ahead import Ahead
    from hookci.model.files import Files
    from hookci.model.notification import Notify
    from hookci.model.pipeline import Pipeline
    from hookci.model.plan import Plan
    from hookci.model.snapshot import Snapshot
    from hookci.notify.texts import Message

__all__ = ["Machine", "Session", "scratch_of"]


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

    def mark_engine(self, plan: Plan) -> None:
        """Note whether ``plan`` wants an engine, for the next run: see `expect_engine`."""
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
            self.end_what_was_interrupted(store)
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

    def end_what_was_interrupted(self, store: Store) -> None:
        """After a kill -9: write the run down as interrupted, and end what of its jobs still runs."""
        if store.mark_interrupted():
            Slots(self.place, project_name(self.repository)).end_interrupted()

    def recalled(self, plan: Plan) -> Plan:
        """``plan`` with the jobs marked whose pass is remembered; nothing is run."""
        with self.remembering(use=not plan.skip) as (_store, remembering):
            return remembering.recall(plan, self.blobs(plan.snapshot)).plan
