"""What the store keeps of test reports."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from hookci.model.record import JobRecord
from hookci.model.result import JobResult, Outcome
from hookci.model.testreport import FailedTest, ReportedTests
from hookci.store.identity import ProcessIdentity
from hookci.store.runs import Store

if TYPE_CHECKING:
    from pathlib import Path

TESTS = ReportedTests(total=3, failed=1, skipped=1, failing=(FailedTest("caf\udce9::x", "no"),))
RESULT = JobResult(name="unit", stage="test", outcome=Outcome.FAILED, tests=TESTS)


def open_store(directory: Path) -> Store:
    return Store.open(directory, clock=lambda: 5.0, owner=ProcessIdentity(1, "unknown"))


def begin(store: Store) -> int:
    return store.begin_run(label="main", hook="pre-push", tree="a" * 40, commit="b" * 40, branch=None, skipped=())


def test_what_reports_say_is_kept(tmp_path: Path) -> None:
    with open_store(tmp_path / "state") as store:
        run = begin(store)
        store.record_job(run, RESULT)

    with open_store(tmp_path / "state") as store:
        assert store.jobs(run) == [JobRecord(run=run, result=RESULT)]


def test_a_row_from_before_there_were_reports_has_none(tmp_path: Path) -> None:
    with open_store(tmp_path / "state") as store:
        run = begin(store)
        store.record_job(run, RESULT)
    with closing(sqlite3.connect(tmp_path / "state" / "state.db")) as connection, connection:
        (text,) = connection.execute("SELECT result FROM jobs").fetchone()
        fields = json.loads(text)
        del fields["tests"]
        connection.execute("UPDATE jobs SET result = ?", (json.dumps(fields),))

    with open_store(tmp_path / "state") as store:
        (row,) = store.jobs(run)

    assert (row.result.name, row.result.tests) == ("unit", None)
