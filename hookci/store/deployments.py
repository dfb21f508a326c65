"""What this clone remembers of deployments: one row for each attempt, in a database of its own."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from msgspec import to_builtins
from msgspec.structs import replace

from hookci.model.release import Deployment, DeploymentState, Kind
from hookci.store.database import close_database, open_database, telling, transaction
from hookci.store.private import private_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from sqlite3 import Connection
    from types import TracebackType
    from typing import Any, Self

__all__ = ["DeploymentStore"]

_MIGRATIONS = (
    (
        # AUTOINCREMENT: the number of an attempt is in the names of logs and is never given again
        """CREATE TABLE deployments (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            environment TEXT NOT NULL,
            state TEXT NOT NULL,
            fields TEXT NOT NULL
        )""",
        "CREATE INDEX deployments_by_environment ON deployments (environment, id)",
    ),
)
_MOST = 1_000


class DeploymentStore:
    """The attempts of one repository; several processes may write at once.

    Every method raises StateError when the database cannot be read or written.
    """

    def __init__(self, state: Path, clock: Callable[[], float]) -> None:
        private_directory(state)
        self._path = state / "deployments.db"
        self._clock = clock
        self._lock = threading.Lock()
        opened = open_database(self._path, _MIGRATIONS)
        self._connection: Connection = opened.connection
        self.warnings = opened.warnings
        with telling(self._path):
            # what was written before a power cut is what the next command goes by
            self._connection.execute("PRAGMA synchronous = FULL")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        close_database(self._path, self._connection)

    def begin(self, environment: str, commit: str, kind: Kind, by: str) -> Deployment:
        """Write down that an attempt begins."""
        begun = Deployment(
            id=0,
            environment=environment,
            commit=commit,
            kind=kind,
            state=DeploymentState.STARTED,
            started=self._clock(),
            by=by,
        )
        with self._lock, telling(self._path), transaction(self._connection):
            row = (environment, begun.state, _text(begun))
            insert = "INSERT INTO deployments (environment, state, fields) VALUES (?, ?, ?)"
            number = self._connection.execute(insert, row).lastrowid
            self._connection.execute("DELETE FROM deployments WHERE id <= ?", (int(number or 0) - _MOST,))
        return replace(begun, id=int(number or 0))

    def update(self, deployment: Deployment) -> Deployment:
        """Write down what has become of an attempt."""
        with self._lock, telling(self._path), transaction(self._connection):
            row = (deployment.state, _text(deployment), deployment.id)
            self._connection.execute("UPDATE deployments SET state = ?, fields = ? WHERE id = ?", row)
        return deployment

    def get(self, number: int) -> Deployment | None:
        """The attempt with this number."""
        return next(iter(self._read("WHERE id = ?", number)), None)

    def last(self, limit: int, environment: str | None = None) -> list[Deployment]:
        """The last attempts, newest first."""
        if environment is None:
            return self._read("ORDER BY id DESC LIMIT ?", limit)
        return self._read("WHERE environment = ? ORDER BY id DESC LIMIT ?", environment, limit)

    def _read(self, rest: str, *values: object) -> list[Deployment]:
        with self._lock, telling(self._path):
            query = f"SELECT id, fields FROM deployments {rest}"  # noqa: S608 (our own words)  # nosec B608
            rows = self._connection.execute(query, values).fetchall()
        return [_deployment(number, text) for number, text in rows]


def _text(deployment: Deployment) -> str:
    return json.dumps(to_builtins(deployment))


def _deployment(number: int, text: str) -> Deployment:
    fields: dict[str, Any] = json.loads(text)
    read = {"id": number, "kind": Kind(fields["kind"]), "state": DeploymentState(fields["state"])}
    return Deployment(**fields | read)
