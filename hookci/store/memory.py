"""What is remembered of passes and verdicts: rows that are written whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import convert

from hookci.model.memory import Circumstances, KeptPass, Pass, RememberedVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from sqlite3 import Connection

    from hookci.model.memory import JobKey, NewPass
    from hookci.store.green import GreenRecords

__all__ = ["Memory"]

_MOST = 20_000
_MOST_VERDICTS = 5_000


class Memory:
    """The remembered part of a store; ``green`` is what hooks answer from by themselves, and forgotten first.

    A row that does not say what its table says (torn, foreign, of another version) is as good as not there.
    """

    def __init__(
        self,
        rows: Callable[..., list[tuple[Any, ...]]],
        writing: Callable[[], AbstractContextManager[Connection]],
        clock: Callable[[], float],
        green: GreenRecords,
    ) -> None:
        self._rows = rows
        self._writing = writing
        self._clock = clock
        self._green = green

    def passed(self, key: JobKey) -> Pass | None:
        """The pass that is remembered under exactly ``key``; its whole text is compared, not only its digest."""
        for text, run, finished, seconds, expires in self._rows(
            "SELECT text, run, finished, seconds, expires FROM passes WHERE digest = ?", key.digest
        ):
            if text == key.text and isinstance(run, int) and isinstance(finished, float):
                return Pass(run, finished, float(seconds), None if expires is None else float(expires))
        return None

    def remember_pass(self, new: NewPass) -> None:
        """Remember a pass from now on."""
        with self._writing() as connection:
            self.insert(connection, [new])

    def insert(self, connection: Connection, passes: Sequence[NewPass]) -> None:
        """Remember passes with what else is written in a transaction."""
        connection.executemany(
            "INSERT OR REPLACE INTO passes (digest, text, job, run, finished, seconds, expires, circumstances)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    new.key.digest,
                    new.key.text,
                    json.dumps(new.job),
                    new.run,
                    self._clock(),
                    new.seconds,
                    new.expires,
                    new.key.circumstances,
                )
                for new in passes
            ],
        )

    def newest(self, job: str) -> KeptPass | None:
        """The last pass of ``job`` that is remembered, under whichever key."""
        for text, run, finished, seconds, expires, words in self._rows(
            "SELECT text, run, finished, seconds, expires, circumstances FROM passes WHERE job = ?"
            " ORDER BY finished DESC LIMIT 1",
            json.dumps(job),
        ):
            return KeptPass(Pass(run, finished, seconds, expires), text, _circumstances(words))
        return None

    def kept(self, key: JobKey) -> KeptPass | None:
        """The pass under exactly ``key``, with its circumstances."""
        found = self.passed(key)
        if found is None:
            return None
        [(words,)] = self._rows("SELECT circumstances FROM passes WHERE digest = ?", key.digest) or [(None,)]
        return KeptPass(found, key.text, _circumstances(words))

    def disown(self, key: JobKey) -> None:
        """Forget the pass under ``key``, because the same has failed since, and with it every verdict."""
        if not self._rows("SELECT 1 FROM passes WHERE digest = ?", key.digest):
            return
        with self._green.forgetting(), self._writing() as connection:
            if connection.execute("DELETE FROM passes WHERE digest = ?", (key.digest,)).rowcount:
                connection.execute("DELETE FROM verdicts")

    def verdicts(self, hook: str, tree: str, installation: str) -> list[RememberedVerdict]:
        """The green verdicts that may hold again, newest first; whether one does is for the caller to look at."""
        found = []
        for run, text in self._rows(
            "SELECT run, text FROM verdicts WHERE hook = ? AND tree = ? AND installation = ? ORDER BY id DESC",
            hook,
            tree,
            installation,
        ):
            try:
                words = json.loads(text)
                verdict = RememberedVerdict(
                    run=run,
                    facts=tuple((name, value) for name, value in words["facts"]),
                    observations=tuple((kind, subject, value) for kind, subject, value in words["observations"]),
                    since=float(words["since"]),
                    expires=None if words["expires"] is None else float(words["expires"]),
                )
                found.append(verdict)
            except (ValueError, TypeError, KeyError):
                continue
        return found

    def remember_verdict(self, hook: str, tree: str, installation: str, verdict: RememberedVerdict) -> None:
        """Remember a green verdict."""
        words: dict[str, object] = {"facts": verdict.facts, "observations": verdict.observations}
        words |= {"since": verdict.since, "expires": verdict.expires}
        row = (hook, tree, installation, verdict.run, json.dumps(words))
        with self._writing() as connection:
            connection.execute("INSERT INTO verdicts (hook, tree, installation, run, text) VALUES (?, ?, ?, ?, ?)", row)

    def forget(self, job: str | None = None) -> int:
        """Forget the passes of ``job`` (all jobs for None) and every verdict; how many passes went."""
        with self._green.forgetting(), self._writing() as connection:
            connection.execute("DELETE FROM verdicts")
            if job is None:
                return connection.execute("DELETE FROM passes").rowcount
            return connection.execute("DELETE FROM passes WHERE job = ?", (json.dumps(job),)).rowcount

    def jobs(self) -> set[str]:
        """The names of the jobs of which a pass is remembered."""
        return {json.loads(name) for (name,) in self._rows("SELECT DISTINCT job FROM passes")}

    def prune(self) -> None:
        """Keep the newest rows."""
        with self._writing() as connection:
            for table, most in (("passes", _MOST), ("verdicts", _MOST_VERDICTS)):
                connection.execute(
                    f"DELETE FROM {table} WHERE rowid <= (SELECT max(rowid) FROM {table}) - ?",  # noqa: S608 (ours)  # nosec B608
                    (most,),
                )


def _circumstances(words: str | None) -> Circumstances | None:
    """Of a row; one that is torn, or that another version wrote, tells nothing."""
    try:
        return None if words is None else convert(json.loads(words), Circumstances)
    except (ValueError, TypeError):
        return None
