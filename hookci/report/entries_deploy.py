"""The parts of the documents that are about releases, deployments and environments (`hookci.report.documents`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 (the schema is made from the annotations)

from hookci.model.release import DeploymentState, Kind  # noqa: TC001 (as above)
from hookci.report.entries import Document

__all__ = [
    "AttemptEntry",
    "EnvironmentEntry",
    "LockEntry",
    "ReleaseEntry",
    "RequestEntry",
    "RunningEntry",
    "SourceEntry",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseEntry(Document):
    """A version of an environment whose health checks held."""

    environment: str
    number: int
    """The one with the highest number is live."""
    tag: str
    commit: str
    title: str
    """Of the commit; empty when it is not in this clone."""
    kind: Kind
    source: int | None
    """The release it was made from: of the same environment for a rollback, of the one before for a promotion."""
    by: str
    """`Name <address>`."""
    approver: str | None
    time: datetime
    """When its health checks had held."""
    seconds: float
    run: int | None
    """The pipeline run that was green, in the clone that deployed it."""
    config: str
    """The digest of what was executed."""
    artifacts: str | None
    """The digest of the artifacts that were deployed."""
    irreversible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEntry(Document):
    """One attempt to make a release live, by this clone."""

    id: int
    environment: str
    commit: str
    title: str
    kind: Kind
    state: DeploymentState
    """`failed` has touched nothing; after `rolled-back` the release before is live again, after `stuck` maybe not."""
    number: int | None
    """The release it became."""
    by: str
    started: datetime
    seconds: float | None
    reason: str
    """Why it became no release."""
    live: str
    """What is live after it, in words."""
    log: str | None
    """The path of the file with its whole output."""
    pushed: bool
    """Whether the release's tag is on the remote, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEntry(Document):
    """Who is deploying."""

    by: str
    host: str
    pid: int
    since: datetime
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEntry(Document):
    """A deployment that waits for a person's approval, or has it and can go on."""

    id: str
    commit: str
    by: str
    time: datetime
    expires: datetime
    approver: str | None
    approved: datetime | None
    why: str
    """What the approver said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningEntry(Document):
    """What a health check that tells the version sees now."""

    check: str
    wanted: str
    seen: str
    as_wanted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry(Document):
    """Where the next release is to come from."""

    name: str
    """A branch, or the environment before."""
    commit: str | None
    """What is there."""
    ahead: int
    """Commits that are not live."""
    behind: int
    """Commits that are live and not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentEntry(Document):
    """Where an environment stands, as far as this clone knows."""

    name: str
    live: ReleaseEntry | None
    source: SourceEntry | None
    """Null when the config at HEAD does not describe the environment."""
    running: tuple[RunningEntry, ...]
    lock: LockEntry | None
    interrupted: str | None
    """What died on the way, and what to type."""
    failure: AttemptEntry | None
    """The last attempt, unless it became a release."""
    waiting: tuple[RequestEntry, ...]
    unpushed: tuple[int, ...]
    """Releases whose tags are not on the remote."""
    problems: tuple[str, ...]
    """Why something is not known."""
