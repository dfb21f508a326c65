"""An executor that runs nothing twice: it asks the memory once more, and writes down what passed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookci.model.result import JobResult, Outcome
from hookci.store.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from pathlib import Path

    from hookci.execute.cancel import JobCancel
    from hookci.execute.schedule import Executor
    from hookci.model.event import JobOutput
    from hookci.model.memory import JobKey, Pass
    from hookci.model.plan import PlannedJob
    from hookci.store.memory import Memory

__all__ = ["RememberingExecutor"]

_POLL = 0.05


@dataclass(frozen=True, slots=True)
class RememberingExecutor:
    """Runs a job under a lock of its key, so that two runs that want the same job do it once.

    ``find`` looks for a pass that may answer instead; a pass is written down in any case.  ``passed_in``
    learns which run a job's files come from when it is another one.  ``outcomes`` begins with the jobs
    the plan recalls and learns the rest: a pass answers only for a job whose needed jobs were recalled too,
    and is written down only if they passed.  ``key_of`` tells under which key, once a job has run: None for none.
    Unless they ``share``, runs do not wait for each other.
    """

    inner: Executor
    memory: Memory
    keys: Mapping[str, JobKey]
    locks: Path
    run_number: int
    find: Callable[[PlannedJob, JobKey], Pass | None]
    passed_in: MutableMapping[str, int]
    outcomes: MutableMapping[str, Outcome]
    share: bool
    key_of: Callable[[str], JobKey | None]

    def run(
        self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
    ) -> JobResult:
        """Run one attempt, or take the pass that another run has reached meanwhile."""
        job, key = planned.job, self.keys[planned.job.name]
        if not job.memory:
            result = self.inner.run(planned, cancel, tell, started)
            self.outcomes[job.name] = result.outcome
            return result
        lock = FileLock(self.locks / key.digest[:32])
        while self.share and not lock.try_acquire():
            if cancel.soft.reason is not None:
                return JobResult(name=job.name, stage=job.stage, outcome=Outcome.CANCELLED, reason=cancel.soft.reason)
            time.sleep(_POLL)
        try:
            # whoever held the lock may have passed it
            found = self.find(planned, key) if self._needed(planned) <= {Outcome.REMEMBERED} else None
            if found is not None:
                self.passed_in[job.name] = found.run
                self.outcomes[job.name] = Outcome.REMEMBERED
                reason = f"passed in run {found.run}"
                passed = Outcome.REMEMBERED
                return JobResult(name=job.name, stage=job.stage, outcome=passed, reason=reason, passed_in=found.run)
            result = self.inner.run(planned, cancel, tell, started)
            self.outcomes[job.name] = result.outcome
            self._write_down(planned, result)
            return result
        finally:
            lock.release()

    def _write_down(self, planned: PlannedJob, result: JobResult) -> None:
        key = self.key_of(planned.job.name)
        if key is None:
            return
        if result.outcome is Outcome.PASSED and self._needed(planned) <= {Outcome.PASSED, Outcome.REMEMBERED}:
            self.memory.remember_pass(key, planned.job.name, self.run_number, result.seconds, result.holds_until)
        elif result.outcome in {Outcome.FAILED, Outcome.TIMED_OUT}:
            self.memory.disown(key)

    def _needed(self, planned: PlannedJob) -> set[Outcome | None]:
        """How the jobs ended that ``planned`` depends on; None stands for one that did not run."""
        return {self.outcomes.get(name) for name in planned.depends_on}
