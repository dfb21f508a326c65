"""An executor that scans: jobs with a scanner of ours run no script, others have their own report read."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.execute.environment import expand_all, planned_environment, secret_values
from hookci.execute.masking import Masker
from hookci.execute.output import Output
from hookci.execute.scans import judged
from hookci.model.result import JobResult, Outcome
from hookci.proc.supervise import Supervised, supervise
from hookci.scan.adapter import Desk, Finished, ScanStoppedError
from hookci.scan.scanners import report_lines, run_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hookci.execute.attempt import AttemptExecutor
    from hookci.execute.cancel import JobCancel
    from hookci.execute.context import RunContext
    from hookci.execute.scans import ScanContext
    from hookci.model.event import JobOutput
    from hookci.model.plan import PlannedJob
    from hookci.model.scan import Scan

__all__ = ["ScanningExecutor"]


class ScanningExecutor(Struct, frozen=True):
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
        if not scan.is_report:
            return _Attempt(self, planned, scan, cancel, tell, started).by_ourselves()
        from hookci.execute.reported import ReportedAttempt  # noqa: PLC0415 (most scan jobs write no report)

        return ReportedAttempt(self.inner, self.context, self.scans, planned, scan, cancel, tell, started).run()


class _Attempt(Struct, frozen=True):
    executor: ScanningExecutor
    planned: PlannedJob
    scan: Scan
    cancel: JobCancel
    tell: Callable[[JobOutput], None]
    started: Callable[[], None]

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
                    judgement = run_scan(self.executor.scans.order(self.scan), desk, self.executor.scans.memory)
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
        return replace(judged(result, judgement), seconds=time.monotonic() - begun)

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

    def _stopped(self) -> JobResult:
        job = self.planned.job
        reason = self.cancel.soft.reason
        if reason is not None:
            return JobResult(name=job.name, stage=job.stage, outcome=Outcome.CANCELLED, reason=reason)
        why = f"did not end within {job.timeout:g} s"
        return JobResult(name=job.name, stage=job.stage, outcome=Outcome.TIMED_OUT, reason=why)
