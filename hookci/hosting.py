"""One job of a hosted pipeline, as `hookci export` writes it: the engine around it does the rest.

The engine has chosen the job, started its container and services, and put into the work tree what other jobs handed on;
what this job hands on is left there for the engine to take.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.errors import UsageError
from hookci.executing import RunOptions, execute
from hookci.flow import plan_scans
from hookci.git.snapshots import of_revision
from hookci.model.event import Notice
from hookci.model.globs import is_literal, matcher
from hookci.model.pipeline import CachePolicy, When
from hookci.model.plan import Action
from hookci.session import Session
from hookci.workspace.artifacts import ArtifactStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hookci.execute.schedule import Interrupts
    from hookci.model.event import Observer
    from hookci.model.pipeline import Job
    from hookci.model.plan import Plan, PlannedJob
    from hookci.model.result import RunResult
    from hookci.model.snapshot import Snapshot
    from hookci.session import Machine

__all__ = ["run_hosted"]

_OPTIONS = RunOptions(memory=False, keep_going=True)


def run_hosted(machine: Machine, names: tuple[str, ...], tell: Observer, stop: Interrupts) -> RunResult:
    """Run the jobs called ``names`` and nothing else on HEAD, in this place.

    Raises:
        HookciError: no verdict could be reached.
    """
    if not names:
        raise UsageError("--hosted runs the jobs that are named, and none is", "write `hookci run --hosted job:NAME`")
    session = Session.open(machine)
    snapshot = _located(of_revision(session.repository, "HEAD"), machine.env)
    pipeline = session.configured(snapshot)
    whole = plan_scans(session, pipeline, snapshot, names, tell)
    untracked, tracked = _untracked(session), session.blobs(snapshot)()
    plan = _alone(whole, names, lambda patterns: _named(patterns, untracked, tracked))
    if not plan.jobs:
        tell(Notice("no rule of this job holds here, so nothing is run", "warning"))
    result = execute(session, plan, tell, stop, _OPTIONS)
    top = session.repository.top
    if top is not None:
        left = ArtifactStore(session.place / "artifacts", machine.env)
        for name in plan.jobs:
            left.restore(result.number, name, os.fsencode(top), moved=False)
    return result


def _located(snapshot: Snapshot, env: Mapping[str, str]) -> Snapshot:
    """``snapshot`` on the branch or tag that the engine names: its checkout is of a commit alone."""
    told = {name: value for name, value in env.items() if name.startswith("CI_COMMIT_") and value}
    branch, tag = told.get("CI_COMMIT_BRANCH"), told.get("CI_COMMIT_TAG")
    if not branch and not tag:
        return snapshot
    ours = {name: value for name, value in (("HOOKCI_BRANCH", branch), ("HOOKCI_TAG", tag)) if value}
    gone = {"HOOKCI_BRANCH", "HOOKCI_TAG", "CI_COMMIT_BRANCH", "CI_COMMIT_TAG"}
    facts = {name: value for name, value in snapshot.facts.items() if name not in gone}
    facts.update({**told, **ours, "HOOKCI_REF_NAME": branch or tag or ""})
    return replace(snapshot, branch=branch, tag=tag, label=branch or tag or snapshot.label, facts=facts)


def _untracked(session: Session) -> tuple[str, ...]:
    """The files that the engine put into the work tree, what git ignores too: that is mostly what jobs hand on."""
    listing = session.repository.git("ls-files", "-z", "--others").stdout
    return tuple(name for name in os.fsdecode(listing).split("\0") if name)


def _alone(plan: Plan, names: Sequence[str], named: Callable[[Sequence[str]], Iterator[str]]) -> Plan:
    """``plan`` with the jobs that were named only, each with the files that others would have handed to it."""
    wanted = {name.removeprefix("job:") for name in names}
    jobs = {
        name: _placed(planned, plan, named)
        for name, planned in plan.jobs.items()
        if {name, planned.job.group, planned.job.stage} & wanted and planned.action is Action.RUN
    }
    return replace(plan, jobs=jobs, whole=False)


def _placed(planned: PlannedJob, plan: Plan, named: Callable[[Sequence[str]], Iterator[str]]) -> PlannedJob:
    job = planned.job
    given = [path for giver in planned.artifacts_from for path in plan.jobs[giver].job.artifacts.paths]
    given += [path for cache in job.cache if cache.policy is not CachePolicy.PUSH for path in cache.paths]
    kept = [path for cache in job.cache if cache.policy is not CachePolicy.PULL for path in cache.paths]
    left = tuple(dict.fromkeys((*job.artifacts.paths, *job.junit, *kept)))
    placed = replace(
        job,
        carry=tuple(dict.fromkeys((*job.carry, *named(given)))),
        cache=(),
        artifacts=replace(job.artifacts, paths=left, when=_kept_when(job, kept)),
        image=None,
        services=(),
        memory=False,
    )
    return replace(planned, job=placed, when=When.ON_SUCCESS, after=(), artifacts_from=(), depends_on=())


def _kept_when(job: Job, kept: Sequence[str]) -> When:
    """What is left is for the engine to choose from, which knows how the job ended."""
    return When.ALWAYS if kept or job.junit else job.artifacts.when


def _named(patterns: Sequence[str], untracked: tuple[str, ...], tracked: Mapping[str, str]) -> Iterator[str]:
    """What ``patterns`` mean of the ``untracked`` files: a directory, if nothing in it is tracked, or file by file."""
    for pattern in patterns:
        stem = pattern.removeprefix("./").removesuffix("/**").rstrip("/")
        below = f"{stem}/"
        if is_literal(stem) and not any(path.startswith(below) for path in tracked):
            if any(path == stem or path.startswith(below) for path in untracked):
                yield stem
        else:
            yield from filter(matcher(pattern), untracked)
