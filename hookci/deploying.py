"""Deploying and going back: one function for each command, each reads like a flow chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.deploy.recovery import recover
from hookci.deploy.target import (
    chosen_commit,
    chosen_environment,
    older_release,
    on_branch,
    promoted,
    tip,
    verify_commit,
)
from hookci.deploy.trust import Changed, Trusted, Unknown
from hookci.deployer import Deployer, Target, open_deployer
from hookci.errors import HookciError, InterruptedRunError, RolledBackError, StuckError, UsageError, WaitingError
from hookci.execute.schedule import Interrupts
from hookci.executing import RunOptions, execute
from hookci.flow import Request as RunRequest
from hookci.flow import judge_commit, plan_for
from hookci.git.releases import releases
from hookci.git.snapshots import of_revision
from hookci.model.release import DeploymentState, Kind
from hookci.model.result import Verdict
from hookci.model.snapshot import HookName
from hookci.permission import Ask, approve, approved, shown, trusted
from hookci.session import Session

if TYPE_CHECKING:
    from hookci.deploy.engine import Engine
    from hookci.deploy.recovery import Leftover
    from hookci.deployjobs import Deploying
    from hookci.model.environment import Environment
    from hookci.model.event import Observer
    from hookci.model.release import Deployment, Release, Request
    from hookci.permission import Consent
    from hookci.session import Machine

__all__ = [
    "DeployRequest",
    "Outcome",
    "approve_request",
    "deploy",
    "known_releases",
    "rollback",
    "trust_environment",
    "unlock",
]


class DeployRequest(Struct, frozen=True, kw_only=True):
    """What a person or a hook asks for.

    ``environment`` None means the only one there can be; ``revision`` None what its branch is at.  ``by_hand`` is
    False for hooks, which nobody watches.  ``wait`` waits for a lock, ``local`` leaves the remote out of it.
    ``resume`` and ``abort`` say what is to become of an interrupted deployment.  ``described_at`` is the commit
    whose config names the environments.
    """

    environment: str | None = None
    revision: str | None = None
    dry_run: bool = False
    resume: bool = False
    abort: bool = False
    wait: bool = False
    local: bool = False
    by_hand: bool = True
    irreversible: bool = False
    described_at: str = "HEAD"


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of it: what is live now, and the attempt (None when there was nothing to do).

    ``plan`` is what would have been done, for a dry run.
    """

    environment: Environment
    live: Release | None
    deployment: Deployment | None = None
    plan: tuple[str, ...] = ()


def deploy(machine: Machine, request: DeployRequest, tell: Observer, stop: Interrupts, consent: Consent) -> Outcome:
    """Make a commit live: judged, trusted, approved, locked, deployed, checked, tagged.

    Raises:
        RolledBackError: it did not become healthy, and the release before is live.
        StuckError: nor is that one.
        WaitingError: a person has to agree first.
        LockHeldError: somebody else is deploying there.
        HookciError: nothing was touched.
    """
    session = Session.open(machine)
    described = described_environment(session, request.environment, request.described_at)
    with open_deployer(session, described.name, tell, stop, local=request.local) as deployer:
        if request.dry_run:
            target = chosen_target(deployer, described, request)
            return Outcome(environment=target.environment, live=deployer.live, plan=tuple(describe(deployer, target)))
        deployer.fetch(described.after)
        deployer.catch_up()
        if request.abort:
            return _aborted(deployer, described)
        while True:
            target = _resumed(deployer, described) if request.resume else chosen_target(deployer, described, request)
            if deployer.leftover is None and (_is_live(deployer, target) or _has_failed(deployer, target, request)):
                return Outcome(environment=target.environment, live=deployer.live)
            deployer.require_free(wait=request.wait)
            target = _permitted(session, deployer, target, request, consent)
            with deployer.engine(target.commit, wait=request.wait) as engine:
                ended = _recovered(deployer, engine)
                if ended is not None and request.resume:
                    return Outcome(environment=target.environment, live=deployer.live, deployment=ended)
                # while this one was judged, or waited, the branch may have moved on and somebody deployed it
                if not request.resume and chosen_target(deployer, described, request).commit != target.commit:
                    continue
                deployment = None if _is_live(deployer, target) else deployer.run(engine, target)
            return Outcome(environment=target.environment, live=deployer.live, deployment=_checked(deployment))


def _aborted(deployer: Deployer, described: Environment) -> Outcome:
    """Put the last verified release back after an interruption; that it is back is what was asked for."""
    leftover = _require_leftover(deployer)
    with deployer.engine(leftover.entry.commit, wait=False) as engine:
        ended = _recovered(deployer, engine)
        left = deployer.leftover
        if ended is None and left is not None:
            ended = deployer.go_back(engine, left)
    if ended is not None and ended.state is not DeploymentState.ROLLED_BACK:
        _checked(ended)
    return Outcome(environment=described, live=deployer.live, deployment=ended)


def _require_leftover(deployer: Deployer) -> Leftover:
    leftover = deployer.leftover
    if leftover is None:
        raise UsageError(f"no deployment to {deployer.name} was interrupted")
    return leftover


def _resumed(deployer: Deployer, described: Environment) -> Target:
    """What an interrupted deployment was to make live."""
    entry = _require_leftover(deployer).entry
    if entry.kind is Kind.DEPLOY:
        return deployer.target(entry.commit)
    where = deployer.name if entry.kind is Kind.ROLLBACK else described.after
    found = [one for one in releases(deployer.session.repository, where) if one.number == entry.source]
    if not found:
        raise UsageError(f"{where} {entry.source}, from which it was made, is not there any more")
    return deployer.target_of(found[0], entry.kind)


def rollback(
    machine: Machine, request: DeployRequest, number: int | None, tell: Observer, stop: Interrupts, consent: Consent
) -> Outcome:
    """Make an older release live again, as a new one.

    Raises:
        UsageError: there is no such release.
        HookciError: as for `deploy`.
    """
    session = Session.open(machine)
    name = described_environment(session, request.environment).name
    with open_deployer(session, name, tell, stop, local=request.local) as deployer:
        if not request.dry_run:
            deployer.fetch()
            deployer.catch_up()
        older = older_release(deployer.releases, number, name, live_is_sure=deployer.is_sure)
        target = deployer.target_of(older, Kind.ROLLBACK)
        if request.dry_run:
            return Outcome(environment=target.environment, live=deployer.live, plan=tuple(describe(deployer, target)))
        deployer.require_kept(target)
        _allow_irreversible(deployer, older, request, consent)
        trusted(deployer, target, consent, by_hand=request.by_hand)
        with deployer.engine(target.commit, wait=request.wait) as engine:
            _recovered(deployer, engine)
            deployment = deployer.run(engine, target)
        return Outcome(environment=target.environment, live=deployer.live, deployment=_checked(deployment))


def described_environment(session: Session, name: str | None, at: str = "HEAD") -> Environment:
    """The environment as the commit ``at`` describes it; what is deployed goes by its own commit's config.

    Raises:
        UsageError: it cannot be told which one is meant.
    """
    return chosen_environment(session.configured(of_revision(session.repository, at)), name)


def chosen_target(deployer: Deployer, described: Environment, request: DeployRequest) -> Target:
    """The commit that is asked for, with the environment as that commit describes it.

    Raises:
        UsageError: there is no such commit where one has to come from.
    """
    repository, remote = deployer.session.repository, deployer.remote.name if deployer.remote else "origin"
    end = tip(repository, described.branch, remote, pushed=False)
    commit = chosen_commit(repository, request.revision, end, described.branch)
    if described.after:
        verified = releases(repository, described.after)
        release = promoted(verified, described, commit if request.revision else None)
        return deployer.target_of(release, Kind.PROMOTION, irreversible=request.irreversible)
    target = deployer.target(commit, irreversible=request.irreversible)
    if target.environment.pushed:
        there = tip(repository, described.branch, remote, pushed=True)
        if not on_branch(repository, commit, there):
            raise UsageError(f"{commit[:8]} is not on {remote}'s `{described.branch}` yet", "`git push` first")
    if target.environment.signers:
        verify_commit(repository, commit, target.environment.signers)
    return target


def _is_live(deployer: Deployer, target: Target) -> bool:
    return deployer.live is not None and deployer.live.commit == target.commit and deployer.is_sure


def _has_failed(deployer: Deployer, target: Target, request: DeployRequest) -> bool:
    """Whether a hook would try again what has failed already; a person may."""
    last = next(iter(deployer.store.last(1, deployer.name)), None)
    untried = {DeploymentState.INTERRUPTED, DeploymentState.PLAYED}
    if request.by_hand or last is None or last.commit != target.commit or last.state in untried:
        return False
    deployer.say(f"{target.commit[:8]} was tried already: {last.reason}; `hookci deploy {deployer.name}` tries again")
    return True


def _judged(session: Session, deployer: Deployer, target: Target, tell: Observer, stop: Interrupts) -> Target:
    """Require a green verdict, reached now if need be; a promotion was judged when it was first deployed."""
    if target.kind is not Kind.DEPLOY:
        deployer.require_kept(target)
        deployer.require_taken(target)
        return target
    if target.deploying is not None:
        return _judged_whole(session, deployer, target, target.deploying)
    result, given = judge_commit(session, target.snapshot, target.environment.needs, tell, stop)
    if result.verdict is not Verdict.GREEN:
        raise _NotGreenError(result.verdict, target)
    stop.listen(deployer.interrupt)
    return replace(target, run=result.number, given=given)


def _judged_whole(session: Session, deployer: Deployer, target: Target, deploying: Deploying) -> Target:
    """The same by the whole pipeline that the deploying jobs are in, up to where they would start."""
    pipeline = session.configured(target.snapshot)
    # other jobs that deploy have no part in it: this one comes after what their environments have verified
    request = RunRequest(hook=HookName.PRE_PUSH, names=pipeline.stages, deploys=())
    plan = plan_for(session, pipeline, target.snapshot, request, deployer.tell)
    result = execute(session, plan, deployer.tell, deployer.stop, RunOptions())
    if result.verdict is not Verdict.GREEN:
        raise _NotGreenError(result.verdict, target)
    deployer.stop.listen(deployer.interrupt)
    deploying.require_startable(session, result)
    return replace(target, run=result.number, given=deployer.left_in(result, deploying.takes_from))


class _NotGreenError(HookciError):
    """The commit that is to be deployed is not green."""

    def __init__(self, verdict: Verdict, target: Target) -> None:
        name = target.environment.name
        super().__init__(f"{target.commit[:8]} is not green, so it is not deployed to {name}")
        self.exit_status = verdict.exit_status


def _permitted(
    session: Session, deployer: Deployer, target: Target, request: DeployRequest, consent: Consent
) -> Target:
    """Require that a person has seen what is executed, that it is green, and that somebody agrees where asked for."""
    trusted(deployer, target, consent, by_hand=request.by_hand)
    target = _judged(session, deployer, target, deployer.tell, deployer.stop)
    needs_approval = target.environment.approval is not None and target.kind is not Kind.ROLLBACK
    return approved(deployer, target) if needs_approval else target


def _recovered(deployer: Deployer, engine: Engine) -> Deployment | None:
    """Bring what was interrupted to an end as far as that is certain: a release whose checks had held, else None.

    Whatever is deployed after it makes it whole again.
    """
    leftover = deployer.leftover
    if leftover is None:
        return None
    deployer.say(leftover.words, "warning")
    ended = recover(engine, leftover)
    deployer.tell_interrupted(ended)
    if ended.state is DeploymentState.HEALTHY:
        deployer.say(f"its checks had held: {ended.live} is live and tagged")
        return ended
    return None


def _allow_irreversible(deployer: Deployer, older: Release, request: DeployRequest, consent: Consent) -> None:
    between = [one for one in deployer.releases if one.number > older.number and one.irreversible]
    if not between or request.irreversible:
        return
    named = ", ".join(str(one.number) for one in reversed(between))
    what = f"{older.environment} {named} cannot be taken back: to go back before it may lose something"
    if not consent(Ask((what,), f"go back to release {older.number} all the same?")):
        raise WaitingError(what, "`hookci rollback --irreversible` goes back all the same")


def _checked(deployment: Deployment | None) -> Deployment | None:
    """``deployment`` if it is healthy.

    Raises:
        HookciError: it is not; the exit status says how bad that is.
    """
    if deployment is None or deployment.state is DeploymentState.HEALTHY:
        return deployment
    name = deployment.environment
    what = f"{deployment.commit[:8]} is not live on {name}: {deployment.reason}; live is {deployment.live}"
    if deployment.state is DeploymentState.STUCK:
        hint = f"look at it, then `hookci deploy {name}` or `hookci rollback {name}`; the log is {deployment.log}"
        raise StuckError(what, hint)
    log = f"the log is {deployment.log}"
    if "cancelled" in deployment.facts:
        raise InterruptedRunError(what, log)
    if deployment.state is DeploymentState.FAILED:
        raise HookciError(what, log)
    raise RolledBackError(what, log)


def describe(deployer: Deployer, target: Target) -> list[str]:
    """What a deployment of ``target`` would do, line by line."""
    environment, live = target.environment, deployer.live
    back = target.kind is Kind.ROLLBACK and environment.rollback
    trust = deployer.trusted.status(environment.name, target.executed)
    return [
        f"environment: {environment.name}",
        f"commit: {target.commit[:12]} {target.snapshot.facts.get('CI_COMMIT_TITLE', '')}".rstrip(),
        f"kind: {target.kind}",
        f"live now: release {live.number} ({live.commit[:8]})" if live else "live now: nothing that is known",
        *(f"command: {command}" for command in (environment.rollback if back else environment.commands)),
        *(f"check: {check.label}" for check in environment.health),
        *(f"artifacts: {job}" for job in (target.deploying.takes_from if target.deploying else environment.needs)),
        f"trust: {_TRUST[type(trust)]}",
        f"approval: {'asked for' if environment.approval else 'not asked for'}",
        f"lock: {deployer.lock_words()}",
    ]


_TRUST = {
    Trusted: "what is executed is trusted",
    Changed: "what is executed has changed since somebody looked at it",
    Unknown: "nobody has looked at what is executed",
}


def known_releases(machine: Machine, environment: str | None) -> list[Release]:
    """The releases of an environment (all for None), newest first."""
    return releases(Session.open(machine).repository, environment)


def trust_environment(
    machine: Machine, environment: str | None, revision: str | None, tell: Observer, consent: Consent
) -> bool:
    """Show what a deployment would execute and ask for trust in it; False when it was refused."""
    session = Session.open(machine)
    described = described_environment(session, environment)
    with open_deployer(session, described.name, tell, Interrupts(), local=True) as deployer:
        target = chosen_target(deployer, described, DeployRequest(revision=revision))
        if isinstance(deployer.trusted.status(described.name, target.executed), Trusted):
            deployer.say("what is executed is trusted already")
            return True
        lines = shown(deployer, target)
        if not consent(Ask(tuple(lines), f"run this for {described.name} from now on?")):
            return False
        deployer.trusted.accept(described.name, target.executed, deployer.by, machine.clock())
        return True


def approve_request(
    machine: Machine, environment: str | None, request: str | None, why: str, tell: Observer
) -> Request:
    """Approve a request that waits; it counts for exactly its commit and config, and is void once those are others.

    Raises:
        UsageError: no such request waits.
    """
    session = Session.open(machine)
    described = described_environment(session, environment)
    with open_deployer(session, described.name, tell, Interrupts(), local=False) as deployer:
        deployer.fetch(described.after)
        target = chosen_target(deployer, described, DeployRequest())
        return approve(deployer, request, target.commit, why)


def unlock(machine: Machine, environment: str | None, *, steal: bool, tell: Observer) -> str:
    """Take away a lock on the remote whose owner is gone; in words, what was done.

    Raises:
        UsageError: the owner may be alive, and ``steal`` does not say that it is to be taken all the same.
    """
    session = Session.open(machine)
    described = described_environment(session, environment)
    with open_deployer(session, described.name, tell, Interrupts(), local=False) as deployer:
        return deployer.unlock(steal=steal)
