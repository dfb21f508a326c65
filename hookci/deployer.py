"""One environment of one repository on this machine: what is live there, and what a deployment to it needs."""

from __future__ import annotations

import secrets
import socket
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from hookci.deploy.desk import Candidate, DeployDesk
from hookci.deploy.engine import Engine
from hookci.deploy.journal import Journal
from hookci.deploy.kept import Kept
from hookci.deploy.locking import held_words, holder, is_locked, locked
from hookci.deploy.recovery import Leftover
from hookci.deploy.scripts import Shell
from hookci.deploy.secrets import SecretDesk, read_secrets
from hookci.deploy.trust import TrustStore, executed
from hookci.errors import HookciError, LockHeldError, UsageError
from hookci.git.comparison import read_blobs
from hookci.git.releases import next_number, releases
from hookci.git.remote import DeployRemote, PublishError
from hookci.git.snapshots import of_revision, tree_blobs
from hookci.git.tags import person
from hookci.git.wire import RemoteError
from hookci.model.event import Notice
from hookci.model.globs import any_matches
from hookci.model.plan import Action
from hookci.model.release import DeploymentState, Kind, Lock
from hookci.model.result import Outcome
from hookci.proc.supervise import Cancel
from hookci.proc.tree import release_orphans
from hookci.store.deployments import DeploymentStore
from hookci.store.identity import ProcessIdentity, identify
from hookci.store.private import private_directory
from hookci.workspace.artifacts import ArtifactStore
from hookci.workspace.checkout import Source
from hookci.workspace.slots import project_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hookci.deploy.trust import Executed
    from hookci.deployjobs import Deploying, Start
    from hookci.execute.schedule import Interrupts
    from hookci.model.environment import Environment
    from hookci.model.event import Observer
    from hookci.model.notification import Notify
    from hookci.model.release import Deployment, Release
    from hookci.model.result import RunResult
    from hookci.model.snapshot import Snapshot
    from hookci.session import Session

__all__ = ["Deployer", "Target", "remote_name"]


def remote_name(session: Session) -> str | None:
    """The remote that tags and locks go to; None when there is none."""
    chosen = session.settings.remote
    known = {
        key.split(".", 2)[1]
        for key in session.repository.settings
        if key.startswith("remote.") and key.endswith(".url")
    }
    if chosen is not None and chosen not in known:
        raise UsageError(f"hookci.remote names `{chosen}`, which is no remote here", "`git remote` lists them")
    return chosen or ("origin" if "origin" in known else None)


class Target(Struct, frozen=True, kw_only=True):
    """A commit that is to be made live, and the environment as that commit's config describes it.

    ``release`` is the one that is promoted or gone back to.  ``run`` is the pipeline run that was green, ``given`` the
    run in which each needed job left its artifacts.  ``deploying`` are the jobs that deploy, if such do.
    """

    environment: Environment
    snapshot: Snapshot
    kind: Kind
    executed: Executed
    notify: Notify | None = None
    release: Release | None = None
    run: int | None = None
    given: Mapping[str, int] = field(default_factory=dict)
    irreversible: bool = False
    approver: str = ""
    deploying: Deploying | None = None

    @property
    def commit(self) -> str:
        """The commit's object name."""
        return self.snapshot.commit


class Deployer(Struct, frozen=True, kw_only=True):
    """Deploys to the environment ``name``; made by `open_deployer`.  ``listening`` are told of interrupts too."""

    session: Session
    name: str
    remote: DeployRemote | None
    store: DeploymentStore
    tell: Observer
    cancel: Cancel
    cancel_back: Cancel
    interrupt: Callable[[str], None]
    stop: Interrupts
    listening: list[Callable[[str], object]]

    # -- what is known

    @property
    def by(self) -> str:
        """Who deploys: git's own idea of the person."""
        return person(self.session.repository)

    @property
    def is_sure(self) -> bool:
        """Whether the newest release is live for sure: the last attempt did not get stuck, and was a deployment."""
        last = next(iter(self.store.last(1, self.name)), None)
        return last is None or last.state not in {DeploymentState.STUCK, DeploymentState.PLAYED}

    def require_free(self, *, wait: bool) -> None:
        """Refuse at once what would be refused after minutes.

        Raises:
            LockHeldError: somebody is deploying there on this machine.
        """
        if is_locked(self.state, self.name):
            words = held_words(self.name, holder(self.state, self.name))
            if not wait:
                raise LockHeldError(words, "--wait waits for it")
            self.say(f"waiting: {words}")

    @property
    def state(self) -> Path:
        """Where journals, locks and logs are."""
        return private_directory(self.session.state / "deploy")

    @property
    def releases(self) -> list[Release]:
        """The releases, newest first."""
        return releases(self.session.repository, self.name)

    @property
    def live(self) -> Release | None:
        """The release that is live, as far as is known here."""
        return next(iter(self.releases), None)

    @property
    def journal(self) -> Journal:
        """The environment's journal."""
        return Journal(self.state, self.name)

    @property
    def leftover(self) -> Leftover | None:
        """What a deployment has written in the journal; its owner is dead if the caller holds the lock."""
        entry = self.journal.read()
        if entry is None:
            return None
        deployment = self.store.get(entry.deployment)
        if deployment is None:
            raise HookciError(f"{self.journal.path} is about a deployment that nothing is known of", "delete it")
        return Leftover(entry, deployment)

    @property
    def kept(self) -> Kept:
        """Workspaces and artifacts of attempts and releases."""
        return self.kept_of(self.name)

    def kept_of(self, environment: str) -> Kept:
        """The same, of another environment."""
        session = self.session
        place = session.machine.data_home / "hookci" / "releases" / session.place.name / environment
        return Kept(place, project_name(session.repository), session.machine.env)

    @property
    def trusted(self) -> TrustStore:
        """What persons have accepted on this machine."""
        session = self.session
        common, top = session.repository.common_dir, session.repository.top
        forbidden = [common] if top is None else [common, top]
        return TrustStore(session.machine.data_home, common, forbidden)

    def say(self, text: str, level: str = "note") -> None:
        """Tell what is worth a notice."""
        self.tell(Notice(text if text.startswith(f"{self.name}: ") else f"{self.name}: {text}", level))

    def fetch(self, after: str = "") -> None:
        """Learn what the remote knows of releases, requests and approvals, also of the environment before this one."""
        if self.remote is None:
            return
        for name in filter(None, (after, self.name)):
            self.remote.fetch(name)

    def catch_up(self) -> None:
        """Push the tags that could not be pushed when their releases became live."""
        left: list[int] = []
        try:
            left = self.remote.unpublished(self.name) if self.remote is not None else []
            if self.remote is None or not left or is_locked(self.state, self.name):
                return
            self.remote.publish(self.name, left, None)
        except (PublishError, RemoteError) as error:
            self.say(f"the tags of {', '.join(map(str, left))} are still only here: {error.message}", "warning")
        else:
            self.say(f"pushed the tags of {', '.join(map(str, left))}, which were only here")

    def read(self, oid: str) -> bytes:
        """The content of a blob."""
        return read_blobs(self.session.repository, self.session.scratch, [oid])[oid]

    # -- targets

    def target(self, commit: str, *, kind: Kind = Kind.DEPLOY, irreversible: bool = False) -> Target:
        """``commit`` as a target.

        Raises:
            ConfigError: its config is wrong.
            UsageError: its config has no such environment.
        """
        session = self.session
        snapshot = of_revision(session.repository, commit)
        pipeline = session.configured(snapshot)
        environment, notify, deploying = pipeline.environments.get(self.name), pipeline.notify, None
        if environment is None:
            raise UsageError(f"{pipeline.source} of {commit[:8]} has no environment `{self.name}`")
        if environment.jobs:
            from hookci.deployjobs import deploying_jobs  # noqa: PLC0415 (only where jobs of GitLab's deploy)

            deploying = deploying_jobs(session, environment, commit)
            snapshot, environment, notify = deploying.snapshot, deploying.environment, deploying.notify
        blobs = tree_blobs(session.repository, session.scratch, snapshot.tree)
        return Target(
            environment=environment,
            snapshot=snapshot,
            kind=kind,
            executed=executed(environment, blobs, self.read),
            notify=notify,
            irreversible=irreversible or self._changes(snapshot, environment.irreversible),
            deploying=deploying,
        )

    def target_of(self, release: Release, kind: Kind, *, irreversible: bool = False) -> Target:
        """The commit of a release as a target: to be gone back to, or promoted."""
        target = self.target(release.commit, kind=kind, irreversible=irreversible)
        return replace(target, release=release, run=release.run)

    def _changes(self, snapshot: Snapshot, patterns: tuple[str, ...]) -> bool:
        """Whether files that ``patterns`` name differ between what is live and a snapshot."""
        live = self.live if patterns else None
        if live is None:
            return False
        diff = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", live.commit, snapshot.tree)
        names = self.session.repository.git(*diff).stdout.decode(errors="surrogateescape").split("\0")
        return any_matches(patterns, filter(None, names)) is not None

    def require_kept(self, target: Target) -> None:
        """Refuse a release whose artifacts are gone, before anything is touched.

        Raises:
            HookciError: they are, or they are not what was verified.
        """
        needs, release = target.environment.needs, target.release
        if release is None or not (needs or release.artifacts):
            return
        attempt = self.kept_of(release.environment).release(release.number)
        if attempt is None or not attempt.jobs:
            there = [one.number for one in self.releases if (at := self.kept.release(one.number)) and at.jobs]
            hint = f"releases whose artifacts are there: {', '.join(map(str, there)) or 'none'}"
            raise HookciError(f"the artifacts of {release.environment} {release.number} are not on this machine", hint)
        if release.artifacts and attempt.digest() != release.artifacts:
            raise HookciError(
                f"the artifacts of {release.environment} {release.number} are not those that were verified"
            )

    def require_taken(self, target: Target) -> None:
        """Refuse a promotion that would go without artifacts which the jobs of this environment get.

        Raises:
            UsageError: the release that is promoted has none of a job that always leaves them.
        """
        deploying, release = target.deploying, target.release
        if deploying is None or release is None or release.environment == self.name:
            return
        older = self.kept_of(release.environment).release(release.number)
        there = older.jobs if older is not None else []
        for name in deploying.takes_from:
            giver = deploying.plan.jobs[name]
            if name not in there and giver.action is Action.RUN and not giver.job.allow_failure.allowed:
                what = f"{release.environment} {release.number} was deployed without the artifacts of `{name}`"
                hint = f"let the jobs that deploy to {release.environment} and {self.name} get the same artifacts"
                raise UsageError(f"{what}, which {self.name} needs", hint)

    def left_in(self, result: RunResult, names: Iterable[str]) -> dict[str, int]:
        """The run in which each of the jobs ``names`` left its artifacts, of those that did."""
        store = ArtifactStore(self.session.place / "artifacts", self.session.machine.env)
        good = {job.name: job for job in result.jobs if job.outcome.is_good}
        found = {name: good[name].passed_in or result.number for name in names if name in good}
        # of one that was allowed to fail there may be none
        failed = {name for name in found if good[name].outcome is Outcome.ALLOWED_FAILURE}
        return {name: run for name, run in found.items() if name not in failed or store.has(run, name)}

    # -- acting

    @contextmanager
    def engine(self, commit: str, *, wait: bool) -> Iterator[Engine]:
        """The engine, while the environment's locks are held.

        Raises:
            LockHeldError: somebody else is deploying there.
        """
        machine = self.session.machine
        me = identify(machine.pid) or ProcessIdentity(machine.pid, "unknown")
        lock = Lock(
            environment=self.name,
            by=self.by,
            host=socket.gethostname(),
            pid=me.pid,
            start=me.start,
            since=machine.clock(),
            commit=commit,
            token=secrets.token_hex(16),
        )

        def keep_waiting() -> bool:
            return wait and self.cancel.reason is None

        with locked(self.state, lock, self.remote, keep_waiting) as held:
            self.fetch()
            # what a deployment starts is to outlive us
            release_orphans()
            yield self._engine(me, held)

    def _engine(self, me: ProcessIdentity, held: Lock) -> Engine:
        session, machine = self.session, self.session.machine
        source = Source.of(session.repository, session.scratch, workers=machine.processors, umask=machine.umask)
        desk = DeployDesk(
            source=source,
            kept=self.kept,
            state=self.state,
            store=self.store,
            user=machine.env,
            which=machine.which,
            clock=machine.clock,
            by=self.by,
            owner=me,
            cancel=self.cancel,
            cancel_back=self.cancel_back,
            tell=self.tell,
            say=self.say,
        )
        return Engine(
            desk=desk,
            journal=self.journal,
            repository=session.repository,
            publish=lambda number: self._publish(number, held),
            way_back=self._way_back,
        )

    def run(self, engine: Engine, target: Target) -> Deployment:
        """Deploy ``target``, or go back; then let go of what is kept no longer."""
        number = next_number(self.session.repository, self.name)
        self.say(f"release {number} is {target.commit[:8]}, {target.kind}")
        candidate = self._candidate(target)
        deployment = engine.deploy(candidate, number)
        self._tell_people(target, deployment, candidate.secrets.values())
        if deployment.state is DeploymentState.HEALTHY:
            self.kept.prune([release.number for release in self.releases[: target.environment.keep]])
        return deployment

    def tell_interrupted(self, deployment: Deployment) -> None:
        """Tell those whom the config names that a deployment was interrupted; its own process could not."""
        notify = self.target(deployment.commit).notify
        if notify is None or deployment.state is not DeploymentState.INTERRUPTED:
            return
        from hookci.notify.texts import interrupted_message  # noqa: PLC0415 (few configs name anybody)

        for warning in self.session.tell_people(notify, interrupted_message(deployment, self.session.project)):
            self.say(warning, "warning")

    def _tell_people(self, target: Target, deployment: Deployment, secrets: Iterable[str]) -> None:
        """Tell those whom the config names how it ended, after that was written down."""
        if target.notify is None:
            return
        from hookci.notify.texts import deployment_message  # noqa: PLC0415 (few configs name anybody)

        message = deployment_message(
            deployment,
            self.session.project,
            subject=target.snapshot.facts.get("CI_COMMIT_TITLE", ""),
            release=self.live,
            url=target.environment.url,
        )
        for warning in self.session.tell_people(target.notify, message, secrets):
            self.say(warning, "warning")

    def go_back(self, engine: Engine, leftover: Leftover) -> Deployment:
        """Put the last verified release back after a deployment was interrupted."""
        return engine.undo(leftover.entry, leftover.deployment)

    def lock_words(self) -> str:
        """Whether somebody is deploying, here or elsewhere."""
        if is_locked(self.state, self.name):
            return held_words(self.name, holder(self.state, self.name))
        seen = self.remote.read_lock(self.name) if self.remote else None
        return held_words(self.name, seen) if seen else "free"

    def unlock(self, *, steal: bool) -> str:
        """Take away the lock on the remote; in words, what was done.

        Raises:
            UsageError: there is no remote, or it is not certain that the owner is gone.
            LockHeldError: its owner is at work on this machine.
        """
        if self.remote is None:
            raise UsageError("there is no remote, and a lock on this machine ends with its owner")
        if is_locked(self.state, self.name):
            raise LockHeldError(held_words(self.name, holder(self.state, self.name)))
        seen = self.remote.read_lock(self.name)
        if seen is None:
            return f"nobody holds the lock of {self.name}"
        words = held_words(self.name, seen)
        if not steal:
            raise UsageError(words, f"`hookci unlock {self.name} --steal` takes the lock from them, once they are gone")
        self.remote.steal(self.name, seen)
        return f"taken: {words}; what they still do will not be recorded"

    def _candidate(self, target: Target) -> Candidate:
        environment = target.environment
        back = target.kind is Kind.ROLLBACK and environment.rollback
        return Candidate(
            environment=environment,
            snapshot=target.snapshot,
            kind=target.kind,
            commands=environment.rollback if back else environment.script,
            start=self._start(target, target.deploying) if target.deploying is not None and not back else None,
            config=target.executed.digest,
            source=target.release.number if target.release else None,
            run=target.run,
            approver=target.approver,
            irreversible=target.irreversible,
            artifacts={job: self._taking(job, target) for job in self._jobs(target)},
            secrets=self._secrets(environment),
            live=self.live,
        )

    def _start(self, target: Target, deploying: Deploying) -> Start:
        """How the jobs are started that deploy."""
        from hookci.deployjobs import Start  # noqa: PLC0415 (only where jobs of GitLab's deploy)

        environment, live = target.environment, self.live
        told = {
            **environment.variables,
            "HOOKCI_ENVIRONMENT": environment.name,
            "HOOKCI_DEPLOY_KIND": target.kind.value,
            "HOOKCI_PREVIOUS_RELEASE": str(live.number) if live else "",
            "HOOKCI_PREVIOUS_COMMIT": live.commit if live else "",
        }
        return Start(
            session=self.session,
            deploying=deploying,
            run=target.run if target.kind is Kind.DEPLOY else None,
            told=told,
            secrets=self._secrets(environment),
            passed=environment.pass_env,
            listening=self.listening,
        )

    def _jobs(self, target: Target) -> list[str]:
        """The jobs whose artifacts are deployed: cells of a matrix each for itself."""
        if target.release is None:
            return list(target.given)
        older = self.kept_of(target.release.environment).release(target.release.number)
        return older.jobs if older is not None else list(target.environment.needs)

    def _taking(self, job: str, target: Target) -> Callable[..., bool]:
        """How an attempt gets the artifacts of ``job``."""
        if target.release is not None:
            older = self.kept_of(target.release.environment).release(target.release.number)
            return lambda attempt: older is not None and attempt.take_from(older, job)
        session = self.session
        made = ArtifactStore(session.place / "artifacts", session.machine.env)
        return lambda attempt: attempt.take(made, target.given[job], job)

    def _secrets(self, environment: Environment) -> Mapping[str, str]:
        machine, repository = self.session.machine, self.session.repository
        shell = Shell(which=machine.which, environment=machine.env, directory=self.state, cancel=self.cancel)
        desk = SecretDesk(
            environment=machine.env,
            home=Path(machine.env.get("HOME", "/")),
            forbidden=[path for path in (repository.top, repository.common_dir) if path is not None],
            run=shell.ask,
        )
        return read_secrets(environment.secrets, desk)

    def _publish(self, number: int, held: Lock) -> bool:
        if self.remote is None:
            return remote_name(self.session) is None
        try:
            self.remote.publish(self.name, sorted({*self.remote.unpublished(self.name), number}), held)
        except (PublishError, RemoteError) as error:
            self.say(f"release {number} is live, but its tag is only here: {error.message}", "warning")
            return False
        return True

    def _way_back(self) -> Candidate | None:
        """The release that is live, to be deployed once more."""
        live = self.live
        if live is None:
            return None
        target = self.target_of(live, Kind.ROLLBACK)
        self.require_kept(target)
        return replace(self._candidate(target), live=live)


@contextmanager
def open_deployer(session: Session, name: str, tell: Observer, stop: Interrupts, *, local: bool) -> Iterator[Deployer]:
    """Get ready to deploy to ``name``; ``local`` leaves the remote out of it.

    A first request to end, through ``stop``, ends what goes forward, a second one also what goes back.
    """
    forward, back = Cancel(), Cancel()
    listening: list[Callable[[str], object]] = []

    def interrupt(reason: str) -> None:
        (forward if forward.reason is None else back).request(reason)
        for listener in listening:
            listener(reason)

    with closing(forward), closing(back), DeploymentStore(session.state, session.machine.clock) as store:
        for warning in store.warnings:
            tell(Notice(warning, "warning"))
        remote = None if local else remote_name(session)
        stop.listen(interrupt)
        try:
            yield Deployer(
                session=session,
                name=name,
                remote=DeployRemote(remote, session.repository, session.scratch) if remote else None,
                store=store,
                tell=tell,
                cancel=forward,
                cancel_back=back,
                interrupt=interrupt,
                stop=stop,
                listening=listening,
            )
        finally:
            stop.listen(None)
