"""What people are told, in a few lines of plain text: what it is about, how it ended, what to type next."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.notification import Occasion
from hookci.model.release import DeploymentState, Kind
from hookci.model.result import Outcome, Verdict

if TYPE_CHECKING:
    from hookci.model.release import Deployment, Release, Request
    from hookci.model.result import JobResult, RunResult

__all__ = [
    "Message",
    "approval_message",
    "deployment_message",
    "interrupted_message",
    "run_message",
    "trial_message",
]

_SHORT = 8
_LISTED = 5
_NOT_GOOD = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERRORED, Outcome.UNSUPPORTED})

_VERDICTS = {
    Verdict.GREEN: (Occasion.GREEN, "is green"),
    Verdict.RED: (Occasion.RED, "is red"),
    Verdict.NONE: (Occasion.RED, "has no verdict"),
    Verdict.INTERRUPTED: (Occasion.INTERRUPTED, "was interrupted, there is no verdict"),
}
_ENDS = {
    DeploymentState.FAILED: (Occasion.RED, "{where}: not deployed, nothing was touched"),
    DeploymentState.ROLLED_BACK: (Occasion.ROLLED_BACK, "{where}: the deployment failed, rolled back"),
    DeploymentState.STUCK: (Occasion.STUCK, "{where}: the deployment failed, and so did going back"),
}


class Message(Struct, frozen=True, kw_only=True):
    """One message: the occasion it is for, a title of one line, and a body of several lines."""

    occasion: Occasion
    title: str
    body: str


def run_message(result: RunResult, project: str, *, subject: str = "", by: str = "") -> Message:
    """How a run ended.

    Args:
        result: the run.
        project: how people call the repository.
        subject: the first line of the commit's message.
        by: who made the commit, or the push.
    """
    occasion, words = _VERDICTS[result.verdict]
    broken = [job for job in result.jobs if job.outcome in _NOT_GOOD]
    count = len(result.jobs)
    return Message(
        occasion=occasion,
        title=f"{project}: {result.label} {words}",
        body=_lines(
            _commit(result.commit or "", subject),
            by and f"by {by}",
            f"run {result.number}, {count} job{'' if count == 1 else 's'}, {_duration(result.seconds)}",
            *map(_job, broken[:_LISTED]),
            f"and {len(broken) - _LISTED} more" if len(broken) > _LISTED else "",
            broken and f"next: hookci log {result.number} {shlex.quote(broken[0].name)}",
        ),
    )


def deployment_message(
    deployment: Deployment, project: str, *, subject: str = "", release: Release | None = None, url: str = ""
) -> Message:
    """How a deployment ended; one that has not ended is taken for an interrupted one.

    Args:
        deployment: the attempt.
        project: how people call the repository.
        subject: the first line of the commit's message.
        release: what came of it, None if nothing did.
        url: where the environment can be looked at.
    """
    if deployment.state is DeploymentState.HEALTHY:
        return _deployed(deployment, project, subject, release, url)
    if deployment.state not in _ENDS:
        return interrupted_message(deployment, project, subject=subject)
    occasion, words = _ENDS[deployment.state]
    return Message(
        occasion=occasion,
        title=words.format(where=f"{project} {deployment.environment}"),
        body=_lines(
            *_attempt(deployment, subject),
            deployment.reason and f"why: {deployment.reason}",
            deployment.live and f"live: {deployment.live}",
            url,
            "next: hookci status",
            _way_out(deployment),
        ),
    )


def approval_message(request: Request, project: str, *, subject: str = "") -> Message:
    """That a deployment waits for a person; arguments as for `run_message`."""
    until = datetime.fromtimestamp(request.expires, UTC)
    return Message(
        occasion=Occasion.APPROVAL,
        title=f"{project} {request.environment}: {request.commit[:_SHORT]} waits for approval",
        body=_lines(
            _commit(request.commit, subject),
            request.by and f"by {request.by}",
            f"until {until:%Y-%m-%d %H:%M} UTC",
            f"next: hookci approve {request.environment} {request.id}",
        ),
    )


def interrupted_message(deployment: Deployment, project: str, *, subject: str = "") -> Message:
    """That the process of a deployment died before its end; arguments as for `deployment_message`."""
    return Message(
        occasion=Occasion.INTERRUPTED,
        title=f"{project} {deployment.environment}: the deployment was interrupted",
        body=_lines(
            *_attempt(deployment, subject),
            deployment.reason and f"why: {deployment.reason}",
            deployment.live and f"live: {deployment.live}",
            f"next: hookci deploy {deployment.environment} --resume",
            f"or: hookci deploy {deployment.environment} --abort",
        ),
    )


def trial_message(project: str) -> Message:
    """What `hookci notify test` sends."""
    return Message(
        occasion=Occasion.GREEN,
        title=f"{project}: a test of hookci's notifications",
        body="whoever reads this is told about runs and deployments",
    )


def _deployed(deployment: Deployment, project: str, subject: str, release: Release | None, url: str) -> Message:
    number = deployment.number or (release.number if release else None)
    name = "a release" if number is None else f"release {number}"
    back = deployment.kind is Kind.ROLLBACK
    return Message(
        occasion=Occasion.DEPLOYED,
        title=f"{project} {deployment.environment}: {name} is live{', rolled back by hand' if back else ''}",
        body=_lines(
            *_attempt(deployment, subject),
            release and _source(release),
            release and release.approver and f"approved by {release.approver}",
            not deployment.pushed and "its tag is not on the remote yet",
            url,
            f"to go back: hookci rollback {deployment.environment}",
        ),
    )


def _source(release: Release) -> str:
    if release.source is None:
        return ""
    words = "the same as" if release.kind is Kind.ROLLBACK else "promoted from"
    return f"{words} release {release.source}"


def _attempt(deployment: Deployment, subject: str) -> tuple[str, str, str]:
    """What was deployed, who did it, and how long it took."""
    return (
        _commit(deployment.commit, subject),
        deployment.by and f"by {deployment.by}",
        "" if deployment.seconds is None else f"took {_duration(deployment.seconds)}",
    )


def _way_out(deployment: Deployment) -> str:
    stuck = deployment.state is DeploymentState.STUCK
    return f"or: hookci rollback {deployment.environment} --to RELEASE" if stuck else ""


def _job(job: JobResult) -> str:
    reason = next(iter(job.reason.splitlines()), "")
    return f"{job.name}: {job.outcome.value}{f', {reason}' if reason else ''}"


def _commit(commit: str, subject: str) -> str:
    return f"{commit[:_SHORT]} {subject}".strip()


def _duration(seconds: float) -> str:
    """Hours, minutes and seconds: ``0:01:23``."""
    return str(timedelta(seconds=round(seconds)))


def _lines(*lines: object) -> str:
    return "\n".join(str(line) for line in lines if line)
