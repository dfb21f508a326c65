"""Fetching the public database: from real servers on this machine, that behave and that do not."""

from __future__ import annotations

import io
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from advisory_samples import NOW, Answer, record, serving, zip_of
from msgspec.structs import replace

from hookci.advisories import advisories_status, update_advisories
from hookci.cli.surroundings import read_machine
from hookci.errors import HookciError, UsageError
from hookci.scan.advisories.advisory import NPM, PYPI
from hookci.scan.advisories.update import archive_url, download

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hookci.session import Machine

ARCHIVE = zip_of({"A-1.json": record("A-1"), "A-2.json": record("A-2")})
PATIENT = 60.0


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return replace(read_machine(), env={}, data_home=tmp_path / "share", clock=lambda: NOW)


def sends(content: bytes, *, length: int | None = None) -> Callable[[Answer], None]:
    def behave(answer: Answer) -> None:
        answer.send_response(200)
        answer.send_header("Content-Length", str(len(content) if length is None else length))
        answer.end_headers()
        answer.wfile.write(content)

    return behave


def count(machine: Machine) -> int:
    return sum(stored.advisories for stored in advisories_status(machine).stored)


def fails(machine: Machine, url: str, timeout: float = PATIENT) -> HookciError:
    """How an update fails; what was there before must be there afterwards, and nothing else."""
    with serving(sends(zip_of({"old.json": record("OLD-1")}))) as good:
        update_advisories(machine, [PYPI], good, timeout=PATIENT)
    with pytest.raises(HookciError) as caught:
        update_advisories(machine, [PYPI], url, timeout=timeout)
    assert count(machine) == 1
    assert sorted(path.name for path in (machine.data_home / "hookci").iterdir()) == [
        "advisories.db",
        "advisories.lock",
    ]
    assert caught.value.exit_status == 3
    return caught.value


def test_an_update_takes_in_the_archive_of_each_ecosystem(machine: Machine) -> None:
    asked = []

    def behave(answer: Answer) -> None:
        asked.append((answer.path, answer.headers["User-Agent"].partition("/")[0]))
        name = answer.path.split("/")[2]
        sends(zip_of({"x.json": record(f"{name}-1", ecosystem=name)}))(answer)

    with serving(behave) as url:
        report = update_advisories(machine, [PYPI, NPM], f"{url}/mirror/", timeout=PATIENT)

    assert asked == [("/mirror/PyPI/all.zip", "hookci"), ("/mirror/npm/all.zip", "hookci")]
    assert [(stored.ecosystem, stored.advisories) for stored in report.stored] == [("npm", 1), ("PyPI", 1)]


def test_a_redirect_is_followed(machine: Machine) -> None:
    def behave(answer: Answer) -> None:
        if answer.path == "/PyPI/all.zip":
            answer.send_response(302)
            answer.send_header("Location", "/elsewhere/all.zip")
            answer.end_headers()
        else:
            sends(ARCHIVE)(answer)

    with serving(behave) as url:
        update_advisories(machine, [PYPI], url, timeout=PATIENT)

    assert count(machine) == 2


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("/PyPI/all.zip", "it redirects in a circle"),
        ("file:///etc/passwd", "it redirects to file:///etc/passwd, which is not https"),
        ("ftp://127.0.0.1/all.zip", "it redirects to ftp://127.0.0.1/all.zip, which is not https"),
    ],
)
def test_a_redirect_to_nowhere_is_told(machine: Machine, location: str, message: str) -> None:
    def behave(answer: Answer) -> None:
        answer.send_response(301)
        answer.send_header("Location", location)
        answer.end_headers()

    with serving(behave) as url:
        error = fails(machine, url)

    assert error.message == f"{url}/PyPI/all.zip: {message}"


def test_an_archive_that_is_not_there_is_told(machine: Machine) -> None:
    with serving(lambda answer: answer.send_error(404)) as url:
        error = fails(machine, url)

    assert error.message == f"{url}/PyPI/all.zip: 404 not found"
    assert error.hint == (
        "what is there stays as it is; `hookci advisories import FILE` takes an archive from elsewhere"
    )


def test_no_server_is_told(machine: Machine) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = fails(machine, url)

    assert error.message == f"{url}/PyPI/all.zip: connection refused"


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Set at the end of a test, so that servers that hang come to an end too."""
    event = threading.Event()
    yield event
    event.set()


def test_a_server_that_never_answers_is_given_up(machine: Machine, released: threading.Event) -> None:
    def behave(_answer: Answer) -> None:
        released.wait()

    with serving(behave) as url:
        error = fails(machine, url, timeout=0.3)
        released.set()

    assert error.message.startswith(f"{url}/PyPI/all.zip: ")
    assert error.message.endswith(("not finished after 0.3 s", "no answer in time"))


def test_a_server_that_drips_is_given_up_though_it_is_never_silent_for_long(
    machine: Machine, released: threading.Event
) -> None:
    def behave(answer: Answer) -> None:
        answer.wfile.write(b"HTTP/1.0 200 OK\r\n")
        while not released.wait(0.05):
            answer.wfile.write(b"X-Drip: 1\r\n")

    with serving(behave) as url:
        error = fails(machine, url, timeout=0.5)
        released.set()

    assert error.message == f"{url}/PyPI/all.zip: not finished after 0.5 s"
    assert error.hint is not None
    assert error.hint.startswith("--timeout allows more; ")


def test_an_answer_that_is_cut_off_is_told(machine: Machine) -> None:
    with serving(sends(ARCHIVE[:-20], length=len(ARCHIVE))) as url:
        error = fails(machine, url)

    assert error.message == f"{url}/PyPI/all.zip: it ended after {len(ARCHIVE) - 20} of {len(ARCHIVE)} bytes"


@pytest.mark.parametrize("content", [ARCHIVE[:-20], b"<html>please log in</html>", b""])
def test_what_is_no_whole_archive_is_told(machine: Machine, content: bytes) -> None:
    with serving(sends(content)) as url:
        error = fails(machine, url)

    assert error.message == f"{url}/PyPI/all.zip: what came is not a whole zip archive"


def test_an_archive_without_advisories_is_told(machine: Machine) -> None:
    with serving(sends(zip_of({"x.json": {}}))) as url:
        error = fails(machine, url)

    assert error.message == (
        f"{url}/PyPI/all.zip: there is no advisory on a package of PyPI or npm to import\n"
        f"{url}/PyPI/all.zip: x.json: it has no id"
    )


def test_an_archive_that_does_not_come_keeps_the_others_out_too(machine: Machine) -> None:
    def behave(answer: Answer) -> None:
        if "npm" in answer.path:
            answer.send_error(503)
        else:
            sends(ARCHIVE)(answer)

    with serving(behave) as url, pytest.raises(HookciError, match=r"npm/all\.zip: 503 service unavailable$"):
        update_advisories(machine, [PYPI, NPM], url, timeout=PATIENT)

    assert count(machine) == 0


@pytest.mark.parametrize("length", [None, 0])
def test_more_than_is_taken_is_refused_also_when_it_is_not_announced(length: int | None) -> None:
    def behave(answer: Answer) -> None:
        answer.send_response(200)
        if length is None:
            answer.send_header("Content-Length", str(len(ARCHIVE)))
        answer.end_headers()
        answer.wfile.write(ARCHIVE)

    with serving(behave) as url, pytest.raises(HookciError, match=r"bytes, more than the 100|more than the 100 bytes"):
        download(f"{url}/x", io.BytesIO(), {}, PATIENT, largest=100)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
def test_the_proxy_of_the_environment_is_asked_instead(machine: Machine, name: str) -> None:
    asked = []

    def behave(answer: Answer) -> None:
        asked.append(answer.path)
        sends(ARCHIVE)(answer)

    with serving(behave) as proxy:
        behind = replace(machine, env={name: proxy})
        update_advisories(behind, [PYPI], "http://osv.example.invalid", timeout=PATIENT)

    assert asked == ["http://osv.example.invalid/PyPI/all.zip"]


def test_no_proxy_is_asked_for_a_host_that_is_excepted(machine: Machine) -> None:
    with serving(sends(ARCHIVE)) as url, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        env = {"http_proxy": f"http://127.0.0.1:{unused.getsockname()[1]}", "no_proxy": "example.com,127.0.0.1"}
        update_advisories(replace(machine, env=env), [PYPI], url, timeout=PATIENT)

    assert count(machine) == 2


@pytest.mark.parametrize("base", ["file:///etc", "osv.example.com", "https://", ""])
def test_an_address_that_is_not_of_http_is_a_usage_error(base: str) -> None:
    with pytest.raises(UsageError, match=r"is not an address that begins with https:// or http://$"):
        archive_url(base, PYPI)
