"""The database: what an import makes of it, what readers see meanwhile, and what a broken one leads to."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from datetime import date
from typing import TYPE_CHECKING

import pytest
from advisory_samples import NOW, documents, private, record

from hookci.errors import StateError, UsageError
from hookci.scan.advisories.advisory import NPM, PYPI, Advisory
from hookci.scan.advisories.database import Database, Stored, database_path, fingerprint_of
from hookci.scan.advisories.importer import ImportReport, import_records
from hookci.scan.advisories.sources import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hookci.scan.advisories.sources import Piece

OLDER, NEWER = "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"
KILLED = """
import sys, time
from pathlib import Path
from hookci.scan.advisories.importer import import_records
from hookci.scan.advisories.sources import Document

def pieces():
    for number in range(2000):
        package = {"ecosystem": "PyPI", "name": f"p{number}"}
        entry = {"package": package, "versions": ["1.0"] * 100}
        yield Document("x", {"id": f"B-{number}", "modified": "2026-01-01T00:00:00Z", "affected": [entry]})
    print("in the middle", flush=True)
    time.sleep(60)

import_records(Path(sys.argv[1]), pieces(), time.time())
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return private(tmp_path / "hookci")


def take_in(data: Path, *records: object) -> ImportReport:
    return import_records(data, documents(*records), NOW)


def opened(data: Path) -> Database:
    database = Database.open(data)
    assert database is not None
    return database


def ids(data: Path, package: str = "django", ecosystem: str = PYPI) -> list[str]:
    with opened(data) as database:
        return [advisory.id for advisory in database.about(ecosystem, [package])[package]]


def test_there_is_none_before_the_first_import(data: Path) -> None:
    assert Database.open(data) is None
    assert Database.open(data / "missing") is None
    assert fingerprint_of(data) == ""
    assert fingerprint_of(data / "missing") == ""


def test_an_advisory_comes_back_as_it_went_in(data: Path) -> None:
    changes = {
        "aliases": ["CVE-1"], "database_specific": {"severity": "HIGH"},
        "references": [{"type": "WEB", "url": "https://example.com"}],
    }  # fmt: skip
    take_in(data, {**record("A-1", "p"), **changes})

    with opened(data) as database:
        found = database.about(PYPI, ["p"])

    assert found["p"][0] == Advisory(
        id="A-1", ecosystem=PYPI, package="p", summary="a hole", ranges=((("introduced", "0"), ("fixed", "2.2.24")),),
        aliases=("CVE-1",), severity=found["p"][0].severity, url="https://example.com",
    )  # fmt: skip
    assert str(found["p"][0].severity) == "high"


def test_packages_are_asked_for_together_and_in_their_ecosystem(data: Path) -> None:
    take_in(data, record("A-2"), record("A-1"), record("A-3", "jinja2"), record("N-1", "jinja2", ecosystem=NPM))

    with opened(data) as database:
        found = database.about(PYPI, ["django", "jinja2", "flask"])

    names = {package: [advisory.id for advisory in advisories] for package, advisories in found.items()}
    assert names == {"django": ["A-1", "A-2"], "jinja2": ["A-3"], "flask": []}
    assert ids(data, "jinja2", NPM) == ["N-1"]


def test_the_report_says_what_came_and_what_is_there(data: Path) -> None:
    take_in(data, record("A-1"), record("A-2"), record("A-3", "jinja2"))

    report = take_in(
        data,
        record("A-1"),
        record("A-2", modified=NEWER),
        record("A-3", withdrawn=NEWER, modified=NEWER),
        record("A-4", "flask"),
        record("N-1", "left-pad", ecosystem=NPM),
        record("G-1", ecosystem="Go"),
        {"id": "B-1"},
    )

    assert report == ImportReport(
        stored=(
            Stored(ecosystem=NPM, advisories=1, packages=1, date=date(2026, 1, 2)),
            Stored(ecosystem=PYPI, advisories=3, packages=2, date=date(2026, 3, 1)),
        ),
        new=2, changed=1, withdrawn=1, unchanged=1, left_out={"Go": 1}, unreadable=1, replaced_broken=False,
        refused=(Refused("record 7", "it does not say when it was modified"),),
    )  # fmt: skip


def test_what_was_modified_last_holds_whichever_comes_first(data: Path) -> None:
    take_in(data, record("A-1", "old", modified=OLDER), record("A-1", "new", modified=NEWER))
    take_in(data, record("A-1", "old", modified=OLDER))

    assert ids(data, "new") == ["A-1"]
    assert ids(data, "old") == []


def test_what_was_withdrawn_goes_and_no_older_source_brings_it_back(data: Path) -> None:
    take_in(data, record("A-1"), record("A-2"))

    take_in(data, record("A-1", modified=NEWER, withdrawn=NEWER))
    take_in(data, record("A-1"), record("A-2"))

    assert ids(data) == ["A-2"]


def test_an_advisory_that_moves_to_another_ecosystem_is_no_longer_about_the_package(data: Path) -> None:
    take_in(data, record("A-1"), record("A-2"))

    take_in(data, record("A-1", ecosystem="Go", modified=NEWER))

    assert ids(data) == ["A-2"]


def test_the_date_is_that_of_the_newest_advisory_and_not_of_the_import(data: Path) -> None:
    take_in(data, record("A-1", modified=OLDER), record("A-2", modified=NEWER), record("N-1", "x", ecosystem=NPM))

    with opened(data) as database:
        dates = database.dates

    assert dates == {PYPI: date(2026, 3, 1), NPM: date(2026, 1, 2)}


def test_a_date_in_the_future_does_not_keep_the_database_young(data: Path) -> None:
    take_in(data, record("A-1", modified=NEWER), record("A-2", modified="2999-01-01T00:00:00Z"))

    with opened(data) as database:
        assert database.dates == {PYPI: date(2026, 3, 1)}


def test_nothing_to_import_is_a_usage_error_that_names_the_reasons(data: Path) -> None:
    take_in(data, record("A-1"))
    before = fingerprint_of(data)
    pieces: list[Piece] = [Refused(f"{number}.json", "not JSON") for number in range(7)]

    with pytest.raises(UsageError) as caught:
        import_records(data, [*pieces, *documents(record("G-1", ecosystem="Go"))], NOW)

    assert caught.value.message == (
        "there is no advisory on a package of PyPI or npm to import\n"
        "0.json: not JSON\n1.json: not JSON\n2.json: not JSON\n3.json: not JSON\n4.json: not JSON\n"
        "and 2 more that cannot be read\nleft out: 1 Go"
    )
    assert fingerprint_of(data) == before
    assert sorted(path.name for path in data.iterdir()) == ["advisories.db", "advisories.lock"]


def test_the_fingerprint_changes_with_the_content_and_only_then(data: Path) -> None:
    take_in(data, record("A-1"))
    first = fingerprint_of(data)
    take_in(data, record("A-1"))
    same = fingerprint_of(data)
    take_in(data, record("A-2"))

    with opened(data) as database:
        assert database.digest == fingerprint_of(data)
    assert first == same != fingerprint_of(data)


def test_the_database_is_private(data: Path) -> None:
    before = os.umask(0)
    try:
        take_in(data, record("A-1"))
    finally:
        os.umask(before)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}
    assert modes == {0o600}


def test_a_planted_link_is_neither_read_nor_written_through(data: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    database_path(data).symlink_to(victim)

    with pytest.raises(StateError, match=r"advisories\.db is a symlink"):
        Database.open(data)
    with pytest.raises(StateError, match=r"advisories\.db is a symlink"):
        take_in(data, record("A-1"))
    database_path(data).unlink()
    (data / "advisories.db.new").symlink_to(victim)
    with pytest.raises(StateError, match=r"advisories\.db\.new is a symlink"):
        take_in(data, record("A-1"))

    assert victim.read_text() == "mine"


@pytest.mark.parametrize("content", [b"", b"nonsense " * 1000])
def test_a_broken_database_is_an_error_until_it_is_imported_again(data: Path, content: bytes) -> None:
    database_path(data).write_bytes(content)

    with pytest.raises(StateError) as caught:
        Database.open(data)
    report = take_in(data, record("A-1"))

    assert caught.value.hint == "import it again: `hookci advisories update`, or `hookci advisories import FILE`"
    assert report.replaced_broken
    assert ids(data) == ["A-1"]


def test_a_database_of_another_version_is_an_error_until_it_is_imported_again(data: Path) -> None:
    take_in(data, record("A-1"))
    with sqlite3.connect(database_path(data)) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(StateError, match=r"was made by another version of hookci$"):
        Database.open(data)
    take_in(data, record("A-2"))

    assert ids(data) == ["A-2"]


def test_a_page_that_is_damaged_is_never_an_empty_answer(data: Path) -> None:
    take_in(data, *(record(f"A-{number}", details="x" * 500) for number in range(200)))
    size = database_path(data).stat().st_size
    with database_path(data).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))

    with pytest.raises(StateError, match=r"is broken$"):
        ids(data)


def test_an_entry_that_is_damaged_is_never_an_empty_answer(data: Path) -> None:
    take_in(data, record("A-1"))
    with sqlite3.connect(database_path(data)) as connection:
        connection.execute("UPDATE affected SET body = '{}'")
    connection.close()

    with pytest.raises(StateError, match=r"is broken$"):
        ids(data)


def test_a_kill_in_the_middle_of_an_import_leaves_the_old_database(data: Path) -> None:
    take_in(data, record("A-1"))
    before = fingerprint_of(data)
    with subprocess.Popen(
        [sys.executable, "-I", "-c", KILLED, str(data)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()

    left = sorted(path.name for path in data.iterdir())
    after_kill = (fingerprint_of(data), ids(data))
    take_in(data, record("A-2"))

    assert said == "in the middle\n"
    assert left == ["advisories.db", "advisories.db.new", "advisories.lock"]
    assert after_kill == (before, ["A-1"])
    assert ids(data) == ["A-1", "A-2"]
    assert ids(data, "p1") == []
    assert sorted(path.name for path in data.iterdir()) == ["advisories.db", "advisories.lock"]


def test_what_stops_an_import_half_way_leaves_the_old_database(data: Path) -> None:
    take_in(data, record("A-1"))

    def pieces() -> Iterator[Piece]:
        yield from documents(record("A-2"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_records(data, pieces(), NOW)

    assert ids(data) == ["A-1"]
    assert sorted(path.name for path in data.iterdir()) == ["advisories.db", "advisories.lock"]


def test_a_reader_sees_the_old_database_or_the_new_one(data: Path) -> None:
    take_in(data, record("A-0", "p"), record("A-0b", "q"))
    seen: set[tuple[int, int]] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            with opened(data) as database:
                found = database.about(PYPI, ["p", "q"])
                seen.add((len(found["p"]), len(found["q"])))

    with opened(data) as held:
        reader = threading.Thread(target=read)
        reader.start()
        for number in range(1, 20):
            take_in(data, record(f"A-{number}", "p"), record(f"A-{number}b", "q"))
        done.set()
        reader.join()
        kept = held.about(PYPI, ["p"])["p"]

    assert len(kept) == 1
    assert len(ids(data, "p")) == 20
    assert all(p == q for p, q in seen)


def test_two_imports_at_once_both_come_in(data: Path) -> None:
    threads = [
        threading.Thread(target=take_in, args=(data, *(record(f"{name}-{number}") for number in range(50))))
        for name in ("A", "B", "C")
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ids(data)) == 150


def test_a_directory_that_cannot_be_written_is_told(data: Path) -> None:
    (data / "advisories.db.new").mkdir()

    with pytest.raises(StateError, match=r"advisories\.db\.new"):
        take_in(data, record("A-1"))


def test_names_that_look_like_addresses_are_still_files(tmp_path: Path) -> None:
    data = private(tmp_path / "a?mode=rw#b%20c")
    take_in(data, record("A-1"))

    assert ids(data) == ["A-1"]
