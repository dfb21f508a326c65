"""``hookci advisories`` as a person meets it."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran, Repo, Sealed

HOW = "fetch them with `hookci advisories update`, or take in what you have with `hookci advisories import FILE`"
AGAIN = "import it again: `hookci advisories update`, or `hookci advisories import FILE`"
OFFLINE = "what is there stays as it is; `hookci advisories import FILE` takes an archive from elsewhere"
MODIFIED = datetime(2024, 10, 10, 12, tzinfo=UTC)


def record(ident: str, package: str = "django", ecosystem: str = "PyPI", **changes: object) -> dict[str, object]:
    affected = {"package": {"ecosystem": ecosystem, "name": package}, "versions": ["2.2"]}
    return {"id": ident, "modified": MODIFIED.isoformat(), "affected": [affected], **changes}


def age() -> str:
    return f"{(datetime.now(UTC).date() - MODIFIED.date()).days} days ago"


@pytest.fixture
def here(make_repo: Callable[..., Repo], tmp_path: Path) -> Repo:
    """A directory that is in no repository."""
    repo = make_repo(remote=False)
    repo.path = tmp_path / "here"
    repo.path.mkdir()
    return repo


def put(here: Repo, name: str, content: object) -> None:
    (here.path / name).write_text(json.dumps(content))


def said(ran: Ran) -> tuple[int, str, str]:
    return ran.returncode, ran.stdout, ran.stderr


def test_without_a_database_it_says_how_to_get_one(here: Repo, sealed: Sealed) -> None:
    for arguments in (["advisories"], ["advisories", "status"]):
        assert said(here.hookci(*arguments)) == (
            0,
            f"no advisories in {sealed.home}/.local/share/hookci/advisories.db\n{HOW}\n",
            "",
        )


def test_an_import_says_what_came_in_and_the_status_what_is_there(here: Repo, sealed: Sealed) -> None:
    (here.path / "advisories").mkdir()
    for number in range(1200):
        put(here, f"advisories/A-{number}.json", record(f"A-{number}", f"p{number % 3}"))
    put(here, "more.json", [record("N-1", "left-pad", "npm"), record("G-1", ecosystem="Go"), record("A-1")])

    ran = here.hookci("advisories", "import", "advisories", "more.json")
    status = here.hookci("advisories")

    stored = (
        f"npm: 1 advisory on 1 package, as of 2024-10-10 ({age()})\n"
        f"PyPI: 1,200 advisories on 3 packages, as of 2024-10-10 ({age()})\n"
    )
    assert said(ran) == (0, f"imported: 1,201 new, 1 there already\nleft out: 1 Go\n{stored}", "")
    assert said(status) == (0, f"{sealed.home}/.local/share/hookci/advisories.db\n{stored}", "")


def test_records_that_cannot_be_read_are_named_and_the_others_come_in(here: Repo) -> None:
    put(here, "a.json", record("A-1"))
    for number in range(6):
        put(here, f"b{number}.json", {"id": "B-1"})
    (here.path / "c.json").write_text("{")

    ran = here.hookci("advisories", "import", ".")

    why = "it does not say when it was modified"
    assert said(ran) == (
        0,
        f"imported: 1 new\nPyPI: 1 advisory on 1 package, as of 2024-10-10 ({age()})\n",
        "warning: 7 records could not be read\n"
        + "".join(f"  {here.path}/b{number}.json: {why}\n" for number in range(5))
        + "  and 2 more\n",
    )


def test_an_import_of_nothing_is_refused_and_loses_nothing(here: Repo) -> None:
    put(here, "a.json", record("A-1"))
    here.hookci("advisories", "import", "a.json")
    put(here, "empty.json", {})

    ran = here.hookci("advisories", "import", "empty.json", check=False)

    assert said(ran) == (
        2,
        "",
        f"error: there is no advisory on a package of PyPI or npm to import\n  {here.path}/empty.json: it has no id\n",
    )
    assert "PyPI: 1 advisory" in here.hookci("advisories").stdout


def test_a_file_that_is_not_there_is_refused(here: Repo) -> None:
    ran = here.hookci("advisories", "import", "nowhere.json", check=False)

    assert said(ran) == (2, "", f"error: {here.path}/nowhere.json: no such file or directory\n")


def test_the_data_directory_is_that_of_the_environment(here: Repo, tmp_path: Path) -> None:
    put(here, "a.json", record("A-1"))

    here.hookci("advisories", "import", "a.json", env={"XDG_DATA_HOME": str(tmp_path / "data")})

    assert (tmp_path / "data" / "hookci" / "advisories.db").is_file()
    assert "no advisories in" in here.hookci("advisories").stdout


def test_a_broken_database_is_told_and_replaced(here: Repo, sealed: Sealed) -> None:
    put(here, "a.json", record("A-1"))
    here.hookci("advisories", "import", "a.json")
    database = sealed.home / ".local/share/hookci/advisories.db"
    database.write_bytes(b"nonsense")

    status = here.hookci("advisories", check=False)
    ran = here.hookci("advisories", "import", "a.json")

    assert said(status) == (
        3,
        "",
        f"error: {database} is broken\nhint: {AGAIN}\n",
    )
    assert said(ran) == (
        0,
        f"imported: 1 new\nPyPI: 1 advisory on 1 package, as of 2024-10-10 ({age()})\n",
        "warning: the database that was there could not be read: this one begins anew\n",
    )


def test_an_update_fetches_an_archive(here: Repo, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror" / "PyPI"
    mirror.mkdir(parents=True)
    with zipfile.ZipFile(mirror / "all.zip", "w") as archive:
        archive.writestr("A-1.json", json.dumps(record("A-1")))

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(mirror.parent))  # type: ignore[arg-type]  # as it comes

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        good = here.hookci("advisories", "update", "--url", url)
        bad = here.hookci("advisories", "update", "--ecosystem", "npm", "--url", url, check=False)
        server.shutdown()

    assert said(good) == (
        0,
        f"imported: 1 new\nPyPI: 1 advisory on 1 package, as of 2024-10-10 ({age()})\n",
        "",
    )
    assert said(bad) == (
        3,
        "",
        f"error: {url}/npm/all.zip: 404 file not found\nhint: {OFFLINE}\n",
    )


def test_an_update_from_no_address_is_a_usage_error(here: Repo) -> None:
    ran = here.hookci("advisories", "update", "--url", "osv.example.com", check=False)

    assert said(ran) == (
        2, "", "error: --url: osv.example.com is not an address that begins with https:// or http://\n",
    )  # fmt: skip
