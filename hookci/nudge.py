"""What follows when a branch has moved.

Hooks are hints, no more: none fires for ``git fetch origin main:main`` or ``git reset --hard``, and one that was cut
short does not fire again.  So nobody asks here what has moved: what is live is compared with what is to be live.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.config.load import CONFIG_FILES
from hookci.errors import HookciError, LockHeldError, UsageError
from hookci.git.releases import releases
from hookci.git.snapshots import of_revision
from hookci.git.standing import resting_branch
from hookci.model.environment import Trigger
from hookci.model.event import Notice
from hookci.model.release import Kind
from hookci.proc.run import start_detached
from hookci.reading import pipeline_of_files
from hookci.session import Session
from hookci.store.locks import FileLock
from hookci.store.private import private_directory, private_file, write_atomic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from hookci.execute.schedule import Interrupts
    from hookci.model.environment import Environment
    from hookci.model.event import Observer
    from hookci.model.release import Deployment, Release
    from hookci.session import Machine

__all__ = ["Followed", "Follower", "Nudge", "choose", "in_background", "look", "stop_deploying"]

_HEADS = "refs/heads/"
_LARGEST_LOG = 1_000_000


class Nudge(Struct, frozen=True):
    """The environments that are to follow ``branch``, in order: ``now``, or ``later`` in the background."""

    branch: str
    now: tuple[Environment, ...]
    later: tuple[Environment, ...]

    def without(self, failed: Collection[str]) -> Nudge:
        """The same without what comes later, after an environment where it failed."""
        gone = set(failed)
        for environment in self.later:
            if environment.after in gone:
                gone.add(environment.name)
        return replace(self, later=tuple(environment for environment in self.later if environment.name not in gone))


class Followed(Struct, frozen=True, kw_only=True):
    """What became of one environment: what is live there now, and the deployment, or why there is none."""

    environment: Environment
    live: Release | None
    deployment: Deployment | None = None
    error: HookciError | None = None


class _Wanted(Struct, frozen=True):
    """The environments that this clone lets follow a branch, in order, and the releases of all, newest first."""

    tip: str
    environments: Mapping[str, Environment]
    released: Mapping[str, Sequence[Release]]

    def live(self, name: str) -> Release | None:
        return next(iter(self.released.get(name, ())), None)

    def is_behind(self, environment: Environment) -> bool:
        """Whether ``environment`` has to be deployed to, by what is known here now."""
        live = self.live(environment.name)
        if not environment.after:
            return live is None or live.commit != self.tip
        before = self.live(environment.after)
        # a person who went back, there or here, did not mean that this comes again by itself
        had = {release.commit for release in self.released.get(environment.name, ())}
        return before is not None and before.kind is not Kind.ROLLBACK and before.commit not in had


def look(machine: Machine) -> Nudge | None:
    """What is to follow the branch that ``HEAD`` is on; None when nothing is.

    Raises:
        ConfigError: the config of the branch's tip is wrong.
    """
    session = Session.open(machine)
    branch = resting_branch(session.repository) if session.settings.deploys else None
    if branch is None:
        return None
    wanted = _wanted(session, branch)
    if wanted is None or not wanted.environments:
        _keep_quiet(session, branch)
        return None
    due: dict[str, Environment] = {}
    later = set[str]()
    for name, environment in wanted.environments.items():
        if wanted.is_behind(environment) or environment.after in due:
            due[name] = environment
            if environment.background or environment.after in later:
                later.add(name)
    now = tuple(environment for name, environment in due.items() if name not in later)
    return Nudge(branch, now, tuple(due[name] for name in due if name in later)) if due else None


def _keep_quiet(session: Session, branch: str) -> None:
    """Write down for the shim that nothing follows ``branch``: the next commit on it does not even start Python."""
    names = session.repository.settings.get("hookci.deploys")
    if names:
        config = session.repository.ask("ls-tree", "--full-tree", "HEAD", *CONFIG_FILES) or ""
        text = "\n".join([config, f"{_HEADS}{branch}", *names])
        write_atomic(_state(session) / "quiet", f"{text}\n".encode(errors="surrogateescape"))


def _wanted(session: Session, branch: str) -> _Wanted | None:
    """What is to follow ``branch``, by the config of its tip; None when it has none."""
    repository = session.repository
    tip = repository.ask("rev-parse", "--verify", "-q", f"{_HEADS}{branch}^{{commit}}")
    pipeline = session.pipeline(tip, lambda: of_revision(repository, tip)) if tip else None
    if tip is None or pipeline is None:
        return None
    known = pipeline.environments
    order = TopologicalSorter({name: [one.after] if one.after else [] for name, one in known.items()}).static_order()
    chosen = {
        name: known[name]
        for name in order
        if name in session.settings.deploys and known[name].trigger is Trigger.ON_MERGE and known[name].branch == branch
    }
    released: dict[str, list[Release]] = {}
    for release in releases(repository) if chosen else ():
        released.setdefault(release.environment, []).append(release)
    return _Wanted(tip, chosen, released)


class Follower(Struct, frozen=True, kw_only=True):
    """Has environments follow ``branch``; ``patient`` waits for other deployments to end."""

    machine: Machine
    branch: str
    tell: Observer
    stop: Interrupts
    patient: bool

    def follow(self, names: Sequence[str]) -> Iterator[Followed]:
        """Deploy to the environments ``names``, in order, as far as that is to be done still when it is their turn.

        What comes after an environment where it failed is left as it is.
        """
        failed = set[str]()
        for name in names:
            followed = self._one(name, failed)
            if followed is None:
                continue
            if followed.error:
                failed.add(name)
            yield followed
            if self.stop.reason:
                return

    def _one(self, name: str, failed: set[str]) -> Followed | None:
        """Deploy to ``name``; None when there is nothing to do."""
        session = Session.open(self.machine)
        wanted = _wanted(session, self.branch)
        environment = wanted.environments.get(name) if wanted else None
        if wanted is None or environment is None:
            return None
        if environment.after in failed:
            failed.add(name)
            return None
        try:
            with self._turn(session, name) as ours:
                # others may have deployed while we waited, and the branch may have moved on
                wanted = _wanted(session, self.branch) if ours else None
                if wanted is None or not wanted.is_behind(environment):
                    return None
                deployment = self._deploy(name)
        except HookciError as error:
            return Followed(environment=environment, live=_live(session, name), error=error)
        return Followed(environment=environment, live=_live(session, name), deployment=deployment)

    def _deploy(self, name: str) -> Deployment | None:
        from hookci.deploying import DeployRequest, deploy  # noqa: PLC0415 (few hooks have anything to deploy)

        at = f"refs/heads/{self.branch}"
        request = DeployRequest(environment=name, wait=self.patient, by_hand=False, described_at=at)
        return deploy(self.machine, request, self.tell, self.stop, lambda _ask: None).deployment

    @contextmanager
    def _turn(self, session: Session, name: str) -> Iterator[bool]:
        """Be the only hook that deploys to ``name``, from judging on, so that no older commit overtakes a newer one.

        False when another one waits already: it looks at the branch when it is its turn, and takes along what is new.

        Raises:
            LockHeldError: it is another one's turn, and we are not to wait.
        """
        state = _state(session)
        turn, following = FileLock(state / f"{name}.turn"), FileLock(state / f"{name}.next")
        with ExitStack() as held:
            if turn.try_acquire():
                held.callback(turn.release)
            elif not self.patient:
                hint = f"`hookci deploy {name}`, should that one not take it along"
                raise LockHeldError(f"another hook of this repository is deploying to {name}", hint)
            elif not following.try_acquire():
                self.tell(Notice(f"{name}: another hook waits to deploy already, and takes this commit along"))
                yield False
                return
            else:
                held.callback(following.release)
                held.enter_context(turn)
                following.release()
            yield True


def _live(session: Session, name: str) -> Release | None:
    return next(iter(releases(session.repository, name)), None)


def _state(session: Session) -> Path:
    return private_directory(private_directory(session.state) / "deploy")


def in_background(machine: Machine, program: Sequence[str], nudge: Nudge) -> Path:
    """Start ``program`` with the branch and the names of the environments that follow it later.

    It outlives the hook and the terminal, and holds nothing open that a caller of git may wait for.

    Returns:
        Where all that it says goes.
    """
    session = Session.open(machine)
    names = [environment.name for environment in nudge.later]
    log = _state(session) / f"{names[0]}.background.log"
    descriptor = private_file(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        if os.fstat(descriptor).st_size > _LARGEST_LOG:
            os.ftruncate(descriptor, 0)
        repository = session.repository
        # what ties a process to the index of a commit that is over by then stays behind
        env = {name: value for name, value in machine.env.items() if name in repository.env}
        start_detached([*program, nudge.branch, *names], cwd=machine.cwd, env=env, output=descriptor)
    finally:
        os.close(descriptor)
    return log


def choose(machine: Machine, names: Sequence[str]) -> list[Environment]:
    """Have the hooks of this clone deploy to the environments ``names``.

    Raises:
        UsageError: neither the config at ``HEAD`` nor that of the work tree has such an environment.
    """
    from hookci.git.install import add_deploys  # noqa: PLC0415 (no hook needs it)

    session = Session.open(machine)
    repository = session.repository
    if repository.top is None:
        raise UsageError(f"{repository.common_dir} has no work tree", "no hook says there that a branch has moved")
    known: dict[str, Environment] = {}
    head = repository.ask("rev-parse", "--verify", "-q", "HEAD^{commit}")
    committed = session.pipeline(head, lambda: of_revision(repository, head)) if head else None
    here = pipeline_of_files(repository, session.scratch, repository.top, machine.data_home)
    for pipeline in (committed, here):
        known |= pipeline.environments if pipeline else {}
    missing = [name for name in names if name not in known]
    if missing:
        there = f"known: {', '.join(known)}" if known else "hookci.toml has no [environments] yet"
        raise UsageError(f"there is no environment `{missing[0]}`", there)
    add_deploys(repository, names)
    return [known[name] for name in dict.fromkeys(names)]


def stop_deploying(machine: Machine) -> bool:
    """Have the hooks of this clone deploy nothing any more; whether they did."""
    from hookci.git.install import no_deploys  # noqa: PLC0415 (as above)

    return no_deploys(Session.open(machine).repository)
