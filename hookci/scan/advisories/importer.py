"""Taking OSV records into the database: a new file beside the old one, which takes its place in one step."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.errors import StateError, UsageError
from hookci.scan.advisories.database import SCHEMA, Database, Stored, as_body, database_path, is_current
from hookci.scan.advisories.osv import INSTANT, Record, read_record
from hookci.scan.advisories.sources import Refused
from hookci.store.locks import FileLock
from hookci.store.private import is_private_file, private_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from hookci.scan.advisories.sources import Piece

__all__ = ["ImportReport", "import_records"]

_NAMED = 5
_WAIT_SECONDS = 10.0
_TABLES = f"""
CREATE TABLE advisories (id TEXT PRIMARY KEY, modified TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE affected (
  ecosystem TEXT NOT NULL, package TEXT NOT NULL, id TEXT NOT NULL REFERENCES advisories, body TEXT NOT NULL,
  PRIMARY KEY (ecosystem, package, id)
);
CREATE INDEX affected_by_id ON affected (id);
CREATE TABLE stored (ecosystem TEXT PRIMARY KEY, advisories INTEGER, packages INTEGER, date TEXT) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA};
"""
_COUNT = """
INSERT INTO stored
SELECT ecosystem, count(DISTINCT id), count(DISTINCT package),
       substr(coalesce(max(CASE WHEN modified <= :now THEN modified END), :now), 1, 10)
FROM affected JOIN advisories USING (id) GROUP BY ecosystem
"""


class ImportReport(Struct, frozen=True, kw_only=True):
    """What an import came to.

    ``stored`` is what there is now, of all imports.  ``withdrawn`` counts the advisories that were taken back,
    ``unchanged`` those that were there already as new or newer.  ``left_out`` counts what is not kept, by ecosystem
    or reason.  ``refused`` are the first files and records that cannot be read, ``unreadable`` counts them all.
    ``replaced_broken`` says that there was a database that could not be read, so that this one begins anew.
    """

    stored: tuple[Stored, ...]
    new: int
    changed: int
    withdrawn: int
    unchanged: int
    left_out: Mapping[str, int]
    refused: tuple[Refused, ...]
    unreadable: int
    replaced_broken: bool


class _Tally(Struct):
    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)
    unreadable: int = 0

    def refuse(self, where: str, why: str) -> None:
        self.unreadable += 1
        if len(self.refused) < _NAMED:
            self.refused.append(Refused(where, why))

    @property
    def has_changes(self) -> bool:
        return bool(self.new or self.changed or self.withdrawn)


def import_records(data: Path, pieces: Iterable[Piece], now: float) -> ImportReport:
    """Merge records into the database, by their ids: what was modified last holds, what is withdrawn goes.

    Whoever reads meanwhile sees the database of before, as does everybody when this does not come to its end.

    Args:
        data: hookci's directory among the user's data, private.
        pieces: the records.
        now: in unix seconds; what claims to be modified later does not count for the date of the database.

    Raises:
        UsageError: there is nothing to import in ``pieces``.
        StateError: the database cannot be written, or another import is going on.
    """
    path = database_path(data)
    with _alone(path), _draft(path) as (draft, is_broken):
        tally = _Tally()
        with _telling(draft), closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            _merge(connection, pieces, tally)
            _finish(connection, now)
        if not tally.has_changes and not tally.unchanged:
            raise _nothing(tally)
        if tally.has_changes:
            _put_in_place(draft, path)
    return ImportReport(
        stored=_stored(data),
        new=tally.new,
        changed=tally.changed,
        withdrawn=tally.withdrawn,
        unchanged=tally.unchanged,
        left_out=tally.left_out,
        refused=tuple(tally.refused),
        unreadable=tally.unreadable,
        replaced_broken=is_broken,
    )


def _merge(connection: sqlite3.Connection, pieces: Iterable[Piece], tally: _Tally) -> None:
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN EXCLUSIVE")
    known: dict[str, str] = dict(connection.execute("SELECT id, modified FROM advisories"))
    for piece in pieces:
        if isinstance(piece, Refused):
            tally.refuse(piece.where, piece.why)
            continue
        try:
            record = read_record(piece.value)
        except ValueError as error:
            tally.refuse(piece.where, str(error))
        else:
            if _is_news(record, known, tally):
                known[record.id] = record.modified
                _write(connection, record)


def _is_news(record: Record, known: Mapping[str, str], tally: _Tally) -> bool:
    """Whether ``record`` has to be written; counts it in any case."""
    before = known.get(record.id)
    if before is not None and before >= record.modified:
        tally.unchanged += 1
    elif record.withdrawn:
        tally.withdrawn += 1
        return True
    elif before is None and not record.advisories:
        tally.left_out[record.left_out] += 1
    else:
        tally.new += before is None
        tally.changed += before is not None
        return True
    return False


def _write(connection: sqlite3.Connection, record: Record) -> None:
    """What is withdrawn stays known by its id, so that an older source does not bring it back."""
    connection.execute("DELETE FROM affected WHERE id = ?", (record.id,))
    connection.execute("INSERT OR REPLACE INTO advisories VALUES (?, ?)", (record.id, record.modified))
    if not record.withdrawn:
        rows = [(one.ecosystem, one.package, one.id, as_body(one)) for one in record.advisories]
        connection.executemany("INSERT INTO affected VALUES (?, ?, ?, ?)", rows)


def _finish(connection: sqlite3.Connection, now: float) -> None:
    connection.execute("DELETE FROM stored")
    connection.execute(_COUNT, {"now": datetime.fromtimestamp(now, UTC).strftime(INSTANT)})
    connection.execute("COMMIT")


def _nothing(tally: _Tally) -> UsageError:
    left_out = ", ".join(f"{count} {what}" for what, count in tally.left_out.most_common(_NAMED))
    reasons = [f"{refused.where}: {refused.why}" for refused in tally.refused]
    if tally.unreadable > len(reasons):
        reasons.append(f"and {tally.unreadable - len(reasons)} more that cannot be read")
    if left_out:
        reasons.append(f"left out: {left_out}")
    listed = "".join(f"\n{reason}" for reason in reasons)
    return UsageError(f"there is no advisory on a package of PyPI or npm to import{listed}")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = FileLock(path.with_name(f"{path.stem}.lock"))
    if not lock.acquire(_WAIT_SECONDS):
        raise StateError(f"another import has been writing {path} for {_WAIT_SECONDS:.0f} s", "wait for its end")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _draft(path: Path) -> Iterator[tuple[Path, bool]]:
    """The new file, which begins as a copy of the old one, and whether that was no use.

    It always has the same name: what an import that was killed has left is written over.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        with _telling(draft):
            is_broken = not _copied(path, draft)
        yield draft, is_broken and path.exists()
    finally:
        with suppress(OSError):
            draft.unlink()


def _copied(path: Path, draft: Path) -> bool:
    """Make ``draft`` a copy of ``path``, or an empty database when there is none that can be read."""
    with open(private_file(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC), "wb") as new:  # noqa: PTH123 (a descriptor)
        if is_private_file(path):
            with open(private_file(path, os.O_RDONLY), "rb") as old:  # noqa: PTH123 (as above)
                shutil.copyfileobj(old, new)
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        if _is_usable(connection):
            return True
    with open(private_file(draft, os.O_RDWR | os.O_TRUNC), "wb"):  # noqa: PTH123 (as above)
        pass
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.executescript(_TABLES)
    return False


def _is_usable(connection: sqlite3.Connection) -> bool:
    try:
        return is_current(connection) and connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        return False


def _put_in_place(draft: Path, path: Path) -> None:
    with _telling(path):
        descriptor = private_file(draft, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        draft.rename(path)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StateError(f"{path}: {error}") from error
    except OSError as error:
        raise StateError(f"{path}: {(error.strerror or str(error)).lower()}") from error


def _stored(data: Path) -> tuple[Stored, ...]:
    database = Database.open(data)
    if database is None:
        return ()
    with database:
        return database.stored
