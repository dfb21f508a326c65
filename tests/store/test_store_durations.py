from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from hookci.model.result import JobResult, Outcome, Verdict
from hookci.store.identity import ProcessIdentity
from hookci.store.runs import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "hookci"


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    with Store.open(directory, clock=lambda: 1000.0, owner=ProcessIdentity(1, "then")) as store:
        yield store


def begin(store: Store) -> int:
    return store.begin_run(label="main", hook="pre-push", tree="t", commit="c", branch=None, skipped=())


def note(store: Store, name: str, *held: float, outcome: Outcome = Outcome.PASSED) -> None:
    for seconds in held:
        run = begin(store)
        store.record_job(run, JobResult(name=name, stage="test", outcome=outcome), seconds)
        store.finish_run(run, Verdict.GREEN)


@pytest.mark.parametrize(
    ("held", "usual"),
    [
        ((7.5,), 7.5),
        ((60.0, 7.0), 7.0),
        ((9.0, 1.0, 5.0), 5.0),
        ((100.0, 100.0, 100.0, 1.0, 2.0, 3.0, 4.0, 5.0), 3.0),
    ],
    ids=["the only one", "of two the smaller", "the median", "of the last five"],
)
def test_what_a_job_usually_takes_is_the_median_of_its_last_runs(
    store: Store, held: tuple[float, ...], usual: float
) -> None:
    note(store, "unit", *held)

    assert store.durations(["unit", "other"]) == {"unit": usual}


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CANCELLED, Outcome.REMEMBERED])
def test_a_job_that_did_not_come_to_its_end_says_nothing_of_how_long_it_takes(store: Store, outcome: Outcome) -> None:
    note(store, "unit", 2.0, outcome=outcome)

    assert store.durations(["unit"]) == {}


def test_a_failure_that_is_allowed_came_to_its_end(store: Store) -> None:
    note(store, "unit", 2.0, outcome=Outcome.ALLOWED_FAILURE)

    assert store.durations(["unit"]) == {"unit": 2.0}


def test_any_name_of_a_job_is_found_again(store: Store) -> None:
    names = ["unit: [1, py]", "ü", 'a"b', "a\udcff"]
    for number, name in enumerate(names, 1):
        note(store, name, float(number))

    assert store.durations(names) == {name: float(number) for number, name in enumerate(names, 1)}


@pytest.mark.parametrize("torn", ["", "[", "7", '["a"]', "{}", "[-1]", "null"])
def test_a_row_that_is_none_is_as_good_as_not_there_and_is_made_anew(store: Store, directory: Path, torn: str) -> None:
    note(store, "unit", 2.0)
    with sqlite3.connect(directory / "state.db") as connection:
        connection.execute("UPDATE durations SET seconds = ?", (torn,))

    before = store.durations(["unit"])
    note(store, "unit", 3.0)

    assert before == {}
    assert store.durations(["unit"]) == {"unit": 3.0}


def test_durations_outlive_the_runs_they_come_from(store: Store) -> None:
    note(store, "unit", 2.0)
    for _ in range(3):
        store.finish_run(begin(store), Verdict.GREEN)

    gone = store.prune(keep=1)

    assert gone
    assert store.durations(["unit"]) == {"unit": 2.0}


def test_what_jobs_took_is_written_down_with_the_verdict_of_their_run(store: Store) -> None:
    run = begin(store)
    store.record_job(run, JobResult(name="unit", stage="test", outcome=Outcome.PASSED), 2.0)

    before = store.durations(["unit"])
    store.finish_run(run, Verdict.GREEN)

    assert before == {}
    assert store.durations(["unit"]) == {"unit": 2.0}
