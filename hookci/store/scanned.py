"""What scanners found in files: a database of its own, so that who does not scan does not pay for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from hookci.store.database import close_database, open_database, telling, transaction
from hookci.store.private import private_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from sqlite3 import Connection

__all__ = ["ScannedFiles"]

_MIGRATIONS = (
    (
        "CREATE TABLE found (key TEXT PRIMARY KEY, text TEXT NOT NULL, number INTEGER NOT NULL)",
        "CREATE INDEX found_by_number ON found (number)",
    ),
)
_AT_ONCE = 500
"""Parameters of one statement; SQLite before 3.32 takes 999."""
_MOST = 500_000
"""Files; a repository of 3,000 files has about that many versions of them in 150 full rewrites."""


class ScannedFiles:
    """Texts by key, opened when they are first asked for; any thread may ask.

    Every method raises StateError when the database cannot be read or written.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._path = state / "scanned.db"
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def found(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The texts that are remembered under ``keys``."""
        texts: dict[str, str] = {}
        with self._lock, telling(self._path):
            connection = self._opened()
            for some in _batches(keys):
                marks = ",".join("?" * len(some))
                query = f"SELECT key, text FROM found WHERE key IN ({marks})"  # noqa: S608 (marks only)
                texts.update(connection.execute(query, some).fetchall())
        return texts

    def remember_found(self, rows: Mapping[str, str]) -> None:
        """Remember texts by their keys; the oldest go when there are too many."""
        with self._lock, telling(self._path):
            connection = self._opened()
            with transaction(connection):
                (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM found").fetchone()
                numbered = [(key, text, last + 1 + place) for place, (key, text) in enumerate(rows.items())]
                connection.executemany("INSERT OR REPLACE INTO found (key, text, number) VALUES (?, ?, ?)", numbered)
                connection.execute("DELETE FROM found WHERE number <= ?", (last + len(rows) - _MOST,))

    def forget(self) -> None:
        """Forget all of it."""
        with self._lock, telling(self._path):
            self._opened().execute("DELETE FROM found")

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            if self._connection is not None:
                close_database(self._path, self._connection)
                self._connection = None

    def _opened(self) -> Connection:
        if self._connection is None:
            private_directory(self._state)
            self._connection = open_database(self._path, _MIGRATIONS).connection
        return self._connection


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))
