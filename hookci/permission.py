"""Asking persons: whether what a deployment executes is what they expect, and whether it may go ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.deploy.differences import difference
from hookci.deploy.trust import Changed, Trusted, Unknown
from hookci.errors import UsageError, WaitingError
from hookci.git.requests import approve as approve_request
from hookci.git.requests import make_request, request_id, requests
from hookci.model.release import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookci.deployer import Deployer, Target

__all__ = ["Ask", "Consent", "approve", "approved", "trusted"]


class Ask(Struct, frozen=True):
    """A question to a person: ``lines`` to be read first (a diff, say), then the question itself."""

    lines: tuple[str, ...]
    question: str


if TYPE_CHECKING:
    Consent = Callable[[Ask], bool | None]
else:
    Consent = None
"""Asks a person; None when there is nobody to ask."""


def trusted(deployer: Deployer, target: Target, consent: Consent, *, by_hand: bool) -> None:
    """Require that somebody has seen what the deployment executes, in exactly this form.

    The first deployment of an environment by hand is such a look: who types it means what is there.

    Raises:
        WaitingError: nobody has, and nobody does now.
    """
    name, store = target.environment.name, deployer.trusted
    status = store.status(name, target.executed)
    if isinstance(status, Trusted):
        return
    before = status.since if isinstance(status, Changed) else None
    if isinstance(status, Unknown) and status.why:
        deployer.say(f"what was trusted before does not count: {status.why}", "warning")
    elif before is None and by_hand:
        deployer.say("what is executed for it is trusted on this machine from now on, until it changes")
        store.accept(name, target.executed, deployer.by, deployer.session.machine.clock())
        return
    if not _looked(deployer, target, consent, by_hand=by_hand):
        what = "has changed since somebody looked at it" if before else "was never looked at by anybody"
        raise WaitingError(f"what a deployment to {name} executes {what}", f"`hookci trust {name}` shows it and asks")
    store.accept(name, target.executed, deployer.by, deployer.session.machine.clock())


def _looked(deployer: Deployer, target: Target, consent: Consent, *, by_hand: bool) -> bool:
    if not by_hand:
        return False
    return bool(consent(Ask(tuple(shown(deployer, target)), f"run this for {target.environment.name} from now on?")))


def shown(deployer: Deployer, target: Target) -> list[str]:
    """What is new in what a deployment executes."""
    status = deployer.trusted.status(target.environment.name, target.executed)
    before = status.since if isinstance(status, Changed) else None
    return difference(before, target.executed, deployer.read)


def approved(deployer: Deployer, target: Target) -> Target:
    """Require an approval of exactly this commit and config.

    Raises:
        WaitingError: there is none yet; the request for it stands.
    """
    repository, name, now = deployer.session.repository, deployer.name, deployer.session.machine.clock()
    approval = target.environment.approval
    if approval is None:
        return target
    author = target.snapshot.facts.get("CI_COMMIT_AUTHOR", "")
    standing = [
        one
        for one in requests(repository, name)
        if one.commit == target.commit and one.config == target.executed.digest and now < one.expires
    ]
    for one in standing:
        if one.approver and not (approval.not_author and _same_person(one.approver, author)):
            return replace(target, approver=one.approver)
    request = standing[0] if standing else _ask(deployer, target, now + approval.expires)
    raise WaitingError(
        f"{target.commit[:8]} waits for approval on {name} (request {request.id})",
        f"`hookci approve {name} {request.id}`, then `hookci deploy {name}`",
    )


def _ask(deployer: Deployer, target: Target, expires: float) -> Request:
    at = deployer.session.machine.clock()
    request = Request(
        id=request_id(deployer.name, target.commit, target.executed.digest, at),
        environment=deployer.name,
        commit=target.commit,
        config=target.executed.digest,
        by=deployer.by,
        at=at,
        expires=expires,
    )
    make_request(deployer.session.repository, request)
    if deployer.remote is not None:
        deployer.remote.push_requests(deployer.name)
    if target.notify is not None:
        from hookci.notify.texts import approval_message  # noqa: PLC0415 (few configs name anybody)

        subject = target.snapshot.facts.get("CI_COMMIT_TITLE", "")
        message = approval_message(request, deployer.session.project, subject=subject)
        for warning in deployer.session.tell_people(target.notify, message):
            deployer.say(warning, "warning")
    return request


def approve(deployer: Deployer, wanted: str | None, commit: str, why: str) -> Request:
    """Approve a request that stands for ``commit``: the one called ``wanted``, or the only one.

    Raises:
        UsageError: there is no such request, it is over, or what is to be deployed is another commit by now.
    """
    now, name = deployer.session.machine.clock(), deployer.name
    standing = [one for one in requests(deployer.session.repository, name) if now < one.expires and not one.approver]
    chosen = [one for one in standing if (one.id.startswith(wanted) if wanted else one.commit == commit)]
    if len(chosen) != 1:
        listed = ", ".join(f"{one.id} ({one.commit[:8]})" for one in standing) or "none"
        what = f"no request `{wanted}` of {name} waits" if wanted else f"{len(standing)} requests of {name} wait"
        raise UsageError(what, f"waiting: {listed}")
    if chosen[0].commit != commit:
        what = f"request {chosen[0].id} is void: it is for {chosen[0].commit[:8]}, and now it would be {commit[:8]}"
        raise UsageError(what, f"`hookci deploy {name}` makes a new request")
    given = approve_request(deployer.session.repository, chosen[0], deployer.by, now, why)
    if deployer.remote is not None:
        deployer.remote.push_requests(name)
    return given


def _same_person(one: str, other: str) -> bool:
    """Whether two ``Name <address>`` have one address."""
    return one.rpartition("<")[2].lower() == other.rpartition("<")[2].lower()
