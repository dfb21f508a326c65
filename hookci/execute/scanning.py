"""An executor that scans: jobs with a scanner of ours run no script, others have their own report read."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hookci.execute.attempt import Visit
from hookci.execute.environment import expand_all, planned_environment, secret_values
from hookci.execute.masking import Masker
from hookci.execute.output import Output
from hookci.model.finding import Confidence, Severity
from hookci.model.pipeline import Artifacts, CachePolicy
from hookci.model.result import JobResult, Outcome
from hookci.model.scan import SARIF
from hookci.proc.supervise import Supervised, supervise
from hookci.scan.adapter import Desk, Finished, Scanned, ScanStoppedError
from hookci.scan.scanners import Judgement, Order, judge, report_lines, run_scan
from hookci.scan.trees import Examined, Trees, read_found, write_found
from hookci.scan.veil import veiled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hookci.execute.attempt import AttemptExecutor
    from hookci.execute.cancel import JobCancel
    from hookci.execute.context import RunContext
    from hookci.git.patches import Patches
    from hookci.model.event import JobOutput
    from hookci.model.finding import Finding, ScanReport
    from hookci.model.pipeline import Job
    from hookci.model.plan import PlannedJob
    from hookci.model.scan import Scan
    from hookci.proc.supervise import Ended
    from hookci.scan.adapter import Tree
    from hookci.scan.trees import FindingMemory

__all__ = ["Comparison", "ScanContext", "ScanningExecutor"]

_LARGEST_REPORT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a snapshot is compared with: a commit's tree, its files, what was renamed since.

    ``label`` is how a person calls it, ``oid`` the tree's object name.  ``context`` is the run's, on that commit's own
    tree: for jobs whose scanner has to be run on it.
    """

    label: str
    oid: str
    tree: Callable[[], Tree]
    renamed: Callable[[], Mapping[str, str]]
    context: Callable[[], RunContext]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanContext:
    """What all scans of one run share.

    ``key`` names what a job's own scanner finds in a tree (None: it is not to be remembered).  ``wanted`` says whether
    a path is to be looked at, ``clock`` tells unix seconds; the rest is as in `Desk` and `Order`.
    """

    memory: FindingMemory
    head: Callable[[], Tree]
    comparison: Comparison | None
    patches: Patches | None
    baseline: Callable[[], Mapping[str, int]]
    key: Callable[[Job, str], str | None]
    data: Path
    salt: bytes
    python: str
    processors: int
    clock: Callable[[], float]
    wanted: Callable[[str], bool] = lambda _path: True
    everything: bool = False


@dataclass(frozen=True, slots=True)
class ScanningExecutor:
    """Runs the attempts of scan jobs, and lets ``inner`` run all others."""

    inner: AttemptExecutor
    context: RunContext
    scans: ScanContext

    def run(
        self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
    ) -> JobResult:
        """Run one attempt to its end; nothing of it runs any more afterwards.

        Raises:
            HookciError: the attempt could not be made, so there is no verdict.
        """
        scan = planned.job.scan
        if scan is None:
            return self.inner.run(planned, cancel, tell, started)
        attempt = _Attempt(self, planned, scan, cancel, tell, started)
        return attempt.by_report() if scan.tool == SARIF else attempt.by_ourselves()


@dataclass(frozen=True, slots=True)
class _Attempt:
    executor: ScanningExecutor
    planned: PlannedJob
    scan: Scan
    cancel: JobCancel
    tell: Callable[[JobOutput], None]
    started: Callable[[], None]

    # -- scanners of ours

    def by_ourselves(self) -> JobResult:
        context, job = self.executor.context, self.planned.job
        begun = time.monotonic()
        slot = context.slots.acquire(job.name)
        directory = slot.directory / "scan"
        path, log = context.open_log(job.name)
        try:
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(mode=0o700)
            self.started()
            with log:
                output = self._output(log)
                try:
                    desk = self._desk(directory, slot.token, begun + job.timeout, output)
                    judgement = run_scan(self._order(), desk, self.executor.scans.memory)
                    for line in report_lines(judgement.report):
                        output.say(line)
                except ScanStoppedError:
                    return replace(self._stopped(), seconds=time.monotonic() - begun, log=path)
                finally:
                    output.finish()
        finally:
            shutil.rmtree(directory, ignore_errors=True)
            slot.release()
        result = JobResult(name=job.name, stage=job.stage, outcome=Outcome.PASSED, log=path)
        return replace(_judged(result, judgement), seconds=time.monotonic() - begun)

    def _output(self, log: object) -> Output:
        environment = self._environment()
        masker = Masker(secret_values(environment, self.planned.job.secrets))
        return Output(self.planned.job.name, log, masker, self.tell)  # type: ignore[arg-type]  # open_log's file

    def _environment(self) -> dict[str, str]:
        context, job = self.executor.context, self.planned.job
        environment = planned_environment(context.user, job, context.plan)
        environment.update(expand_all(job.variables, environment))
        return environment

    def _desk(self, directory: Path, token: str, deadline: float, output: Output) -> Desk:
        scans = self.executor.scans

        def check() -> None:
            if self.cancel.soft.reason is not None or time.monotonic() >= deadline:
                raise ScanStoppedError

        def run(argv: Sequence[str], env: Mapping[str, str], timeout: float) -> Finished:
            pieces: list[bytes] = []
            what = Supervised(
                argv=argv,
                cwd=str(directory),
                env={**env, "HOOKCI_JOB_TOKEN": token},
                timeout=max(0.0, min(timeout, deadline - time.monotonic())),
                token=token,
                directory=str(directory),
                errors=directory / f"errors-{time.monotonic_ns()}",
            )
            ended = supervise(what, pieces.append, self.cancel.soft, lambda: None)
            errors = what.errors.read_bytes() if what.errors and what.errors.exists() else b""
            return Finished(why=ended.why, returncode=ended.returncode, output=b"".join(pieces), errors=errors)

        return Desk(
            directory=directory,
            processors=scans.processors,
            environment=self._environment(),
            python=scans.python,
            data=scans.data,
            salt=scans.salt,
            now=scans.clock(),
            check=check,
            say=output.say,
            run=run,
        )

    def _order(self) -> Order:
        scans = self.executor.scans
        comparison = scans.comparison
        return Order(
            scan=self.scan,
            trees=Trees(
                head=scans.head(),
                base=comparison.tree if comparison else lambda: None,
                renamed=comparison.renamed if comparison else dict,
                wanted=scans.wanted,
            ),
            patches=scans.patches,
            base=comparison.label if comparison else "",
            baseline=scans.baseline(),
            everything=scans.everything,
        )

    def _stopped(self) -> JobResult:
        job = self.planned.job
        reason = self.cancel.soft.reason
        if reason is not None:
            return JobResult(name=job.name, stage=job.stage, outcome=Outcome.CANCELLED, reason=reason)
        why = f"did not end within {job.timeout:g} s"
        return JobResult(name=job.name, stage=job.stage, outcome=Outcome.TIMED_OUT, reason=why)

    # -- jobs that write a report

    def by_report(self) -> JobResult:
        executor, scans = self.executor, self.executor.scans
        result, scanned = self._run_script(executor.inner, self.planned, scans.head())
        if scanned is None:
            return result
        self._remember(self.planned, executor.context.plan.snapshot.tree, scanned)
        wanted = replace(scanned, findings=tuple(one for one in scanned.findings if scans.wanted(one.path)))
        examined = Examined(wanted)
        if wanted.findings and scans.comparison is not None:
            if scans.comparison.oid == executor.context.plan.snapshot.tree:
                examined = Examined(wanted, wanted.findings)
            else:
                examined = Examined(wanted, self._findings_of_base(scans.comparison), scans.comparison.renamed())
        judgement = judge(examined, self._order(), scans.clock(), (Severity.MEDIUM, Confidence.LOW), "")
        self._log(result, judgement.report)
        return _judged(result, judgement)

    def _run_script(self, inner: AttemptExecutor, planned: PlannedJob, tree: Tree) -> tuple[JobResult, Scanned | None]:
        """Run the job's own script; what its report says, None when the job was cut short."""
        seen: list[Scanned] = []

        def before(workspace: Path) -> None:
            # a report that is tracked would speak for a scanner that never ran
            with contextlib.suppress(OSError):
                (workspace / self.scan.report).unlink()

        def after(workspace: Path, ended: Ended) -> None:
            if ended.why == "exit":
                seen.append(self._read(tree, workspace, ended.returncode))

        result = inner.run(planned, self.cancel, self.tell, self.started, Visit(before, after))
        return result, seen[0] if seen else None

    def _read(self, tree: Tree, workspace: Path, status: int) -> Scanned:
        from hookci.scan.sarif.reader import read_sarif  # noqa: PLC0415 (most scan jobs write no report)

        data = _content(workspace / self.scan.report)
        if isinstance(data, str):
            return Scanned(unscanned=(f"{self.scan.report} {data}",))

        def known(path: str) -> str | None:
            content = tree.contents([path]).get(path)
            return None if content is None else content.decode(errors="replace")

        scanned = read_sarif(data, known=known, top=str(workspace))
        scanned = replace(scanned, findings=veiled(scanned.findings, lambda: None))
        if status and not scanned.findings and not scanned.unscanned:
            why = f"the script ended with exit status {status}, and {self.scan.report} names no finding"
            return replace(scanned, unscanned=(why,))
        return scanned

    def _findings_of_base(self, comparison: Comparison) -> tuple[Finding, ...]:
        """What the same job finds in the base: remembered, or found out now."""
        scans = self.executor.scans
        key = scans.key(self.planned.job, comparison.oid)
        known = scans.memory.found([key]).get(key) if key else None
        found = read_found(known) if known else None
        if found is not None:
            return tuple(found)
        caches = tuple(replace(cache, policy=CachePolicy.PULL) for cache in self.planned.job.cache)
        job = replace(self.planned.job, artifacts=Artifacts(), cache=caches)
        inner = replace(self.executor.inner, context=comparison.context())
        _result, scanned = self._run_script(inner, replace(self.planned, job=job), comparison.tree())
        if scanned is None or scanned.unscanned:
            return ()
        self._remember(self.planned, comparison.oid, scanned)
        return scanned.findings

    def _remember(self, planned: PlannedJob, tree: str, scanned: Scanned) -> None:
        key = self.executor.scans.key(planned.job, tree)
        if key and not scanned.unscanned:
            self.executor.scans.memory.remember_found({key: write_found(scanned.findings)})

    def _log(self, result: JobResult, report: ScanReport) -> None:
        _path, log = self.executor.context.open_log(result.name)
        with log:
            output = self._output(log)
            for line in report_lines(report):
                output.say(line)
            output.finish()


def _content(path: Path) -> bytes | str:
    """A report's content, or why there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return "was not written" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
    with os.fdopen(descriptor, "rb") as file:
        try:
            data = file.read(_LARGEST_REPORT + 1)
        except OSError as error:
            return f"cannot be read: {error.strerror}"
    return "is larger than 64 MiB" if len(data) > _LARGEST_REPORT else data


def _judged(result: JobResult, judgement: Judgement) -> JobResult:
    """``result`` with the outcome that the findings give it."""
    report = judgement.report
    outcome = Outcome.PASSED if report.is_green else Outcome.FAILED
    reason = _why(report)
    return replace(result, outcome=outcome, reason=reason, scan=report, holds_until=judgement.holds_until, hints=())


def _why(report: ScanReport) -> str:
    """Why a scan is red; empty when it is green."""
    if report.is_green:
        return ""
    parts = []
    if report.unscanned and not report.allowed_unscanned:
        parts.append("not scanned")
    new = [judged for judged in report.blocking if not judged.is_unscanned]
    files = len(report.blocking) - len(new)
    if new:
        parts.append(f"{len(new)} finding{'s' if len(new) > 1 else ''}")
    if files:
        parts.append(f"{files} file{'s' if files > 1 else ''} not scanned")
    return ", ".join(parts)
