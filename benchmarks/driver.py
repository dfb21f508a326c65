"""Does with hookci's own rooms what no command does alone; started by `benchmarks.driven` with hookci's Python.

Reads a JSON object from each line of its standard input and answers with one; see `main`.
"""

from __future__ import annotations

import functools
import json
import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from hookci.execute.schedule import Interrupts, RunSettings, run_plan
from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch
from hookci.model.pipeline import Job, When
from hookci.model.plan import Action, Plan, PlannedJob
from hookci.model.result import JobResult, Outcome, Verdict
from hookci.model.snapshot import Snapshot
from hookci.proc.supervise import Supervised, supervise
from hookci.proc.tree import adopt_orphans
from hookci.scan.bandit.findings import is_test_file
from hookci.workspace.checkout import Source
from hookci.workspace.kinds import decide
from hookci.workspace.slot import Wanted
from hookci.workspace.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookci.execute.cancel import JobCancel
    from hookci.model.event import JobOutput
    from hookci.workspace.slot import Slot

_PARALLEL = 2
_UMASK = 0o022


def main() -> None:
    """Answer until the standard input ends; ``ms`` is how long it took, in milliseconds."""
    os.umask(_UMASK)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = _ANSWERS[asked.pop("do")](**asked)
        print(json.dumps(answer), flush=True)


# -- workspaces


def workspaces(
    *, repository: str, tree: str, commit: str, held: int, at_once: int, setting: str | None
) -> dict[str, Any]:
    """Have so many clean workspaces of ``tree`` at once, after so many others that stay meanwhile.

    ``back`` is what it takes to give them back, ``kind`` what they are.
    """
    cache = Path(f"{repository}.workspaces-{setting}")
    found = Repository.discover(Path(repository), dict(os.environ))
    source = Source.of(found, Scratch(cache / "scratch"), workers=os.cpu_count() or 1, umask=_UMASK)
    kind = decide(setting)[0]
    slots = Slots(cache / "slots", "project", kind, sys.executable)
    wanted = Wanted(tree=tree, commit=commit, whole=tree, local=True)
    taken: list[Slot] = []

    def take(number: int) -> None:
        slot = slots.acquire(f"job{number}")
        slot.prepare(source, wanted, _quiet)
        taken.append(slot)

    for number in range(held):
        take(number)
    milliseconds = _timed_together([functools.partial(take, held + number) for number in range(at_once)])
    if len(taken) != held + at_once:
        raise RuntimeError("a workspace could not be made")

    def give_back() -> None:
        for slot in taken:
            slot.release()
        slots.close()

    return {"ms": milliseconds, "back": _timed_together([give_back]), "kind": kind.value}


def _timed_together(actions: list[Callable[[], None]]) -> float:
    """How long it takes until all are done, each in a thread of its own if there are several."""
    threads = [threading.Thread(target=action) for action in actions[1:]]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    actions[0]()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - begun) * 1000


def _quiet(_line: str) -> None:
    """Nothing is said."""


# -- jobs


class _Bare:
    """Runs a program for each job, in a session of its own and with a log, and in no workspace."""

    def __init__(self, place: Path, program: str | None) -> None:
        self._program = program
        self._logs = place
        self._environment = dict(os.environ)
        self._places: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(_PARALLEL):
            # what a job leaves running is looked for in its directory
            (place / str(number)).mkdir()
            self._places.put(place / str(number))

    def run(
        self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
    ) -> JobResult:
        """One job to its end; with no program it is over at once."""
        del tell
        code = 0
        if self._program:
            place = self._places.get()
            what = _job(self._program, place, self._environment)
            with (self._logs / f"{planned.job.name}.log").open("wb") as log:
                code = supervise(what, _into(log), cancel.soft, started).returncode
            self._places.put(place)
        outcome = Outcome.FAILED if code else Outcome.PASSED
        return JobResult(name=planned.job.name, stage="test", outcome=outcome, exit_code=code)


def _job(program: str, place: Path, environment: dict[str, str]) -> Supervised:
    token = os.urandom(8).hex()
    env = {**environment, "HOOKCI_JOB_TOKEN": token}
    return Supervised(argv=[program], cwd=str(place), env=env, timeout=60.0, token=token, directory=str(place))


def _into(log: BinaryIO) -> Callable[[bytes], None]:
    def sink(data: bytes) -> None:
        log.write(data)

    return sink


def jobs(*, place: str, count: int, program: str | None) -> dict[str, Any]:
    """Run so many jobs of one program with the scheduler, two at a time."""
    adopt_orphans()  # as every run of hookci does
    where = Path(place)
    planned = {
        name: PlannedJob(
            job=Job(name=name, group=name, stage="test", script=("true",)),
            action=Action.RUN,
            reason="asked for",
            when=When.ON_SUCCESS,
        )
        for name in (f"job{number}" for number in range(count))
    }
    snapshot = Snapshot(tree="t", commit="c", source="commit", label="main", facts={})
    plan = Plan(snapshot=snapshot, hook="pre-push", stages=("test",), jobs=planned)
    settings = RunSettings(parallel=_PARALLEL, keep_going=False, locks=where)
    begun = time.perf_counter()
    result = run_plan(plan, 1, _Bare(where, program), settings, lambda _event: None, Interrupts())
    milliseconds = (time.perf_counter() - begun) * 1000
    if result.verdict is not Verdict.GREEN:
        raise RuntimeError(f"the jobs ended {result.verdict.value}: {result.jobs[0].reason}")
    return {"ms": milliseconds}


def processes(*, count: int, program: str) -> dict[str, Any]:
    """Start so many processes from Python, two at a time, and do nothing else."""
    begun, running = time.perf_counter(), 0
    for _ in range(count):
        if running == _PARALLEL:
            os.wait()
            running -= 1
        os.posix_spawn(program, [program], os.environ)
        running += 1
    for _ in range(running):
        os.wait()
    return {"ms": (time.perf_counter() - begun) * 1000}


def tests(*, paths: list[str]) -> dict[str, Any]:
    """Those of some paths that are tests to a scan of code."""
    return {"paths": [path for path in paths if is_test_file(path)]}


_ANSWERS: dict[str, Callable[..., dict[str, Any]]] = {
    "workspaces": workspaces,
    "jobs": jobs,
    "processes": processes,
    "tests": tests,
}

if __name__ == "__main__":
    main()
