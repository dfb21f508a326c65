from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from hookci.errors import StateError
from hookci.store.database import close_database, open_database, telling, transaction
from hookci.store.private import private_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")

FIRST = (("CREATE TABLE words (word TEXT NOT NULL)",),)
SECOND = (*FIRST, ("ALTER TABLE words ADD COLUMN size INTEGER", "UPDATE words SET size = length(word)"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return private_directory(tmp_path / "hookci") / "state.db"


@pytest.fixture
def _umask_restored() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def write(path: Path, *words: str) -> None:
    connection = open_database(path, FIRST).connection
    with transaction(connection):
        connection.executemany("INSERT INTO words (word) VALUES (?)", [(word,) for word in words])
    close_database(path, connection)


def read(path: Path) -> list[str]:
    with closing(open_database(path, FIRST).connection) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM words")]


def names_in(path: Path) -> set[str]:
    return {entry.name for entry in path.parent.iterdir()}


def test_what_was_written_is_there_at_the_next_open(path: Path) -> None:
    write(path, "one", "two")

    words = read(path)

    assert words == ["one", "two"]


def test_a_new_database_has_the_newest_schema_and_nothing_to_tell(path: Path) -> None:
    opened = open_database(path, SECOND)

    with closing(opened.connection) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()
        mode = connection.execute("PRAGMA journal_mode").fetchone()

    assert opened.warnings == ()
    assert version == (2,)
    assert mode == ("wal",)


@pytest.mark.usefixtures("_umask_restored")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_the_database_and_the_files_beside_it_are_for_their_owner_alone(path: Path, umask: int) -> None:
    os.umask(umask)

    with closing(open_database(path, FIRST).connection) as connection:
        connection.execute("INSERT INTO words (word) VALUES ('one')")
        modes = {entry.name: oct(entry.stat().st_mode & 0o777) for entry in path.parent.iterdir()}

    assert modes == {"state.db": "0o600", "state.db-wal": "0o600", "state.db-shm": "0o600"}


def test_a_readable_database_of_ours_is_tightened(path: Path) -> None:
    write(path, "one")
    path.chmod(0o644)

    words = read(path)

    assert words == ["one"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_old_schema_is_brought_to_the_newest_with_its_rows(path: Path) -> None:
    write(path, "one", "three")

    with closing(open_database(path, SECOND).connection) as connection:
        rows = connection.execute("SELECT word, size FROM words").fetchall()
        version = connection.execute("PRAGMA user_version").fetchone()

    assert rows == [("one", 3), ("three", 5)]
    assert version == (2,)


def test_a_migration_that_fails_leaves_the_old_schema_and_its_rows(path: Path) -> None:
    write(path, "one")
    failing = (*SECOND, ("INSERT INTO nowhere VALUES (1)",))

    with pytest.raises(StateError, match="no such table: nowhere"):
        open_database(path, failing)

    with closing(open_database(path, FIRST).connection) as connection:
        rows = connection.execute("SELECT * FROM words").fetchall()
    assert rows == [("one",)]


def test_a_newer_schema_is_refused_and_not_touched(path: Path) -> None:
    open_database(path, SECOND).connection.close()
    before = path.read_bytes()

    with pytest.raises(StateError) as caught:
        open_database(path, FIRST)

    assert caught.value.message == f"{path} was made by a newer hookci (schema 2, this one knows 1)"
    assert caught.value.hint == "upgrade hookci"
    assert path.read_bytes() == before
    assert names_in(path) == {"state.db"}


def test_a_schema_that_gets_newer_while_we_wait_to_migrate_is_refused_too(path: Path) -> None:
    write(path, "one")
    refused: list[StateError] = []

    def open_and_wait() -> None:
        with pytest.raises(StateError) as caught:
            open_database(path, SECOND)
        refused.append(caught.value)

    opening = threading.Thread(target=open_and_wait)
    with closing(open_database(path, FIRST).connection) as newer, transaction(newer):
        newer.execute("PRAGMA user_version = 3")
        opening.start()
        opening.join(0.2)
        waited = opening.is_alive()
    opening.join(30)

    assert waited
    assert [error.message for error in refused] == [
        f"{path} was made by a newer hookci (schema 3, this one knows 2)",
    ]


def test_a_file_that_is_no_database_is_kept_aside_and_said_so(path: Path) -> None:
    path.write_bytes(b"not a database\n" * 100)

    opened = open_database(path, FIRST)

    opened.connection.close()
    assert opened.warnings == (
        f"{path} was broken: it is kept as state.db.broken-1, and a new one begins without the earlier runs",
    )
    assert path.with_name("state.db.broken-1").read_bytes() == b"not a database\n" * 100
    assert read(path) == []


@pytest.mark.parametrize("place", [30, 4096 + 3, 2 * 4096])
def test_a_malformed_database_is_kept_aside_byte_by_byte(path: Path, place: int) -> None:
    write(path, *("word" * 100 for _ in range(100)))
    content = bytearray(path.read_bytes())
    content[place : place + 64] = b"\xff" * 64
    path.write_bytes(content)

    opened = open_database(path, FIRST)

    opened.connection.close()
    assert len(opened.warnings) == 1
    assert path.with_name("state.db.broken-1").read_bytes() == content


def test_a_truncated_database_is_kept_aside(path: Path) -> None:
    write(path, *("word" * 100 for _ in range(100)))
    content = path.read_bytes()[:-4096]
    path.write_bytes(content)

    opened = open_database(path, FIRST)

    opened.connection.close()
    assert len(opened.warnings) == 1
    assert path.with_name("state.db.broken-1").read_bytes() == content


def test_the_write_ahead_log_of_a_broken_database_is_kept_with_it(path: Path) -> None:
    write(path, "one")
    with closing(open_database(path, FIRST).connection) as connection:
        connection.execute("INSERT INTO words (word) VALUES ('two')")
        log, content = path.with_name("state.db-wal").read_bytes(), path.read_bytes()
    path.write_bytes(b"garbage" + content[7:])
    path.with_name("state.db-wal").write_bytes(log[:32] + b"\xff" * 8 + log[40:])

    open_database(path, FIRST).connection.close()

    assert path.with_name("state.db.broken-1").read_bytes() == b"garbage" + content[7:]
    assert path.with_name("state.db.broken-1-wal").read_bytes() == log[:32] + b"\xff" * 8 + log[40:]


def test_every_broken_database_is_kept_under_a_name_of_its_own(path: Path) -> None:
    for text in ("first" * 100, "second" * 100):
        path.write_text(text)
        open_database(path, FIRST).connection.close()

    kept = [path.with_name(f"state.db.broken-{number}").read_text() for number in (1, 2)]

    assert kept == ["first" * 100, "second" * 100]


def test_an_empty_file_left_by_a_killed_first_run_is_a_new_database(path: Path) -> None:
    path.touch(mode=0o600)

    opened = open_database(path, FIRST)

    opened.connection.close()
    assert opened.warnings == ()


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_symlinked_file_of_the_database_is_refused_and_its_target_untouched(
    path: Path, tmp_path: Path, suffix: str
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path.with_name(f"state.db{suffix}").symlink_to(victim)

    with pytest.raises(StateError, match=f"state.db{suffix} is a symlink"):
        open_database(path, FIRST)

    assert victim.read_text() == "precious"


def test_a_hard_linked_database_is_refused(path: Path, tmp_path: Path) -> None:
    write(path, "one")
    (tmp_path / "second").hardlink_to(path)

    with pytest.raises(StateError, match=r"state\.db is known under a second name"):
        open_database(path, FIRST)


@needs_root
def test_a_foreign_database_is_refused(path: Path) -> None:
    write(path, "one")
    os.chown(path, 12345, -1)

    with pytest.raises(StateError, match=r"state\.db belongs to another user \(uid 12345\)"):
        open_database(path, FIRST)


def test_a_second_open_in_one_process_does_not_take_the_locks_of_the_first(path: Path) -> None:
    with closing(open_database(path, FIRST).connection) as first, transaction(first):
        open_database(path, FIRST).connection.close()
        script = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
        other = subprocess.run(
            [sys.executable, "-c", script, path], stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )

    assert other.stderr.endswith("OperationalError: database is locked\n")


def test_a_transaction_that_fails_leaves_nothing(path: Path) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        with transaction(connection):
            connection.execute("INSERT INTO words (word) VALUES ('lost')")
            raise KeyboardInterrupt

    with closing(open_database(path, FIRST).connection) as connection:
        with pytest.raises(KeyboardInterrupt):
            fail(connection)
        rows = connection.execute("SELECT * FROM words").fetchall()

    assert rows == []


def test_a_changed_file_is_checked_also_when_its_time_was_set_back(path: Path) -> None:
    write(path, "one")
    left = path.stat()
    damaged = path.read_bytes()[:-2048] + b"\xff" * 2048

    path.write_bytes(damaged)
    os.utime(path, ns=(left.st_atime_ns, left.st_mtime_ns))
    opened = open_database(path, FIRST)

    opened.connection.close()
    assert len(opened.warnings) == 1
    assert path.with_name("state.db.broken-1").read_bytes() == damaged


def test_damage_found_during_use_has_the_file_checked_the_next_time(path: Path) -> None:
    write(path, "one")
    note = path.with_name("state.db.left")
    before = note.exists()
    other = path.with_name("other.db")
    other.write_text("not a database" * 100)

    with pytest.raises(StateError), telling(path), closing(sqlite3.connect(other)) as connection:
        connection.execute("SELECT * FROM words")

    assert before
    assert not note.exists()


def test_damage_found_during_use_names_the_file_and_what_to_do(path: Path) -> None:
    other = path.with_name("other.db")
    other.write_text("not a database" * 100)

    with pytest.raises(StateError) as caught, telling(path), closing(sqlite3.connect(other)) as connection:
        connection.execute("SELECT * FROM words")

    assert caught.value.message == f"{path}: file is not a database"
    assert caught.value.hint == "run the command again: the file is checked and set aside then"
