"""The advisory database: one SQLite file in the user's data directory, which is only ever replaced as a whole."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import StateError
from hookci.model.finding import Severity
from hookci.scan.advisories.advisory import Advisory
from hookci.store.private import is_private_file

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from hookci.scan.advisories.advisory import Range

__all__ = ["SCHEMA", "Database", "Stored", "as_body", "database_path", "fingerprint_of", "is_current"]

SCHEMA = 1
"""To be raised with every change of the tables and of what an import makes of a record."""

_AGAIN = "import it again: `hookci advisories update`, or `hookci advisories import FILE`"
_TRIES = 10


class Stored(Struct, frozen=True, kw_only=True):
    """What there is for one ecosystem; ``date`` is the day on which the newest of its advisories was modified."""

    ecosystem: str
    advisories: int
    packages: int
    date: date


def database_path(data: Path) -> Path:
    """Where the database is in hookci's directory among the user's data."""
    return data / "advisories.db"


def fingerprint_of(data: Path) -> str:
    """A text that changes when the database does, without opening it; empty when there is none.

    Raises:
        StateError: the file cannot be looked at.
    """
    path = database_path(data)
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise StateError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


class Database:
    """The database as it was when it was opened; one that is imported meanwhile changes nothing here.

    Attributes:
        stored: what there is, by ecosystem.
        digest: the `fingerprint_of` the file that is open.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, digest: str) -> None:
        self._connection = connection
        self._path = path
        self.digest = digest
        with _telling(path):
            if not is_current(connection):
                raise StateError(f"{path} was made by another version of hookci", _AGAIN)
            rows = connection.execute("SELECT ecosystem, advisories, packages, date FROM stored ORDER BY 1 DESC")
            self.stored = tuple(
                Stored(ecosystem=name, advisories=count, packages=packages, date=date.fromisoformat(day))
                for name, count, packages, day in rows
            )

    @classmethod
    def open(cls, data: Path) -> Database | None:
        """Open the database for reading; None when there is none.

        Args:
            data: hookci's directory among the user's data.

        Raises:
            StateError: it is broken, not private, or made for another version of hookci.
        """
        path = database_path(data)
        for _ in range(_TRIES):
            digest = fingerprint_of(data)
            if not digest or not is_private_file(path):
                return None
            connection = _connect(path)
            try:
                # an import may have put another file in its place between the look and the opening
                if fingerprint_of(data) == digest:
                    return cls(connection, path, digest)
            except BaseException:
                connection.close()
                raise
            connection.close()
        raise StateError(f"{path} is being replaced all the time", "try again when no import is going on")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @property
    def dates(self) -> Mapping[str, date]:
        """The day of the newest advisory, by ecosystem: how old the database is, whenever it was imported."""
        return {stored.ecosystem: stored.date for stored in self.stored}

    def about(self, ecosystem: str, packages: Iterable[str]) -> dict[str, tuple[Advisory, ...]]:
        """The advisories about each of ``packages`` (in their canonical form), by id; one query for all.

        Raises:
            StateError: the database is broken.
        """
        found: dict[str, list[Advisory]] = {package: [] for package in packages}
        query = (
            "SELECT package, id, body FROM affected"
            " WHERE ecosystem = ? AND package IN (SELECT value FROM json_each(?)) ORDER BY package, id"
        )
        with _telling(self._path):
            for package, ident, body in self._connection.execute(query, (ecosystem, json.dumps(list(found)))):
                found[package].append(_advisory(ident, ecosystem, package, json.loads(body)))
        return {package: tuple(advisories) for package, advisories in found.items()}


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether the file that is open has the tables of this version."""
    return bool(connection.execute("PRAGMA user_version").fetchone() == (SCHEMA,))


def as_body(advisory: Advisory) -> str:
    """What is kept of an advisory beside its id, ecosystem and package, as JSON."""
    body = {
        "summary": advisory.summary,
        "ranges": advisory.ranges,
        "versions": sorted(advisory.versions),
        "aliases": advisory.aliases,
        "severity": advisory.severity,
        "url": advisory.url,
    }
    return json.dumps(body, separators=(",", ":"))


def _advisory(ident: str, ecosystem: str, package: str, body: Mapping[str, object]) -> Advisory:
    severity = body["severity"]
    return Advisory(
        id=ident,
        ecosystem=ecosystem,
        package=package,
        summary=str(body["summary"]),
        ranges=tuple(map(_range, _list(body["ranges"]))),
        versions=frozenset(map(str, _list(body["versions"]))),
        aliases=tuple(map(str, _list(body["aliases"]))),
        severity=None if severity is None else Severity(str(severity)),
        url=str(body["url"]),
    )


def _range(events: object) -> Range:
    return tuple((str(kind), str(version)) for kind, version in _list(events))


def _list(value: object) -> list[list[object]]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _connect(path: Path) -> sqlite3.Connection:
    import sqlite3  # noqa: PLC0415 (`fingerprint_of` is asked for without it)

    with _telling(path):
        # immutable: no locks and no files beside it, since nobody ever writes to this file
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn what a broken file leads to into a `StateError`."""
    import sqlite3  # noqa: PLC0415 (as above)

    try:
        yield
    except (sqlite3.Error, LookupError, TypeError, ValueError) as error:
        raise StateError(f"{path} is broken", _AGAIN) from error
