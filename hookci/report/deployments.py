"""Releases, deployments and environments as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.release import DeploymentState, Kind
from hookci.model.text import plain
from hookci.report.terminal import aligned, paint
from hookci.report.words import ago, counted, duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hookci.model.release import Deployment, Lock, Release, Request
    from hookci.model.status import EnvironmentStatus, Running
    from hookci.report.terminal import Style

__all__ = ["failure_words", "live_words", "render_environments", "render_releases"]

_SHORT = 8
"""Hex digits of an object name that are shown."""
_STATES: dict[DeploymentState, tuple[str, Style]] = {
    DeploymentState.STARTED: ("started", "bold"),
    DeploymentState.HEALTHY: ("healthy", "green"),
    DeploymentState.FAILED: ("failed", "red"),
    DeploymentState.ROLLED_BACK: ("rolled back", "red"),
    DeploymentState.STUCK: ("stuck", "red"),
    DeploymentState.INTERRUPTED: ("interrupted", "yellow"),
    DeploymentState.PLAYED: ("by itself", "yellow"),
}
_DONE = {Kind.DEPLOY: "deployed", Kind.ROLLBACK: "rolled back", Kind.PROMOTION: "promoted"}


def live_words(release: Release, title: str) -> str:
    """The sentence that ends a deployment which became healthy."""
    what = _commit(release.commit, title)
    done = f"{_DONE[release.kind]} in {duration(release.seconds)}"
    return f"{release.environment}: release {release.number} is live: {what} ({done})"


def failure_words(deployment: Deployment) -> str:
    """What became of an attempt that did not become healthy, and what is to be done."""
    name, short = deployment.environment, deployment.commit[:_SHORT]
    if deployment.state is DeploymentState.INTERRUPTED:
        return plain(f"{deployment.reason or f'the deployment of {short} to {name} was interrupted'}")
    said = f"{short} is not live on {name}: {deployment.reason}; live is {deployment.live}"
    if deployment.state is DeploymentState.STUCK:
        said += f", then `hookci deploy {name}` or `hookci rollback {name}`"
    return " ".join(plain(said).split())


# -- releases


def render_releases(
    released: Sequence[Release],
    attempts: Sequence[Deployment],
    titles: Mapping[str, str],
    *,
    now: float,
    color: bool,
) -> str:
    """The releases of each environment, and the attempts that became none, newest first; ends with a line end.

    Args:
        released: the newest of each environment first.
        attempts: those to be shown among them, in any order.
        titles: by commit.
        now: unix seconds.
        color: whether to colour.
    """
    names = dict.fromkeys([*(one.environment for one in released), *(one.environment for one in attempts)])
    if not names:
        return "no releases yet\n"
    blocks = []
    for name in names:
        own = [one for one in released if one.environment == name]
        rows = [(one.at, _release_cells(one, titles, now, is_live=one is own[0], color=color)) for one in own]
        tried = (one for one in attempts if one.environment == name)
        rows += [(one.started, _attempt_cells(one, titles, now, color=color)) for one in tried]
        rows.sort(key=lambda row: -row[0])
        blocks.append(_table(name, [cells for _, cells in rows], color=color))
    return "\n".join(blocks)


def _table(name: str, rows: Sequence[Sequence[str]], *, color: bool) -> str:
    heads = ("release", "", "commit", "what", "kind", "by", "when", "time", "")
    lines = aligned([[paint(head, "dim", color=color) for head in heads], *rows], indent="  ")
    return "\n".join([paint(plain(name), "bold", color=color), *lines]) + "\n"


def _release_cells(release: Release, titles: Mapping[str, str], now: float, *, is_live: bool, color: bool) -> list[str]:
    agreed = f", approved by {_person(release.approver)}" if release.approver else ""
    return [
        str(release.number).rjust(7),
        paint("live", "green", color=color) if is_live else "",
        release.commit[:_SHORT],
        plain(titles.get(release.commit, "")),
        _kind(release.kind, release.source),
        f"{_person(release.by)}{agreed}",
        ago(now - release.at),
        duration(release.seconds),
        paint("irreversible", "yellow", color=color) if release.irreversible else "",
    ]


def _attempt_cells(attempt: Deployment, titles: Mapping[str, str], now: float, *, color: bool) -> list[str]:
    words, style = _STATES[attempt.state]
    return [
        "",
        paint(words, style, color=color),
        attempt.commit[:_SHORT],
        plain(titles.get(attempt.commit, "")),
        attempt.kind.value,
        _person(attempt.by),
        ago(now - attempt.started),
        "" if attempt.seconds is None else duration(attempt.seconds),
        " ".join(plain(attempt.reason).split()),
    ]


def _kind(kind: Kind, source: int | None) -> str:
    if kind is Kind.DEPLOY or source is None:
        return kind.value
    return f"{kind.value} {'to' if kind is Kind.ROLLBACK else 'of'} {source}"


# -- environments


def render_environments(found: Sequence[EnvironmentStatus], *, now: float, color: bool) -> list[str]:
    """What is known of each environment, its name in front of the first line; ``now`` is in unix seconds."""
    width = max([10, *(len(plain(one.name)) for one in found)])
    lines = []
    for status in found:
        said = [_live(status, now, color=color), *_standing(status, now, color=color)]
        heads = [plain(status.name), *[""] * (len(said) - 1)]
        lines += [f"{head:{width}}  {line}" for head, line in zip(heads, said, strict=True)]
    return lines


def _live(status: EnvironmentStatus, now: float, *, color: bool) -> str:
    live = status.live
    if live is None:
        return paint("nothing is live, as far as is known here", "dim", color=color)
    what = _commit(live.commit, status.title)
    return f"release {live.number}: {what}, {ago(now - live.at)} by {_person(live.by)}"


def _standing(status: EnvironmentStatus, now: float, *, color: bool) -> Iterator[str]:
    yield from _apart(status)
    for seen in status.running:
        yield _running(seen, color=color)
    for text in _open(status, now):
        yield paint(text, "yellow", color=color)
    for text in _wrong(status, now):
        yield paint(text, "red", color=color)


def _apart(status: EnvironmentStatus) -> Iterator[str]:
    """How far what comes next is from what is live, and the command unless somebody else is to act first."""
    source = plain(status.source)
    command = "" if status.waiting or status.lock else f": `hookci deploy {status.name}`"
    if status.source and not status.candidate:
        yield f"{source} has nothing to deploy"
    elif status.live is None:
        if status.candidate:
            yield f"next is {status.candidate[:_SHORT]} of {source}{command}"
    elif status.behind:
        more = f", and {status.ahead} ahead" if status.ahead else ""
        yield f"{source} is without {counted(status.behind, 'commit')} of it{more}"
    elif status.ahead:
        yield f"{source} is {counted(status.ahead, 'commit')} ahead{command}"


def _running(seen: Running, *, color: bool) -> str:
    if seen.as_wanted:
        return f"{plain(seen.check)} says so too"
    return paint(f"{plain(seen.check)}: {plain(seen.seen)}, expected {plain(seen.wanted)}", "red", color=color)


def _open(status: EnvironmentStatus, now: float) -> Iterator[str]:
    """What is going on, or waits for somebody."""
    if status.lock:
        yield _lock(status.lock, now)
    for request in status.waiting:
        yield _request(request)
    if status.unpushed:
        numbers = f"release{'s' * (len(status.unpushed) > 1)} {', '.join(map(str, status.unpushed))}"
        yield f"{numbers} tagged here only, not on the remote: `hookci deploy {status.name}` pushes"
    yield from map(plain, status.problems)


def _wrong(status: EnvironmentStatus, now: float) -> Iterator[str]:
    if status.interrupted:
        yield plain(status.interrupted)
    elif status.failure:
        yield f"{ago(now - status.failure.started)}: {failure_words(status.failure)}"


def _lock(lock: Lock, now: float) -> str:
    if not lock.by:
        return f"somebody holds the lock of {lock.environment} on the remote"
    who = f"{_person(lock.by)} (process {lock.pid} on {plain(lock.host)})"
    return f"{who} is deploying {lock.commit[:_SHORT]}, begun {ago(now - lock.since)}"


def _request(request: Request) -> str:
    short, name = request.commit[:_SHORT], request.environment
    if request.approver:
        return f"{short} is approved by {_person(request.approver)}: `hookci deploy {name}`"
    return f"{short} waits for approval: `hookci approve {name} {request.id}`"


def _commit(commit: str, title: str) -> str:
    return f"{commit[:_SHORT]} {plain(title)}".rstrip()


def _person(by: str) -> str:
    """``Name <address>`` without the address, unless there is nothing else."""
    return plain(by.rpartition(" <")[0] or by)
