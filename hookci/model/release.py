"""What is live, and what was tried: releases (numbered, verified, tagged) and deployments (attempts)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Deployment", "DeploymentState", "Kind", "Lock", "Release", "Request", "tag_name"]


class Kind(StrEnum):
    """How a release came to be."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    PROMOTION = "promotion"


class DeploymentState(StrEnum):
    """How far an attempt is, or how it ended.

    ``failed`` says that nothing was touched, ``rolled-back`` that the release before is live again, ``stuck`` that
    neither is sure, ``interrupted`` that its process died.  ``played`` is no attempt: a job that deploys was started
    by itself.
    """

    STARTED = "started"
    HEALTHY = "healthy"
    FAILED = "failed"
    ROLLED_BACK = "rolled-back"
    STUCK = "stuck"
    INTERRUPTED = "interrupted"
    PLAYED = "played"


def tag_name(environment: str, number: int) -> str:
    """The tag of a release, without ``refs/tags/``."""
    return f"deploy/{environment}/{number}"


class Release(Struct, frozen=True, kw_only=True):
    """A version of an environment whose health checks held; the one with the highest number is live.

    ``source`` is the number it was made from: that of the same environment for a rollback, of the environment before
    for a promotion.  ``by`` is ``Name <address>``, ``at`` in unix seconds, ``seconds`` how long the deployment took,
    ``run`` the pipeline run that was green (None when it was remembered without one).  ``config`` and ``artifacts``
    are digests (empty: no artifacts), ``approver`` who agreed.  ``irreversible`` says that going back before it loses
    something.
    """

    environment: str
    number: int
    commit: str
    kind: Kind
    by: str
    at: float
    seconds: float
    source: int | None = None
    run: int | None = None
    config: str = ""
    artifacts: str = ""
    approver: str = ""
    irreversible: bool = False

    @property
    def tag(self) -> str:
        """Its tag, without ``refs/tags/``."""
        return tag_name(self.environment, self.number)


class Deployment(Struct, frozen=True, kw_only=True):
    """One attempt to make a release live, as this clone remembers it.

    ``number`` is the release's, None unless it became one; ``live`` says in words what is live after it.  ``told``
    says that a person has seen how it ended (a failure is shown until then).
    """

    id: int
    environment: str
    commit: str
    kind: Kind
    state: DeploymentState
    started: float
    seconds: float | None = None
    number: int | None = None
    reason: str = ""
    live: str = ""
    log: str = ""
    by: str = ""
    pushed: bool = True
    told: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


class Lock(Struct, frozen=True, kw_only=True):
    """Who is deploying to an environment: a person, on a machine, with a process, since when (unix seconds), what.

    ``token`` is unlike that of any other; ``oid`` the object that stands for it on the remote (empty: here only).
    """

    environment: str
    by: str
    host: str
    pid: int
    start: str
    since: float
    commit: str
    token: str
    oid: str = ""


class Request(Struct, frozen=True, kw_only=True):
    """A deployment that waits for a person's approval, bound to exactly one commit and one config digest.

    ``id`` is short and unlike others of the environment.  Times are in unix seconds; ``approver`` is empty while it
    waits.
    """

    id: str
    environment: str
    commit: str
    config: str
    by: str
    at: float
    expires: float
    approver: str = ""
    approved_at: float = 0.0
    why: str = ""
