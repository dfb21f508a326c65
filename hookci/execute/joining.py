"""One job at a time for each key, over all runs: who waits sees what the other one sees, and takes how it ends.

A failure is remembered by nobody.  But who watched it from the side, under the same key, need not see it twice.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.model.event import JobOutput
from hookci.model.result import JobResult, Outcome
from hookci.store.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from hookci.model.pipeline import Job
    from hookci.store.runs import Store

__all__ = ["Failure", "JobLock", "Joining"]

_PIECE = 262_144
"""Bytes of another run's log that are shown at once."""


class _Holder(Struct, frozen=True):
    """Who has the lock of a job: a run, and what the job is called there."""

    run: int
    job: str


class Failure(Struct, frozen=True):
    """How a job failed in another run."""

    run: int
    result: JobResult


class Joining(Struct, frozen=True):
    """What a run has in common with the others of its repository: the ``store``, and ``locks``, one file for each key.

    ``number`` is that of the run.
    """

    store: Store
    locks: Path
    number: int

    def lock(self, job: Job, digest: str) -> JobLock:
        """The lock of ``job``, whose key has ``digest``."""
        return JobLock(self, job, FileLock(self.locks / digest[:32]))

    def sources(self, run: int, names: Collection[str]) -> dict[str, int]:
        """In which run those of ``names`` passed whose files ``run`` handed on."""
        results = (record.result for record in self.store.jobs(run))
        return {result.name: result.passed_in or run for result in results if result.name in names}


class JobLock:
    """The lock of one job, with a note in its file of who has it, and of how it ended there if it failed."""

    def __init__(self, joining: Joining, job: Job, lock: FileLock) -> None:
        self._joining = joining
        self._job = job
        self._lock = lock
        self._watched: _Holder | None = None
        self._shown = 0

    def try_acquire(self) -> bool:
        """Take the lock if it is free."""
        return self._lock.try_acquire()

    def release(self) -> None:
        """Free the lock."""
        self._lock.release()

    def watch(self, tell: Callable[[JobOutput], None], started: Callable[[], None]) -> None:
        """Show what has come since the last look of the output of the job, in the run that has it."""
        holder, failed = self._note()
        if holder is None or failed:  # that note is of one who had it before
            return
        if holder != self._watched:
            self._watched, self._shown = holder, 0
        path = self._joining.store.log_path(holder.run, holder.job)
        if holder.run == self._joining.number or not path.exists():
            return
        started()
        with path.open("rb") as log:
            log.seek(self._shown)
            # a line that is not complete comes later
            data = log.read(_PIECE).rpartition(b"\n")
        self._shown += len(data[0]) + len(data[1])
        if data[1]:
            tell(JobOutput(self._job.name, tuple(data[0].decode(errors="replace").split("\n"))))

    def failure(self) -> Failure | None:
        """How the job failed in the run that was watched, if that is how it let go of the lock."""
        if self._watched is None:
            return None
        holder, failed = self._note()
        if holder is None or not failed or holder != self._watched:
            return None
        results = (record.result for record in self._joining.store.jobs(holder.run))
        result = next((result for result in results if result.name == holder.job), None)
        # there, too, a failure may be allowed; here it is for this config to say
        if result is None or result.outcome not in {Outcome.FAILED, Outcome.ALLOWED_FAILURE}:
            return None
        reason = f"{result.reason}, in run {holder.run}" if result.reason else f"failed in run {holder.run}"
        name, stage = self._job.name, self._job.stage
        return Failure(holder.run, replace(result, name=name, stage=stage, outcome=Outcome.FAILED, reason=reason))

    def claim(self) -> None:
        """Note that we have it."""
        self._write({"run": self._joining.number, "job": self._job.name})

    def tell_end(self, result: JobResult) -> None:
        """Note how the job ended, for those who wait, before it is released."""
        # a deadline is not in the key, and whatever else went wrong says nothing about the job
        if result.outcome is Outcome.FAILED:
            self._joining.store.record_job(self._joining.number, result)
            self._write({"run": self._joining.number, "job": self._job.name, "failed": True})

    def _write(self, words: dict[str, object]) -> None:
        self._lock.note(json.dumps(words).encode())

    def _note(self) -> tuple[_Holder | None, bool]:
        """Who has the lock, or had it last, and whether the job failed there; None while that is being written."""
        try:
            words = json.loads(self._lock.path.read_bytes())
            return _Holder(int(words["run"]), str(words["job"])), bool(words.get("failed"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None, False
