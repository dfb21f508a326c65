"""All attempts of one job, one after the other, and what its ending comes to."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from hookci.errors import HookciError
from hookci.model.event import JobRetried, JobStarted
from hookci.model.pipeline import RetryOn
from hookci.model.result import JobResult, Outcome
from hookci.store.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hookci.execute.cancel import JobCancel
    from hookci.model.event import JobOutput
    from hookci.model.pipeline import Job
    from hookci.model.plan import PlannedJob

__all__ = ["Attempts", "Executor", "overlooked"]

_RETRY = {Outcome.FAILED: RetryOn.FAILURE, Outcome.TIMED_OUT: RetryOn.TIMEOUT, Outcome.ERRORED: RetryOn.ERROR}
_LOCK_POLL = 0.1


class Executor(Protocol):
    """Whatever can run one attempt of one job."""

    def run(
        self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
    ) -> JobResult:
        """Run one attempt to its end."""


class Attempts(Struct, frozen=True):
    """Runs a job as often as its config says.

    ``locks`` is where locks of resource groups live; ``tell`` gets the output, ``put`` what else happens.
    """

    executor: Executor
    locks: Path
    tell: Callable[[JobOutput], None]
    put: Callable[[JobStarted | JobRetried], None]

    def work(self, planned: PlannedJob, cancel: JobCancel) -> JobResult:
        """How the job ends; whatever goes wrong, it does."""
        with contextlib.ExitStack() as held:
            try:
                self._hold_resource(planned.job, cancel, held)
                return self._all(planned, cancel)
            except HookciError as error:
                return _errored(planned.job, error.message, error.hint)
            except Exception:  # noqa: BLE001 (a bug of ours must end as "no verdict", never as a lost thread)
                import traceback  # noqa: PLC0415 (dear, and hopefully never needed)

                return _errored(planned.job, f"internal error\n{traceback.format_exc()}")

    def _hold_resource(self, job: Job, cancel: JobCancel, held: contextlib.ExitStack) -> None:
        """Hold a resource group against other runs too; waits until it is free or the job is cancelled."""
        if not job.resource_group:
            return
        safe = "".join(char if char.isalnum() else f"%{ord(char):x}" for char in job.resource_group)
        lock = FileLock(self.locks / f"resource-{safe}")
        while not lock.try_acquire() and cancel.soft.reason is None:
            time.sleep(_LOCK_POLL)
        held.callback(lock.release)

    def _all(self, planned: PlannedJob, cancel: JobCancel) -> JobResult:
        attempt = 1
        while True:
            result = replace(self._one(planned, cancel, attempt), attempts=attempt)
            if attempt > planned.job.retry.max or not _is_retried(planned.job, result) or cancel.soft.reason:
                return overlooked(planned.job, result)
            self.put(JobRetried(result))
            attempt += 1

    def _one(self, planned: PlannedJob, cancel: JobCancel, attempt: int) -> JobResult:
        job = planned.job
        if cancel.soft.reason:
            return JobResult(name=job.name, stage=job.stage, outcome=Outcome.CANCELLED, reason=cancel.soft.reason)
        begun = time.monotonic()
        told = [False]

        def started() -> None:
            if not told[0]:
                told[0] = True
                self.put(JobStarted(job.name, attempt))

        try:
            return self.executor.run(planned, cancel, self.tell, started)
        except HookciError as error:
            return replace(_errored(job, error.message, error.hint), seconds=time.monotonic() - begun)


def _errored(job: Job, reason: str, hint: str | None = None) -> JobResult:
    hints = (hint,) if hint else ()
    return JobResult(name=job.name, stage=job.stage, outcome=Outcome.ERRORED, reason=reason, attempts=1, hints=hints)


def _is_retried(job: Job, result: JobResult) -> bool:
    kind = _RETRY.get(result.outcome)
    if kind is None:
        return False
    if result.exit_code is not None and result.exit_code in job.retry.exit_codes:
        return True
    if job.retry.exit_codes and job.retry.when == (RetryOn.ALWAYS,):
        return False
    return RetryOn.ALWAYS in job.retry.when or kind in job.retry.when


def overlooked(job: Job, result: JobResult) -> JobResult:
    """A failure that ``allow_failure`` permits is one that jobs after it do not wait for."""
    if result.outcome in {Outcome.FAILED, Outcome.TIMED_OUT} and job.allow_failure.permits(result.exit_code):
        return replace(result, outcome=Outcome.ALLOWED_FAILURE)
    return result
