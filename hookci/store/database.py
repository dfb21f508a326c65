"""An SQLite file that is private, brought to the current schema, and set aside when it is broken."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import StateError
from hookci.store.locks import FileLock
from hookci.store.private import is_private_file, private_file, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Opened", "close_database", "open_database", "telling", "transaction"]

_BUSY_SECONDS = 10.0
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY_CODE = 0xFF
# The database comes last: without it SQLite takes a write-ahead log for a left-over and deletes it.
_BESIDE = ("-wal", "-journal", "-shm")
_LEFT = ".left"
"""A file beside the database that says how hookci left it; the check of a whole one takes as long as it is large."""


class Opened(Struct, frozen=True):
    """An open database, and what a person has to be told about how it came to be."""

    connection: sqlite3.Connection
    warnings: tuple[str, ...]


class _BrokenError(Exception):
    """The file is no database, or not a whole one.

    ``connection`` stays open until the file has been moved: closing the last connection of a file
    that is still in its place would merge its write-ahead log and delete it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self.connection = connection


def open_database(path: Path, migrations: Sequence[Sequence[str]]) -> Opened:
    """Open ``path``, made when it is missing, at schema version ``len(migrations)``.

    A broken file is kept as ``<name>.broken-<n>`` and a new one takes its place, with a warning.
    The connection is in autocommit mode (see `transaction`), waits 10 s for other processes, and
    may be used by any thread, by one at a time.

    Args:
        path: the database file, in a private directory.
        migrations: the statements that lead from each schema version to the next, from 0 on.

    Raises:
        StateError: a newer hookci made it; it, or a file SQLite keeps beside it, is not private;
            it cannot be read or written.
    """
    try:
        return Opened(_connect(path, migrations), ())
    except _BrokenError as broken:
        with closing(broken.connection):
            return _replace(path, migrations)


def close_database(path: Path, connection: sqlite3.Connection) -> None:
    """Close ``connection`` to ``path``, and note how the file was left: it need not be checked the next time."""
    connection.close()
    with suppress(OSError, StateError):
        if not _is_in_use(path):
            write_atomic(_note(path), _looks(path))


def _note(path: Path) -> Path:
    return path.with_name(path.name + _LEFT)


def _is_in_use(path: Path) -> bool:
    """Whether somebody has the database open, or ended without closing it: who closes it last removes these files."""
    return any(path.with_name(path.name + suffix).exists() for suffix in ("-wal", "-journal"))


def _looks(path: Path) -> bytes:
    info = path.stat()
    return f"{info.st_dev} {info.st_ino} {info.st_size} {info.st_mtime_ns} {info.st_ctime_ns}".encode()


def _is_as_left(path: Path) -> bool:
    """Whether nobody has written the file since hookci closed it."""
    with suppress(OSError, StateError), os.fdopen(private_file(_note(path), os.O_RDONLY), "rb") as note:
        return not _is_in_use(path) and note.read() == _looks(path)
    return False


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, with the right to write from the start, so that it cannot fail half-way on a lock."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has ended it already when the disk is full
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Turn what SQLite says about ``path`` into a `StateError`."""
    try:
        yield
    except sqlite3.Error as error:
        hint = None
        if _is_broken(error):
            hint = "run the command again: the file is checked and set aside then"
            _note(path).unlink(missing_ok=True)
        raise StateError(f"{path}: {error}", hint) from error


def _connect(path: Path, migrations: Sequence[Sequence[str]]) -> sqlite3.Connection:
    _make_private(path)
    as_left = _is_as_left(path)
    with telling(path):
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            _set_up(connection, path, migrations, check=not as_left)
        except _BrokenError:
            raise
        except BaseException as error:
            if isinstance(error, sqlite3.Error) and _is_broken(error):
                raise _BrokenError(connection) from error
            connection.close()
            raise
    return connection


def _make_private(path: Path) -> None:
    """Create ``path`` with mode 0600 whatever the umask; SQLite gives the files beside it the same mode."""
    for suffix in _BESIDE:
        is_private_file(path.with_name(path.name + suffix))
    if not is_private_file(path):
        # O_EXCL: a file that SQLite may have open here already must not be opened and closed by us
        try:
            os.close(private_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))
        except StateError:
            if not is_private_file(path):
                raise


def _set_up(connection: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]], *, check: bool) -> None:
    _refuse_newer(connection, path, len(migrations))
    if check and not _is_whole(connection):
        raise _BrokenError(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    # refused by some file systems, and while another process uses the file in the old mode
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")
    if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        connection.execute("PRAGMA synchronous = NORMAL")
    if _version(connection) < len(migrations):
        with transaction(connection):
            _refuse_newer(connection, path, len(migrations))
            _migrate(connection, migrations)


def _is_whole(connection: sqlite3.Connection) -> bool:
    try:
        (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        # a damaged header can also end in "unsupported file format", which is a mere SQLITE_ERROR
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        return False
    return str(answer) == "ok"


def _migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]]) -> None:
    for statements in migrations[_version(connection) :]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _refuse_newer(connection: sqlite3.Connection, path: Path, known: int) -> None:
    version = _version(connection)
    if version > known:
        message = f"{path} was made by a newer hookci (schema {version}, this one knows {known})"
        raise StateError(message, "upgrade hookci")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _is_broken(error: sqlite3.Error) -> bool:
    # errors of the Python module itself carry no code
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE in _BROKEN


def _replace(path: Path, migrations: Sequence[Sequence[str]]) -> Opened:
    """Set the broken file aside, unless another process has just done so."""
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    if not lock.acquire(_BUSY_SECONDS):
        raise StateError(f"{path} is broken, and another process has been replacing it for {_BUSY_SECONDS:.0f} s")
    try:
        return Opened(_connect(path, migrations), ())
    except _BrokenError as broken:
        with closing(broken.connection):
            kept = _set_aside(path)
        warning = f"{path} was broken: it is kept as {kept.name}, and a new one begins without the earlier runs"
        return Opened(_connect_new(path, migrations), (warning,))
    finally:
        lock.release()


def _connect_new(path: Path, migrations: Sequence[Sequence[str]]) -> sqlite3.Connection:
    try:
        return _connect(path, migrations)
    except _BrokenError as broken:
        broken.connection.close()
        raise StateError(f"{path}: a new database cannot be read back") from broken


def _set_aside(path: Path) -> Path:
    kept = _free_name(path)
    for suffix in (*_BESIDE, ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(kept.with_name(kept.name + suffix))
    return kept


def _free_name(path: Path) -> Path:
    number = 1
    while any(path.with_name(f"{path.name}.broken-{number}{suffix}").exists() for suffix in (*_BESIDE, "")):
        number += 1
    return path.with_name(f"{path.name}.broken-{number}")
