"""Where the environments stand: what is live, what runs, what waits, and what a person has to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.deploy.leftovers import interruptions
from hookci.deploy.locking import holder
from hookci.deploy.running import looks
from hookci.deploy.target import tip
from hookci.deployer import remote_name
from hookci.errors import HookciError, UsageError
from hookci.git.releases import releases
from hookci.git.remote import DeployRemote
from hookci.git.requests import requests
from hookci.git.snapshots import of_revision
from hookci.git.standing import distance, titles
from hookci.model.release import DeploymentState
from hookci.model.status import EnvironmentStatus
from hookci.report.deployments import failure_words
from hookci.session import Session
from hookci.store.deployments import DeploymentStore
from hookci.store.identity import ProcessIdentity, is_alive

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from hookci.model.environment import Environment
    from hookci.model.release import Deployment, Lock, Release, Request
    from hookci.model.status import Running
    from hookci.session import Machine

__all__ = ["alarms", "commit_titles", "environments", "known_attempts", "mark_told"]

_UNWELL = {DeploymentState.FAILED, DeploymentState.ROLLED_BACK, DeploymentState.STUCK, DeploymentState.INTERRUPTED}
_RECENT = 200
"""Attempts that are looked at."""
_REMOTE_SECONDS = 20.0


# -- what a person has to look at


def alarms(machine: Machine, state: Path) -> list[str]:
    """What went wrong with deployments from here and nobody has seen or dealt with yet, a line each.

    ``state`` is the directory of hookci's files; git is not called.
    """
    try:
        known = _attempts(state, machine)
        interrupted = interruptions(state / "deploy", known)
    except HookciError as error:
        return [error.message + (f"; {error.hint}" if error.hint else "")]
    unseen = [one for one in _last_attempts(known).values() if one.state in _UNWELL and not one.told]
    failed = [failure_words(one) for one in unseen if one.environment not in interrupted]
    return [*interrupted.values(), *failed]


def mark_told(machine: Machine, environment: str | None = None, *, since: float = 0.0) -> None:
    """Write down that a person has seen how the last attempt ended: of one environment, or of all for None.

    Attempts that began before ``since`` (unix seconds) are left as they are.
    """
    state = Session.open(machine).state
    if not (state / "deployments.db").exists():
        return
    with DeploymentStore(state, machine.clock) as store:
        for last in _last_attempts(store.last(_RECENT)).values():
            is_meant = environment in {None, last.environment} and last.started >= since
            if is_meant and last.state in _UNWELL and not last.told:
                store.update(replace(last, told=True))


# -- what is remembered


def known_attempts(machine: Machine, environment: str | None) -> list[Deployment]:
    """The last 200 attempts of this clone to deploy to an environment (to all for None), newest first."""
    known = _attempts(Session.open(machine).state, machine)
    return [one for one in known if environment in {None, one.environment}]


def commit_titles(machine: Machine, commits: Iterable[str]) -> dict[str, str]:
    """The first line of each commit's message, as far as it is in this clone."""
    return titles(Session.open(machine).repository, commits)


def _attempts(state: Path, machine: Machine) -> list[Deployment]:
    if not (state / "deployments.db").exists():
        return []
    with DeploymentStore(state, machine.clock) as store:
        return store.last(_RECENT)


def _last_attempts(known: Iterable[Deployment]) -> dict[str, Deployment]:
    """By environment, of attempts that are given newest first."""
    found: dict[str, Deployment] = {}
    for one in known:
        found.setdefault(one.environment, one)
    return found


# -- the environments


class _Known(Struct, frozen=True):
    """What this clone knows, read once for all environments."""

    session: Session
    described: Mapping[str, Environment]
    released: Mapping[str, Sequence[Release]]
    requested: Sequence[Request]
    attempted: Sequence[Deployment]
    interrupted: Mapping[str, str]


def environments(machine: Machine, *, look: bool = True, fetch: bool = False) -> list[EnvironmentStatus]:
    """Where each environment of the config at ``HEAD`` stands, and any other whose deployment was interrupted.

    Without a config it is those that have releases.  ``look`` asks from outside what runs there now, for 2 s at most;
    ``fetch`` asks the remote first for releases, requests and locks.
    """
    session = Session.open(machine)
    described = _described(session)
    locks, unfetched = _fetched(session, described or _released(session)) if fetch else ({}, ())
    known = _known(session, described)
    found = []
    for each in dict.fromkeys([*(described or known.released), *known.interrupted]):
        status = _environment(known, each)
        lock = status.lock or locks.get(each)
        found.append(replace(status, lock=lock, problems=(*unfetched, *status.problems)))
    return _looked_at(known, found) if look else found


def _described(session: Session) -> Mapping[str, Environment]:
    try:
        return session.configured(of_revision(session.repository, "HEAD")).environments
    except HookciError:  # the status of the pipeline says so
        return {}


def _released(session: Session) -> dict[str, list[Release]]:
    found: dict[str, list[Release]] = {}
    for release in releases(session.repository):
        found.setdefault(release.environment, []).append(release)
    return found


def _known(session: Session, described: Mapping[str, Environment]) -> _Known:
    attempted = _attempts(session.state, session.machine)
    return _Known(
        session=session,
        described=described,
        released=_released(session),
        requested=requests(session.repository),
        attempted=attempted,
        interrupted=interruptions(session.state / "deploy", attempted),
    )


def _fetched(session: Session, names: Iterable[str]) -> tuple[dict[str, Lock], tuple[str, ...]]:
    """Bring what the remote knows; the locks that are held there, and why it could not be asked."""
    try:
        remote = remote_name(session)
        if remote is None:
            return {}, ()
        asked = DeployRemote(remote, session.repository, session.scratch, timeout=_REMOTE_SECONDS)
        locks: dict[str, Lock] = {}
        for each in names:
            asked.fetch(each)
            lock = asked.read_lock(each)
            locks |= {each: lock} if lock else {}
    except HookciError as error:
        return {}, (error.message,)
    return locks, ()


def _environment(known: _Known, environment: str) -> EnvironmentStatus:
    session, described = known.session, known.described.get(environment)
    state, now = session.state, session.machine.clock()
    released = known.released.get(environment, ())
    live = released[0] if released else None
    tried = [one for one in known.attempted if one.environment == environment]
    last = tried[0] if tried else None
    status = EnvironmentStatus(
        name=environment,
        live=live,
        title=titles(session.repository, [live.commit]).get(live.commit, "") if live else "",
        lock=_lock(state, environment),
        interrupted=known.interrupted.get(environment, ""),
        failure=last if last and last.state in _UNWELL else None,
        unpushed=_unpushed(tried),
        problems=_played(last),
    )
    status = _against_source(known, described, status) if described else status
    return replace(status, waiting=_waiting(known, status, now))


def _lock(state: Path, environment: str) -> Lock | None:
    """Who is deploying from here.  The lock itself is not tried: somebody who wants it would find it taken."""
    lock = holder(state / "deploy", environment) if (state / "deploy").is_dir() else None
    return lock if lock and is_alive(ProcessIdentity(lock.pid, lock.start)) else None


def _played(last: Deployment | None) -> tuple[str, ...]:
    if last is None or last.state is not DeploymentState.PLAYED:
        return ()
    command = f"`hookci deploy {last.environment}` makes a release"
    return (f"{last.reason}, for {last.commit[:8]}: live is {last.live}; {command}",)


def _unpushed(tried: Sequence[Deployment]) -> tuple[int, ...]:
    """Every release since the last one whose tag was pushed, which took all before it along."""
    found = []
    for one in tried:
        if one.state is not DeploymentState.HEALTHY or one.number is None:
            continue
        if one.pushed:
            break
        found.append(one.number)
    return tuple(reversed(found))


def _waiting(known: _Known, status: EnvironmentStatus, now: float) -> tuple[Request, ...]:
    """The requests that are neither over nor void: for what comes next, and nothing else."""
    if status.live and status.live.commit == status.candidate:
        return ()
    return tuple(
        one
        for one in known.requested
        if one.environment == status.name and one.commit == status.candidate and now < one.expires
    )


def _against_source(known: _Known, described: Environment, status: EnvironmentStatus) -> EnvironmentStatus:
    """How far what comes next is ahead of what is live."""
    repository = known.session.repository
    if described.after:
        before = known.released.get(described.after, ())
        status = replace(status, source=described.after, candidate=before[0].commit if before else "")
    else:
        status = replace(status, source=described.branch, candidate=_tip(known.session, described.branch))
    if status.live is None or not status.candidate:
        return status
    apart = distance(repository, status.live.commit, status.candidate)
    if apart is None:
        missing = f"the commit of release {status.live.number} is not in this clone"
        return replace(status, problems=(*status.problems, missing))
    return replace(status, behind=apart[0], ahead=apart[1])


def _tip(session: Session, branch: str) -> str:
    try:
        return tip(session.repository, branch, remote_name(session), pushed=False)
    except UsageError:
        return ""


# -- what runs


def _looked_at(known: _Known, found: Sequence[EnvironmentStatus]) -> list[EnvironmentStatus]:
    """Every environment with what answers there now; all are asked at once, but not where somebody deploys."""
    begun = [_looks(known, status.live) if status.live and not status.lock else [] for status in found]
    pairs = zip(found, begun, strict=True)
    return [replace(status, running=tuple(look.result() for look in each)) for status, each in pairs]


def _looks(known: _Known, live: Release) -> list[Future[Running]]:
    session = known.session
    try:
        snapshot = of_revision(session.repository, live.commit)
        described = session.configured(snapshot).environments.get(live.environment)
    except HookciError:  # not in this clone, say
        return []
    if described is None:
        return []
    # where nobody has deployed it, a config is but a text that was fetched, and may name any address
    is_ours = any(one.commit == live.commit and one.state is DeploymentState.HEALTHY for one in known.attempted)
    return [*looks(described, live, snapshot.facts, session.machine.env if is_ours else {})]
