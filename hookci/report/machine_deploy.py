"""Releases, deployments and environments as the documents that programs read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.text import plain
from hookci.report.documents import DeployDocument, ReleasesDocument
from hookci.report.entries_deploy import (
    AttemptEntry,
    EnvironmentEntry,
    LockEntry,
    ReleaseEntry,
    RequestEntry,
    RunningEntry,
    SourceEntry,
)
from hookci.report.machine import at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hookci.model.release import Deployment, Lock, Release, Request
    from hookci.model.status import EnvironmentStatus
    from hookci.report.entries import NoticeEntry

__all__ = ["deploy_document", "environment_entry", "releases_document"]


def deploy_document(
    environment: str,
    live: Release | None,
    attempt: Deployment | None,
    titles: Mapping[str, str],
    *,
    plan: Sequence[str],
    notices: Sequence[NoticeEntry],
) -> DeployDocument:
    """What ``hookci deploy --json`` and ``hookci rollback --json`` write; ``titles`` are by commit."""
    return DeployDocument(
        environment=environment,
        live=_release(live, titles) if live else None,
        attempt=_attempt(attempt, titles) if attempt else None,
        plan=tuple(map(plain, plan)),
        notices=tuple(notices),
    )


def releases_document(
    released: Iterable[Release], attempts: Iterable[Deployment], titles: Mapping[str, str]
) -> ReleasesDocument:
    """What ``hookci releases --json`` writes."""
    return ReleasesDocument(
        releases=tuple(_release(one, titles) for one in released),
        attempts=tuple(_attempt(one, titles) for one in attempts),
    )


def environment_entry(status: EnvironmentStatus) -> EnvironmentEntry:
    """Where an environment stands."""
    titles = {status.live.commit: status.title} if status.live else {}
    source = SourceEntry(name=status.source, commit=status.candidate or None, ahead=status.ahead, behind=status.behind)
    return EnvironmentEntry(
        name=status.name,
        live=_release(status.live, titles) if status.live else None,
        source=source if status.source else None,
        running=tuple(
            RunningEntry(check=plain(one.check), wanted=one.wanted, seen=plain(one.seen), as_wanted=one.as_wanted)
            for one in status.running
        ),
        lock=_lock(status.lock) if status.lock else None,
        interrupted=status.interrupted or None,
        failure=_attempt(status.failure, titles) if status.failure else None,
        waiting=tuple(map(_request, status.waiting)),
        unpushed=status.unpushed,
        problems=tuple(map(plain, status.problems)),
    )


def _release(release: Release, titles: Mapping[str, str]) -> ReleaseEntry:
    return ReleaseEntry(
        environment=release.environment,
        number=release.number,
        tag=release.tag,
        commit=release.commit,
        title=titles.get(release.commit, ""),
        kind=release.kind,
        source=release.source,
        by=release.by,
        approver=release.approver or None,
        time=at(release.at),
        seconds=round(release.seconds, 3),
        run=release.run,
        config=release.config,
        artifacts=release.artifacts or None,
        irreversible=release.irreversible,
    )


def _attempt(attempt: Deployment, titles: Mapping[str, str]) -> AttemptEntry:
    return AttemptEntry(
        id=attempt.id,
        environment=attempt.environment,
        commit=attempt.commit,
        title=titles.get(attempt.commit, ""),
        kind=attempt.kind,
        state=attempt.state,
        number=attempt.number,
        by=attempt.by,
        started=at(attempt.started),
        seconds=None if attempt.seconds is None else round(attempt.seconds, 3),
        reason=plain(attempt.reason),
        live=plain(attempt.live),
        log=attempt.log or None,
        pushed=attempt.pushed,
    )


def _lock(lock: Lock) -> LockEntry:
    return LockEntry(by=lock.by, host=lock.host, pid=lock.pid, since=at(lock.since), commit=lock.commit)


def _request(request: Request) -> RequestEntry:
    return RequestEntry(
        id=request.id,
        commit=request.commit,
        by=request.by,
        time=at(request.at),
        expires=at(request.expires),
        approver=request.approver or None,
        approved=at(request.approved_at) if request.approver else None,
        why=plain(request.why),
    )
