from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from hookci.errors import StateError
from hookci.model.memory import JobKey, NewPass
from hookci.model.record import JobRecord, RunRecord
from hookci.model.result import JobResult, Outcome, Verdict
from hookci.store.identity import ProcessIdentity, identify
from hookci.store.runs import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEAD = ProcessIdentity(os.getpid(), "another time")


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def me() -> ProcessIdentity:
    identity = identify(os.getpid())
    assert identity is not None
    return identity


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "hookci"


@pytest.fixture
def store(directory: Path, clock: Clock, me: ProcessIdentity) -> Iterator[Store]:
    with Store.open(directory, clock=clock, owner=me) as store:
        yield store


@pytest.fixture
def dead_store(store: Store, directory: Path, clock: Clock) -> Iterator[Store]:
    """The same runs, as a process writes them that has died since."""
    assert store.warnings == ()
    with Store.open(directory, clock=clock, owner=DEAD) as other:
        yield other


def begin(store: Store, label: str = "main") -> int:
    return store.begin_run(label=label, hook="pre-push", tree="a" * 40, commit="b" * 40, branch="main", skipped=())


def passed(name: str) -> JobResult:
    return JobResult(name=name, stage="test", outcome=Outcome.PASSED)


def numbers(store: Store) -> list[int]:
    return [record.number for record in store.runs(1000)]


def test_a_run_is_remembered_with_everything_that_was_said_about_it(
    store: Store, clock: Clock, me: ProcessIdentity
) -> None:
    number = store.begin_run(
        label="v1.0", hook="pre-push", tree="a" * 40, commit="b" * 40, branch=None, skipped=("unit", "lint")
    )
    clock.now += 2.5
    store.finish_run(number, Verdict.RED)

    record = store.run(number)

    assert record == RunRecord(
        number=1,
        label="v1.0",
        hook="pre-push",
        tree="a" * 40,
        commit="b" * 40,
        branch=None,
        verdict=Verdict.RED,
        started=1_000.0,
        seconds=2.5,
        pid=me.pid,
        interrupted=False,
        skipped=("unit", "lint"),
    )
    assert type(record.verdict) is Verdict


def test_a_job_is_remembered_with_every_word_of_its_result(store: Store) -> None:
    result = JobResult(
        name="unit: [1, py]",
        stage="test",
        outcome=Outcome.TIMED_OUT,
        reason="no end after 15m",
        exit_code=-9,
        command="pytest -q",
        seconds=900.25,
        attempts=2,
        log="/somewhere/logs/1/unit.log",
        hints=("run it alone", "raise `timeout`"),
    )
    run = begin(store)

    store.record_job(run, result)

    assert store.jobs(run) == [JobRecord(run=run, result=result)]
    assert type(store.jobs(run)[0].result.outcome) is Outcome


def test_names_and_output_that_are_no_valid_unicode_come_back_as_they_were(store: Store) -> None:
    odd = "caf\udce9/\ud800\0\U0001f600"
    result = JobResult(name=odd, stage=odd, outcome=Outcome.FAILED, command=odd, hints=(odd,))

    run = store.begin_run(label=odd, hook="pre-push", tree="t", commit="c", branch=odd, skipped=(odd,))
    store.record_job(run, result)

    record = store.run(run)
    assert record is not None
    assert (record.label, record.branch, record.skipped) == (odd, odd, (odd,))
    assert store.jobs(run)[0].result == result


def test_the_newest_runs_come_first_and_no_more_than_asked_for(store: Store) -> None:
    for label in ("one", "two", "three"):
        begin(store, label)

    labels = [record.label for record in store.runs(2)]

    assert labels == ["three", "two"]


def test_the_last_run_is_meant_when_no_number_is_given(store: Store) -> None:
    before = store.run(None)
    begin(store, "one")
    begin(store, "two")

    last = store.run(None)

    assert before is None
    assert last is not None
    assert last.label == "two"


def test_a_run_that_is_not_there_is_none_and_has_no_jobs(store: Store) -> None:
    assert store.run(7) is None
    assert store.jobs(7) == []


def test_nothing_is_written_about_a_run_that_is_not_there(store: Store, directory: Path) -> None:
    with pytest.raises(StateError) as of_job:
        store.record_job(7, passed("unit"))
    with pytest.raises(StateError) as of_run:
        store.finish_run(7, Verdict.GREEN)

    assert of_job.value.message == of_run.value.message == f"{directory / 'state.db'}: there is no run 7"


def test_jobs_and_passes_are_written_down_together_or_not_at_all(store: Store) -> None:
    run = begin(store)
    ended = [(passed("unit"), 0.5), (passed("lint"), 0.0)]
    passes = [NewPass(JobKey(name, f"all of {name}", ()), name, run, 0.5) for name in ("unit", "lint")]

    with pytest.raises(StateError):
        store.record_jobs(7, ended, passes)
    before = store.memory.jobs()
    store.record_jobs(run, ended, passes)

    assert before == set()
    assert [job.result for job in store.jobs(run)] == [result for result, _held in ended]
    assert store.memory.jobs() == {"unit", "lint"}
    found = store.memory.passed(passes[0].key)
    assert found is not None
    assert (found.run, found.seconds) == (run, 0.5)


def test_jobs_keep_the_order_of_their_first_result_and_the_last_result_counts(store: Store) -> None:
    run = begin(store)
    store.record_job(run, JobResult(name="build", stage="build", outcome=Outcome.FAILED))
    store.record_job(run, passed("unit"))

    store.record_job(run, passed("build"))

    assert [(job.result.name, job.result.outcome) for job in store.jobs(run)] == [
        ("build", Outcome.PASSED),
        ("unit", Outcome.PASSED),
    ]


def test_a_clock_that_was_set_back_gives_no_negative_duration(store: Store, clock: Clock) -> None:
    run = begin(store)
    clock.now -= 3600

    store.finish_run(run, Verdict.GREEN)

    record = store.run(run)
    assert record is not None
    assert record.seconds == 0.0


def test_a_run_whose_owner_lives_is_going_on(store: Store) -> None:
    record = store.run(begin(store))

    assert record is not None
    assert (record.verdict, record.seconds, record.interrupted) == (None, None, False)
    assert store.mark_interrupted() == ()


def test_a_run_whose_owner_died_is_interrupted_and_can_be_written_down_as_such(store: Store, dead_store: Store) -> None:
    died, goes_on, ended = begin(dead_store), begin(store), begin(dead_store)
    dead_store.finish_run(ended, Verdict.GREEN)

    seen = {record.number: (record.verdict, record.interrupted) for record in store.runs(10)}
    marked = store.mark_interrupted()
    seen_then = {record.number: (record.verdict, record.interrupted) for record in store.runs(10)}

    assert seen == {died: (None, True), goes_on: (None, False), ended: (Verdict.GREEN, False)}
    assert marked == (died,)
    assert seen_then == seen | {died: (Verdict.INTERRUPTED, True)}
    assert store.mark_interrupted() == ()


def test_the_oldest_runs_go_with_their_logs_and_their_jobs(store: Store) -> None:
    runs = [begin(store) for _ in range(5)]
    for run in runs:
        store.record_job(run, passed("unit"))
        store.open_log(run, "unit").close()
        store.finish_run(run, Verdict.GREEN)

    gone = store.prune(keep=2)

    assert gone == (1, 2, 3)
    assert numbers(store) == [5, 4]
    assert [store.log_path(run, "unit").parent.exists() for run in runs] == [False, False, False, True, True]
    assert [len(store.jobs(run)) for run in runs] == [0, 0, 0, 1, 1]


def test_a_few_runs_too_many_stay_until_there_are_more(store: Store) -> None:
    for _ in range(4):
        store.finish_run(begin(store), Verdict.GREEN)

    too_few = store.prune(keep=2, beyond=2)
    store.finish_run(begin(store), Verdict.GREEN)
    enough = store.prune(keep=2, beyond=2)

    assert too_few == ()
    assert enough == (1, 2, 3)
    assert numbers(store) == [5, 4]


def test_a_run_that_is_going_on_is_never_pruned_but_an_interrupted_one_is(store: Store, dead_store: Store) -> None:
    goes_on = begin(store)
    begin(dead_store)
    store.open_log(goes_on, "unit").close()

    gone = store.prune(keep=0)

    assert gone == (2,)
    assert numbers(store) == [goes_on]
    assert store.log_path(goes_on, "unit").exists()


def test_the_number_of_a_pruned_run_is_not_given_again(store: Store) -> None:
    store.finish_run(begin(store), Verdict.GREEN)
    store.prune(keep=0)

    number = begin(store)

    assert number == 2


def test_pruning_follows_no_symlink(store: Store, directory: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("precious")
    first, second = begin(store), begin(store)
    (directory / "logs" / str(first)).rmdir()
    (directory / "logs" / str(first)).symlink_to(victim)
    (directory / "logs" / str(second) / "below").symlink_to(victim)
    for run in (first, second):
        store.finish_run(run, Verdict.GREEN)

    gone = store.prune(keep=0)

    assert gone == (first, second)
    assert list((directory / "logs").iterdir()) == []
    assert (victim / "precious").read_text() == "precious"


def test_pruning_refuses_symlinked_logs(store: Store, directory: Path, tmp_path: Path) -> None:
    store.finish_run(begin(store), Verdict.GREEN)
    (directory / "logs").rename(tmp_path / "victim")
    (directory / "logs").symlink_to(tmp_path / "victim")

    with pytest.raises(StateError, match="logs is a symlink"):
        store.prune(keep=0)

    assert (tmp_path / "victim" / "1").is_dir()
    assert numbers(store) == [1]


def test_runs_go_on_after_the_logs_of_a_database_that_broke(directory: Path, clock: Clock, me: ProcessIdentity) -> None:
    with Store.open(directory, clock=clock, owner=me) as store:
        for _ in range(3):
            begin(store)
    (directory / "state.db").write_text("garbage" * 1000)

    with Store.open(directory, clock=clock, owner=me) as store:
        warnings, number = store.warnings, begin(store)
        store.finish_run(number, Verdict.GREEN)
        gone = store.prune(keep=0)

    assert len(warnings) == 1
    assert number == 4
    assert gone == (1, 2, 3, 4)
    assert list((directory / "logs").iterdir()) == []


def test_a_log_is_private_and_grows_at_its_end(store: Store, directory: Path) -> None:
    run = begin(store)

    for line in (b"one\n", b"two\n"):
        with store.open_log(run, "build/all") as log:
            log.write(line)

    path = store.log_path(run, "build/all")
    assert path.parent == directory / "logs" / str(run)
    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert {parent.stat().st_mode & 0o777 for parent in (path.parent, directory / "logs", directory)} == {0o700}


def test_a_run_that_cannot_have_logs_is_not_begun(store: Store, directory: Path, tmp_path: Path) -> None:
    (directory / "logs").symlink_to(tmp_path)

    with pytest.raises(StateError, match="logs is a symlink"):
        begin(store)

    assert store.runs(10) == []


def test_a_symlinked_state_directory_is_refused_and_its_target_untouched(
    directory: Path, tmp_path: Path, clock: Clock, me: ProcessIdentity
) -> None:
    (tmp_path / "victim").mkdir()
    directory.symlink_to(tmp_path / "victim")

    with pytest.raises(StateError, match="hookci is a symlink"):
        Store.open(directory, clock=clock, owner=me)

    assert list((tmp_path / "victim").iterdir()) == []


def test_threads_of_one_process_record_side_by_side_and_lose_nothing(store: Store) -> None:
    run = begin(store)
    names = [[f"job {thread}-{number}" for number in range(25)] for thread in range(8)]

    def record(mine: list[str]) -> None:
        for name in mine:
            store.record_job(run, passed(name))
            store.jobs(run)

    threads = [threading.Thread(target=record, args=(mine,)) for mine in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {job.result.name for job in store.jobs(run)} == {name for mine in names for name in mine}
    assert len(store.jobs(run)) == 200
