"""Plans no config would be written for, and an executor whose jobs take no time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.config.load import parse
from hookci.config.surroundings import Surroundings
from hookci.errors import HookciError
from hookci.execute.schedule import Interrupts, RunSettings, run_plan
from hookci.model.event import JobFinished, JobOutput, JobStarted
from hookci.model.pipeline import Job, Need, When
from hookci.model.plan import Action, Plan, PlannedJob
from hookci.model.result import JobResult, Outcome
from hookci.model.snapshot import Snapshot
from hookci.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hookci.execute.cancel import JobCancel
    from hookci.model.event import Event
    from hookci.model.result import RunResult

SNAPSHOT = Snapshot(tree="t", commit="c", source="commit", label="main", facts={})


def planned(name: str, after: tuple[str, ...] = (), **more: object) -> PlannedJob:
    action, when = more.pop("action", Action.RUN), more.pop("when", When.ON_SUCCESS)
    assert isinstance(action, Action)
    assert isinstance(when, When)
    needs = tuple(Need(other) for other in after)
    job = Job(name=name, group=name, stage="test", script=("true",), needs=needs, **more)  # type: ignore[arg-type]  # whatever a job has
    return PlannedJob(job=job, action=action, reason="asked for", when=when, after=after)


def plan_of(*jobs: PlannedJob) -> Plan:
    return Plan(snapshot=SNAPSHOT, hook="pre-push", stages=("test",), jobs={job.job.name: job for job in jobs})


@dataclass
class Bench:
    """An executor whose jobs end as they are told to, and a record of what happened."""

    endings: Mapping[str, Outcome] = field(default_factory=dict)
    seconds: float = 0.0
    now: set[str] = field(default_factory=set)
    most: int = 0
    begun: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
    ) -> JobResult:
        name = planned.job.name
        with self.lock:
            self.now.add(name)
            self.begun.append(name)
            self.most = max(self.most, len(self.now))
        started()
        tell(JobOutput(name, ("out",)))
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline and cancel.soft.reason is None:
            time.sleep(0.005)
        with self.lock:
            self.now.discard(name)
        ending, reason = self.endings.get(name, Outcome.PASSED), cancel.soft.reason or ""
        if reason:
            ending = Outcome.CANCELLED
        if ending is Outcome.ERRORED:
            raise HookciError("it broke")
        code = int(ending is Outcome.FAILED)
        return JobResult(name=name, stage="test", outcome=ending, exit_code=code, reason=reason)

    def over(self) -> set[str]:
        return _over(self.events)

    def over_before(self, name: str) -> set[str]:
        """The jobs of which the end was told before the start of ``name``."""
        started = (at for at, event in enumerate(self.events) if isinstance(event, JobStarted) and event.job == name)
        return _over(self.events[: next(started)])

    def go(
        self,
        plan: Plan,
        place: Path,
        *,
        parallel: int = 2,
        keep_going: bool = False,
        cores: int = 0,
        durations: Mapping[str, float] | None = None,
    ) -> RunResult:
        settings = RunSettings(parallel, keep_going, place, cores, durations or {})
        return run_plan(plan, 1, self, settings, self.events.append, Interrupts())


def _over(events: Sequence[Event]) -> set[str]:
    return {event.result.name for event in events if isinstance(event, JobFinished)}


def gitlab_plan(text: str, *, asked: tuple[str, ...] = (), files: Mapping[str, str] | None = None) -> Plan:
    """The plan of a ``.gitlab-ci.yml`` on main, all of it or what is asked for; ``files`` stand beside it."""
    files = files or {}
    contents = {
        ".gitlab-ci.yml": dedent(text).encode(),
        **{f"{name}.yml": dedent(files[name]).encode() for name in files},
    }
    facts = {"CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_NAME": "main", "CI_PIPELINE_SOURCE": "push"}
    around = Surroundings(
        read=contents.get,
        paths=lambda: contents,
        facts=lambda: facts,
        changed=lambda: None,
        fetched=lambda _address: None,
    )
    pipeline = parse({".gitlab-ci.yml": contents[".gitlab-ci.yml"]}, around)
    assert pipeline is not None
    snapshot = replace(SNAPSHOT, branch="main", facts=facts)
    return make_plan(pipeline, snapshot, hook="pre-push", asked=asked or pipeline.stages, paths=lambda: contents)


def endings_of(result: RunResult) -> dict[str, str]:
    """How each job ended, in a word."""
    return {job.name: job.outcome.value for job in result.jobs}
