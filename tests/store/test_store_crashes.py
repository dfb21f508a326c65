from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from conftest import stress

from hookci.model.result import Verdict
from hookci.store.identity import identify
from hookci.store.runs import Store

if TYPE_CHECKING:
    from pathlib import Path

PRELUDE = """
import os, sys, time
from pathlib import Path
from hookci.model.result import JobResult, Outcome, Verdict
from hookci.store.identity import identify
from hookci.store.runs import Store

def open_store():
    return Store.open(Path(sys.argv[1]), clock=time.time, owner=identify(os.getpid()))

def begin(store):
    return store.begin_run(label="x", hook="pre-push", tree="t", commit="c", branch=None, skipped=())
"""
WRITE = f"""{PRELUDE}
# each line is printed after its commit, so whatever the parent reads has to be there
with open_store() as store:
    print("opened", flush=True)
    while True:
        run = begin(store)
        print("begun", run, flush=True)
        for name in ("build", "unit"):
            store.record_job(run, JobResult(name=name, stage="test", outcome=Outcome.PASSED))
            print("job", run, name, flush=True)
        store.finish_run(run, Verdict.GREEN)
        print("finished", run, flush=True)
        store.prune(5)
"""
BEGIN = f"""{PRELUDE}
print("ready", flush=True)
sys.stdin.readline()
with open_store() as store:
    print(*store.warnings, *(begin(store) for _ in range(5)))
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "hookci"


def start(script: str, directory: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-I", "-c", script, str(directory)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def at_once(script: str, directory: Path, count: int) -> list[str]:
    """What ``count`` processes say that are let go together, each of which has to end well."""
    processes = [start(script, directory) for _ in range(count)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * count
    return answers


def killed_after(seconds: float, directory: Path, *, opened: bool) -> list[list[str]]:
    """What a writer said it had committed before it was killed ``seconds`` after its start or its open."""
    with start(WRITE, directory) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline()] if opened else []
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.read().splitlines()
    return [line.split() for line in said]


def reopen(directory: Path) -> Store:
    me = identify(os.getpid())
    assert me is not None
    directory.parent.mkdir(exist_ok=True)
    return Store.open(directory, clock=time.time, owner=me)


def assert_holds(store: Store, said: list[list[str]]) -> None:
    """Everything that was said to be committed is there, if it was not pruned."""
    kept = {record.number: record for record in store.runs(1000)}
    oldest = min(kept, default=0)
    for what, *rest in said:
        if what == "opened" or int(rest[0]) < oldest:
            continue
        run = int(rest[0])
        assert run in kept
        if what == "job":
            assert rest[1] in {job.result.name for job in store.jobs(run)}
        if what == "finished":
            assert kept[run].verdict is Verdict.GREEN
    assert not any(record.verdict is None and not record.interrupted for record in kept.values())


def test_after_a_kill_during_writes_the_next_open_holds_every_committed_row(directory: Path) -> None:
    rng = random.Random(20)
    warnings: list[str] = []
    committed = 0

    for _ in range(stress(10)):
        said = killed_after(rng.uniform(0, 0.05), directory, opened=True)
        with reopen(directory) as store:
            warnings += store.warnings
            assert_holds(store, said)
            store.mark_interrupted()
        committed += len(said) - 1

    with closing(sqlite3.connect(directory / "state.db")) as connection:
        whole = connection.execute("PRAGMA integrity_check").fetchall()
    assert warnings == []
    assert committed > 0
    assert whole == [("ok",)]


def test_after_a_kill_during_the_first_open_the_next_open_works(tmp_path: Path) -> None:
    rng = random.Random(21)
    warnings: list[str] = []

    for attempt in range(stress(10)):
        directory = tmp_path / f"{attempt}" / "hookci"
        directory.parent.mkdir()
        said = killed_after(rng.uniform(0.05, 0.15), directory, opened=False)
        with reopen(directory) as store:
            warnings += store.warnings
            assert_holds(store, said)

    assert warnings == []


def test_a_killed_run_is_interrupted_in_the_eyes_of_the_next_process(directory: Path) -> None:
    killed_after(0.02, directory, opened=True)

    with reopen(directory) as store:
        unfinished = [record for record in store.runs(1000) if record.verdict is None]
        marked = store.mark_interrupted()

    assert all(record.interrupted for record in unfinished)
    assert set(marked) == {record.number for record in unfinished}


def test_processes_that_begin_runs_at_once_get_numbers_of_their_own(directory: Path) -> None:
    rounds = stress(2)
    answers: list[list[int]] = []

    for _ in range(rounds):
        answers += [[int(word) for word in answer.split()] for answer in at_once(BEGIN, directory, 8)]

    numbers = [number for answer in answers for number in answer]
    assert sorted(numbers) == list(range(1, rounds * 40 + 1))
    assert all(answer == sorted(answer) for answer in answers)


def test_processes_that_find_a_broken_database_at_once_set_it_aside_once(directory: Path) -> None:
    directory.mkdir(mode=0o700)
    (directory / "state.db").write_text("garbage" * 1000)

    answers = at_once(BEGIN, directory, 6)

    with reopen(directory) as store:
        count = len(store.runs(1000))
    assert sum("was broken" in answer for answer in answers) == 1
    assert sorted(path.name for path in directory.glob("*broken*")) == ["state.db.broken-1"]
    assert count == 30
