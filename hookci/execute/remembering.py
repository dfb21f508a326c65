"""An executor that runs nothing twice: it asks the memory once more, and writes down what passed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.memory import NewPass
from hookci.model.result import JobResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from hookci.execute.cancel import JobCancel
    from hookci.execute.joining import JobLock, Joining
    from hookci.execute.schedule import Executor
    from hookci.model.event import JobOutput
    from hookci.model.memory import JobKey, Pass
    from hookci.model.plan import PlannedJob
    from hookci.store.memory import Memory

__all__ = ["RememberingExecutor"]

_POLL = 0.05


class RememberingExecutor(Struct, frozen=True):
    """Runs a job under a lock of its key, so that two runs that want the same job do it once.

    ``joining`` has the locks, and shows meanwhile what comes of the job in the other run.  ``find`` looks for a pass
    that may answer instead; a pass is given to ``keep`` in any case, before the lock is let go.  ``passed_in`` learns
    which run a job's files come from when it is another one.  ``outcomes`` begins with the jobs the plan recalls and
    learns the rest: a pass answers only for a job whose needed jobs were recalled too, or handed on the very same files
    there, and is kept only if they passed.  ``key_of`` tells under which key, once a job has run: None for none.
    Unless they ``share``, runs do not wait for each other.
    """

    inner: Executor
    memory: Memory
    keys: Mapping[str, JobKey]
    joining: Joining
    find: Callable[[PlannedJob, JobKey], Pass | None]
    passed_in: MutableMapping[str, int]
    outcomes: MutableMapping[str, Outcome]
    share: bool
    key_of: Callable[[str], JobKey | None]
    keep: Callable[[NewPass], None]

    def run(
        self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
    ) -> JobResult:
        """Run one attempt, or take the pass that another run has reached meanwhile."""
        job, key = planned.job, self.keys[planned.job.name]
        if not job.memory:
            result = self.inner.run(planned, cancel, tell, started)
            self.outcomes[job.name] = result.outcome
            return result
        if not self.share:
            return self._run(planned, cancel, tell, started)
        lock = self.joining.lock(job, key.digest)
        while not lock.try_acquire():
            if cancel.soft.reason is not None:
                reason = cancel.soft.reason
                return JobResult(name=job.name, stage=job.stage, outcome=Outcome.CANCELLED, reason=reason)
            lock.watch(tell, started)
            time.sleep(_POLL)
        try:
            # whoever held the lock may have passed it, or failed before our eyes
            answer = self._recalled(planned, key) or self._failed(planned, lock)
            if answer is not None:
                return answer
            lock.claim()
            result = self._run(planned, cancel, tell, started)
            lock.tell_end(result)
            return result
        finally:
            lock.release()

    def _run(
        self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
    ) -> JobResult:
        result = self.inner.run(planned, cancel, tell, started)
        self.outcomes[planned.job.name] = result.outcome
        self._write_down(planned, result)
        return result

    def _recalled(self, planned: PlannedJob, key: JobKey) -> JobResult | None:
        job, found = planned.job, self.find(planned, key)
        if found is None or not self._is_about_us(planned, found.run):
            return None
        self.passed_in[job.name] = found.run
        self.outcomes[job.name] = passed = Outcome.REMEMBERED
        reason = f"passed in run {found.run}"
        return JobResult(name=job.name, stage=job.stage, outcome=passed, reason=reason, passed_in=found.run)

    def _failed(self, planned: PlannedJob, lock: JobLock) -> JobResult | None:
        failed = lock.failure()
        if failed is None or not self._is_about_us(planned, failed.run):
            return None
        self.outcomes[planned.job.name] = failed.result.outcome
        return failed.result

    def _is_about_us(self, planned: PlannedJob, run: int) -> bool:
        """Whether a result of ``run`` came of what ``planned`` would be handed here: nothing, or the same files."""
        needed = self._needed(planned)
        if needed <= {Outcome.REMEMBERED}:
            return True
        here = {name: self.passed_in.get(name, self.joining.number) for name in planned.depends_on}
        return needed <= {Outcome.REMEMBERED, Outcome.PASSED} and self.joining.sources(run, here) == here

    def _write_down(self, planned: PlannedJob, result: JobResult) -> None:
        key = self.key_of(planned.job.name)
        if key is None:
            return
        if result.outcome is Outcome.PASSED and self._needed(planned) <= {Outcome.PASSED, Outcome.REMEMBERED}:
            job, run = planned.job.name, self.joining.number
            self.keep(NewPass(key, job, run, result.seconds, result.holds_until))
        elif result.outcome in {Outcome.FAILED, Outcome.TIMED_OUT}:
            self.memory.disown(key)

    def _needed(self, planned: PlannedJob) -> set[Outcome | None]:
        """How the jobs ended that ``planned`` depends on; None stands for one that did not run."""
        return {self.outcomes.get(name) for name in planned.depends_on}
