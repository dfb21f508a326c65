"""What is remembered of runs: their rows, their jobs' results and their logs."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import to_builtins
from msgspec.structs import replace

from hookci.errors import StateError
from hookci.model.record import JobRecord, RunRecord
from hookci.model.result import JobResult, Outcome, Verdict
from hookci.model.snapshot import Snapshot
from hookci.store.database import Opened, close_database, open_database, telling, transaction
from hookci.store.durations import ALL_DURATIONS, note_durations, prune_durations, tells_duration, usual_durations
from hookci.store.green import GreenRecords
from hookci.store.identity import ProcessIdentity, is_alive
from hookci.store.logs import Logs
from hookci.store.memory import Memory
from hookci.store.private import private_directory
from hookci.store.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Any, BinaryIO, Self

    from hookci.model.finding import ScanReport
    from hookci.model.memory import NewPass
    from hookci.model.plan import Plan
    from hookci.model.testreport import ReportedTests

__all__ = ["Store"]

_RUN = "SELECT number, started, seconds, verdict, pid, start, words, belongs_to FROM runs"


class Store:
    """The runs of one repository; several processes, and several threads of each, may write at once.

    Every method raises StateError when the database cannot be read or written.

    Attributes:
        memory: what is remembered of passes and verdicts.
        warnings: what a person has to be told about how the store was opened.
    """

    def __init__(self, directory: Path, opened: Opened, clock: Callable[[], float], owner: ProcessIdentity) -> None:
        self.warnings = opened.warnings
        self._path = directory / "state.db"
        self._connection = opened.connection
        self._lock = threading.Lock()
        self._logs = Logs(directory)
        self._clock = clock
        self._owner = owner
        self._held: dict[str, float] = {}
        self.memory = Memory(self._rows, self._writing, clock, GreenRecords(directory))

    @classmethod
    def open(cls, directory: Path, *, clock: Callable[[], float], owner: ProcessIdentity) -> Self:
        """Open the store in ``directory``, made when it is missing.

        Args:
            directory: ``hookci`` in the git common directory.
            clock: unix seconds.
            owner: the process that will own the runs begun here.

        Raises:
            StateError: something there is not private, was made by a newer hookci or cannot be used.
        """
        private_directory(directory)
        return cls(directory, open_database(directory / "state.db", MIGRATIONS), clock, owner)

    def close(self) -> None:
        """Let go of the database; runs without a verdict stay as they are."""
        with self._lock:
            self._logs.close()
            close_database(self._path, self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin_run(
        self, *, label: str, hook: str, tree: str, commit: str, branch: str | None, skipped: tuple[str, ...]
    ) -> int:
        """Write down that a run of the owner begins, and make the directory of its logs.

        Returns:
            Its number: higher than every number before, also those of runs that were pruned.
        """
        words = {"label": label, "hook": hook, "tree": tree, "commit": commit, "branch": branch, "skipped": skipped}
        row = (self._clock(), self._owner.pid, self._owner.start, json.dumps(words))
        insert = "INSERT INTO runs (number, started, pid, start, words) VALUES (?, ?, ?, ?, ?)"
        with self._writing() as connection:
            number = connection.execute(insert, (self._first_number(connection), *row)).lastrowid
            if number is None:  # pragma: no cover -- SQLite sets it on every insert
                raise StateError(f"{self._path}: the run got no number")
            self._logs.prepare(number)
        return number

    def keep_plan(self, run: int, plan: Plan) -> None:
        """Write down what ``run`` judges, and which run it goes on with."""
        snapshot = json.dumps(to_builtins(plan.snapshot))
        update = "UPDATE runs SET snapshot = ?, belongs_to = ? WHERE number = ?"
        with self._writing() as connection:
            connection.execute(update, (snapshot, plan.belongs_to, run))

    def snapshot(self, run: int) -> Snapshot | None:
        """What ``run`` judged; None when it was made by an older hookci."""
        rows = self._rows("SELECT snapshot FROM runs WHERE number = ?", run)
        if not rows or not rows[0][0]:
            return None
        words = json.loads(rows[0][0])
        words.pop("changed", None)  # an older hookci's
        return Snapshot(**words)

    def record_job(self, run: int, result: JobResult, held: float = 0.0) -> None:
        """Write down how a job of ``run`` ended; see `record_jobs`."""
        self.record_jobs(run, [(result, held)])

    def record_jobs(self, run: int, ended: Sequence[tuple[JobResult, float]], passes: Sequence[NewPass] = ()) -> None:
        """Write down how jobs of ``run`` ended, and passes to be remembered; all of it or nothing.

        A second result for the same name replaces the first.  With each come the seconds for which it held its place
        among the jobs that run, 0 when it had none; they are written down with the verdict, for all jobs at once.

        Raises:
            StateError: there is no such run.
        """
        rows = [
            (run, json.dumps(result.name), json.dumps(to_builtins(_without_known(result)))) for result, _held in ended
        ]
        upsert = (
            "INSERT INTO jobs (run, name, result) VALUES (?, ?, ?)"
            " ON CONFLICT (run, name) DO UPDATE SET result = excluded.result"
        )
        try:
            with self._writing() as connection:
                connection.executemany(upsert, rows)
                self.memory.insert(connection, passes)
        except StateError as error:
            if isinstance(error.__cause__, sqlite3.IntegrityError):
                raise self._unknown(run) from error
            raise
        self._held.update((result.name, held) for result, held in ended if tells_duration(result, held))

    def durations(self, jobs: Collection[str]) -> dict[str, float]:
        """For how many seconds each of ``jobs`` usually holds its place, where that is known."""
        return usual_durations(self._rows(ALL_DURATIONS), jobs)

    def finish_run(self, run: int, verdict: Verdict) -> None:
        """Write down the verdict of ``run`` and how long it took.

        Raises:
            StateError: there is no such run.
        """
        update = "UPDATE runs SET verdict = ?, seconds = max(0.0, ? - started) WHERE number = ?"
        with self._writing() as connection:
            if not connection.execute(update, (verdict, self._clock(), run)).rowcount:
                raise self._unknown(run)
            note_durations(connection, self._held)
        self._held.clear()

    def mark_interrupted(self) -> tuple[int, ...]:
        """Give the runs whose owner died their verdict, ``interrupted``; their numbers, ascending."""
        dead = sorted(record.number for record in self._unfinished() if record.interrupted)
        update = "UPDATE runs SET verdict = ? WHERE number = ? AND verdict IS NULL"
        if dead:
            with self._writing() as connection:
                connection.executemany(update, [(Verdict.INTERRUPTED, number) for number in dead])
        return tuple(dead)

    def going_on(self) -> set[int]:
        """The runs that go on now."""
        return {record.number for record in self._unfinished() if not record.interrupted}

    def runs(self, limit: int) -> list[RunRecord]:
        """The last ``limit`` runs, newest first."""
        return [_run_record(row) for row in self._rows(f"{_RUN} ORDER BY number DESC LIMIT ?", max(limit, 0))]

    def run(self, number: int | None) -> RunRecord | None:
        """Run ``number``, or the last one for None; None when there is none."""
        if number is None:
            return next(iter(self.runs(1)), None)
        return next((_run_record(row) for row in self._rows(f"{_RUN} WHERE number = ?", number)), None)

    def continuations(self, run: int) -> list[RunRecord]:
        """The runs that go on with ``run``, oldest first."""
        return [_run_record(row) for row in self._rows(f"{_RUN} WHERE belongs_to = ? ORDER BY number", run)]

    def jobs(self, run: int) -> list[JobRecord]:
        """The jobs of ``run`` that have a result, in the order they got their first one."""
        rows = self._rows("SELECT result FROM jobs WHERE run = ? ORDER BY id", run)
        return [JobRecord(run=run, result=_job_result(text)) for (text,) in rows]

    def log_path(self, run: int, job: str) -> Path:
        """Where the log of ``job`` is: ``logs/<run>/<name>.log``, another one for every name."""
        return self._logs.path(run, job)

    def open_log(self, run: int, job: str) -> BinaryIO:
        """Open that log to append to it, mode 0600, unbuffered.

        Raises:
            StateError: it, or a directory above it, is a link, foreign or writable by others.
        """
        return self._logs.open(run, job)

    def prune(self, keep: int = 200, *, beyond: int = 0) -> tuple[int, ...]:
        """Remove all but the last ``keep`` runs, with their logs; a run that is going on stays.

        That is put off until there are more than ``beyond`` too many: to remove ten takes little longer than one.

        Returns:
            The numbers that went, ascending.

        Raises:
            StateError: a log cannot be removed.
        """
        past = "SELECT number FROM runs ORDER BY number DESC LIMIT 1 OFFSET ?"
        if beyond and not self._rows(past, max(keep, 0) + beyond):
            return ()
        oldest = self._rows(past, max(keep, 0))
        if not oldest:
            return ()
        known = {number for (number,) in self._rows("SELECT number FROM runs WHERE number <= ?", *oldest[0])}
        # logs without a row are of a run in a database that broke
        orphans = {number for number in self._logs.numbers() if number <= oldest[0][0]}
        gone = sorted((known | orphans) - self.going_on())
        for number in gone:
            # the row goes last, so that a crash in between leaves something that names the rest
            self._logs.remove(number)
        with self._writing() as connection:
            connection.executemany("DELETE FROM runs WHERE number = ?", [(number,) for number in gone])
            prune_durations(connection)
        return tuple(gone)

    def _first_number(self, connection: sqlite3.Connection) -> int | None:
        """None lets SQLite count on; a new database beside old logs begins after those."""
        if connection.execute("SELECT 1 FROM sqlite_sequence WHERE name = 'runs'").fetchone():
            return None
        return max(self._logs.numbers(), default=0) + 1

    def _unfinished(self) -> list[RunRecord]:
        return [_run_record(row) for row in self._rows(f"{_RUN} WHERE verdict IS NULL")]

    def _unknown(self, run: int) -> StateError:
        return StateError(f"{self._path}: there is no run {run}")

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, telling(self._path):
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, telling(self._path), transaction(self._connection):
            yield self._connection


def _run_record(row: tuple[Any, ...]) -> RunRecord:
    number, started, seconds, verdict, pid, start, text, belongs_to = row
    words = json.loads(text)
    died = verdict is None and not is_alive(ProcessIdentity(pid, start))
    return RunRecord(
        number=number,
        label=words["label"],
        hook=words["hook"],
        tree=words["tree"],
        commit=words["commit"],
        branch=words["branch"],
        verdict=None if verdict is None else Verdict(verdict),
        started=started,
        seconds=seconds,
        pid=pid,
        interrupted=died or verdict == Verdict.INTERRUPTED,
        skipped=tuple(words["skipped"]),
        belongs_to=belongs_to,
    )


def _without_known(result: JobResult) -> JobResult:
    """``result`` without the findings that the base has too: they are counted, and may be thousands."""
    if result.scan is None:
        return result
    from hookci.model.finding import State  # noqa: PLC0415 (few jobs scan)

    new = tuple(judged for judged in result.scan.findings if judged.state is State.NEW)
    return replace(result, scan=replace(result.scan, findings=new))


def _job_result(text: str) -> JobResult:
    fields = json.loads(text)
    read = {
        "outcome": Outcome(fields["outcome"]),
        "hints": tuple(fields["hints"]),
        "tests": _tests(fields.get("tests")),  # schema version 1 has none
        "scan": _scan(fields.get("scan")),  # nor has version 2 this
    }
    return JobResult(**fields | read)


def _scan(fields: dict[str, Any] | None) -> ScanReport | None:
    if not fields:
        return None
    from hookci.model.finding import report_from  # noqa: PLC0415 (few jobs scan)

    return report_from(fields)


def _tests(fields: dict[str, Any] | None) -> ReportedTests | None:
    if fields is None:
        return None
    from hookci.model.testreport import FailedTest, ReportedTests  # noqa: PLC0415 (few jobs report tests)

    return ReportedTests(**fields | {"failing": tuple(FailedTest(**test) for test in fields["failing"])})
