"""Scanning by hand: the files as they are, or the index, or a commit; and the baseline that a team commits."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.config.load import CONFIG_FILES
from hookci.errors import UsageError
from hookci.executing import RunOptions, execute
from hookci.flow import plan_scans
from hookci.git.snapshots import of_index, of_revision, of_work_tree
from hookci.model.event import Notice
from hookci.model.pipeline import Job, Pipeline
from hookci.model.scan import BASELINE_FILE, Scan, ScanChoice
from hookci.session import Session
from hookci.store.private import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from hookci.execute.schedule import Interrupts
    from hookci.model.event import Observer
    from hookci.model.result import RunResult
    from hookci.model.snapshot import Snapshot
    from hookci.session import Machine

__all__ = ["ScanRequest", "scan_request", "write_baseline"]

_STAGE = "security"
_ALL = ScanChoice()


class ScanRequest(Struct, frozen=True, kw_only=True):
    """What a person asks for: ``paths`` below the current directory, ``jobs`` by name; none means all.

    The files as they are, unless ``staged`` or a ``revision`` says otherwise.  With ``everything``, findings that are
    there already count too.
    """

    paths: tuple[str, ...] = ()
    everything: bool = False
    revision: str | None = None
    staged: bool = False
    jobs: tuple[str, ...] = ()


def scan_request(machine: Machine, request: ScanRequest, tell: Observer, stop: Interrupts) -> RunResult:
    """Run the jobs that scan; each result has its `ScanReport`.

    Raises:
        HookciError: no verdict could be reached.
    """
    session = Session.open(machine)
    snapshot = _snapshot(session, request)
    choice = ScanChoice(paths=_chosen(session, snapshot, request.paths), everything=request.everything)
    pipeline = session.pipeline(snapshot.tree, lambda: snapshot)
    if pipeline is None or not any(job.scan for job in pipeline.jobs.values()):
        why = f"no job in {pipeline.source} scans" if pipeline else f"there is no {CONFIG_FILES[0]}"
        tell(Notice(f"{why}: scanning with bandit, secrets and dependencies as `hookci init` sets them up"))
        pipeline = _usual()
    if choice != _ALL:
        # what was asked for is not what a hook asks for, so it may not answer for it
        jobs = {name: replace(job, memory=False) if job.scan else job for name, job in pipeline.jobs.items()}
        pipeline = replace(pipeline, jobs=jobs)
    names = request.jobs or tuple(f"job:{name}" for name, job in pipeline.jobs.items() if job.scan)
    plan = plan_scans(session, pipeline, snapshot, names, tell)
    return execute(session, plan, tell, stop, RunOptions(keep_going=True, memory=False, scans=choice))


def _snapshot(session: Session, request: ScanRequest) -> Snapshot:
    if request.staged:
        return of_index(session.repository, session.scratch)
    if request.revision is not None:
        return of_revision(session.repository, request.revision)
    return of_work_tree(session.repository, session.scratch)


def _chosen(session: Session, snapshot: Snapshot, paths: tuple[str, ...]) -> tuple[str, ...]:
    """``paths`` from the top of the tree; what they name must be there."""
    top = session.repository.top
    if not paths:
        return ()
    found = []
    files = session.blobs(snapshot)()
    for path in paths:
        place = os.path.normpath(session.machine.cwd / path)
        inside = os.path.relpath(place, top) if top else path
        if inside == os.curdir:
            return ()
        if not any(file == inside or file.startswith(f"{inside}/") for file in files):
            raise UsageError(f"`{path}` names no file of {snapshot.label}")
        found.append(inside)
    return tuple(found)


def _usual() -> Pipeline:
    """What a repository gets that says nothing of scans."""
    scans = (Scan(tool="bandit"), Scan(tool="secrets"), Scan(tool="dependencies", allow_unscanned=True))
    jobs = {scan.tool: Job(name=scan.tool, group=scan.tool, stage=_STAGE, scan=scan) for scan in scans}
    return Pipeline(source="hookci", stages=(_STAGE,), jobs=jobs)


def write_baseline(machine: Machine, result: RunResult) -> Path:
    """Write what was found to the committed baseline; not secrets, what is suppressed, and what was not scanned.

    Raises:
        UsageError: there is no work tree, or nothing was scanned.
    """
    from hookci.scan.baseline import baseline_text  # noqa: PLC0415 (only here)

    top = Session.open(machine).repository.top
    if top is None:
        raise UsageError("a bare repository has no work tree for a baseline")
    found = [one for job in result.jobs if job.scan for one in job.scan.findings]
    judged = [one for one in found if not one.suppressed and not one.is_unscanned]
    path = top / BASELINE_FILE
    text = baseline_text((one.finding, one.fingerprint.partition(":")[0]) for one in judged)
    write_atomic(path, text.encode())
    path.chmod(0o666 & ~machine.umask)
    return path
