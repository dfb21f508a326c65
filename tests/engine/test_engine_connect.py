"""Reaching real engines, by every way there is, and what is said where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil
import pytest
from engine_servers import answering, certified, podman, relay, silent
from msgspec.structs import replace
from ssh_servers import ssh_server

from hookci.engine import connect as connect_module
from hookci.engine.calls import EngineGoneError
from hookci.engine.connect import OLDEST, connect
from hookci.engine.endpoints import Endpoint, find_endpoints
from hookci.engine.greeting import greet, greet_first

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine_servers import Certified

    from hookci.engine.calls import Engine

VERSION = {"Version": "9.9", "ApiVersion": "1.52", "MinAPIVersion": "1.24", "Components": [{"Name": "Engine"}]}
INFO = {"ID": "one of many"}


def at(url: str, tmp_path: Path, env: Mapping[str, str] | None = None) -> list[Endpoint]:
    return find_endpoints(url, env or {}, tmp_path)


@contextmanager
def pretended(tmp_path: Path, **version: str) -> Iterator[str]:
    """A server that says it were an engine of some version, and what it is asked first."""
    told = {**VERSION, **version}
    paths = {f"/v{number}/info": INFO for number in ("1.41", "1.44")}
    with answering(tmp_path / "socket", {"/version": told, **paths}) as url:
        yield url


def refusal(endpoints: list[Endpoint]) -> EngineGoneError:
    with pytest.raises(EngineGoneError) as caught:
        connect(endpoints)
    assert caught.value.message.startswith("no container engine can be used: ")
    return caught.value


# -- ways


@pytest.mark.docker
def test_an_engine_is_reached_by_its_socket(engine: Engine, tmp_path: Path) -> None:
    socket = engine.socket or ""

    [found] = at(f"unix://{socket}", tmp_path)
    reached = connect([found])

    assert (reached.id, reached.version, reached.socket) == (engine.id, OLDEST, socket)
    assert reached.name == f"the engine at unix://{socket}"


@pytest.mark.docker
def test_an_engine_is_reached_by_tcp(engine: Engine, tmp_path: Path) -> None:
    with relay(engine.socket or "") as far:
        reached = connect(at(far.url, tmp_path))

        assert (reached.id, reached.socket) == (engine.id, None)


@pytest.fixture
def certificates(tmp_path: Path) -> Certified:
    return certified(tmp_path / "certificates")


@pytest.mark.docker
def test_an_engine_is_reached_by_tls_with_a_certificate_of_ours(
    engine: Engine, tmp_path: Path, certificates: Certified
) -> None:
    env = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates.directory)}

    with relay(engine.socket or "", certificates.context) as far:
        reached = connect(at(far.url, tmp_path, env))

        assert reached.id == engine.id


@pytest.mark.docker
def test_an_engine_with_the_certificate_of_a_stranger_is_none(
    engine: Engine, tmp_path: Path, certificates: Certified
) -> None:
    other = certified(tmp_path / "others")
    env = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(other.directory)}

    with relay(engine.socket or "", certificates.context) as far:
        error = refusal(at(far.url, tmp_path, env))

    assert "its certificate is not trusted" in error.message
    assert "DOCKER_CERT_PATH" in (error.hint or "")


@pytest.mark.docker
def test_without_verification_the_certificate_of_a_stranger_is_taken_without_a_warning(
    engine: Engine, tmp_path: Path, certificates: Certified
) -> None:
    env = {"DOCKER_TLS": "1", "DOCKER_CERT_PATH": str(certificates.directory)}

    with relay(engine.socket or "", certificates.context) as far:
        reached = connect(at(far.url, tmp_path, env))

        assert reached.id == engine.id


@pytest.mark.docker
def test_an_engine_is_reached_through_ssh_with_one_login_for_all_calls(engine: Engine, tmp_path: Path) -> None:
    with ssh_server(tmp_path) as server:
        [endpoint] = at(f"{server.url}{engine.socket}", tmp_path, server.env)
        reached = connect([endpoint])

        # the server has one session for each login
        with closing(reached.api), ThreadPoolExecutor(10) as threads:
            ids = list(threads.map(lambda _: reached.api.info()["ID"], range(30)))

    assert set(ids) == {engine.id}
    assert reached.socket is None


@pytest.mark.docker
def test_the_connection_through_ssh_ends_when_we_are_killed_and_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    program = (
        "import sys, os, time\n"
        "from pathlib import Path\n"
        "from hookci.engine.connect import connect\n"
        "from hookci.engine.endpoints import find_endpoints\n"
        "print(connect(find_endpoints(sys.argv[1], os.environ, Path('/'))).id, flush=True)\n"
        "time.sleep(60)\n"
    )
    with ssh_server(tmp_path) as server, TemporaryDirectory(dir="/tmp") as sockets:
        child = subprocess.Popen(
            [sys.executable, "-c", program, f"{server.url}{engine.socket}"],
            env={**server.env, "TMPDIR": sockets}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        with child:
            assert child.stdout
            reached = child.stdout.readline().strip()
            ssh = psutil.Process(child.pid).children(recursive=True)
            names = {one.name() for one in ssh}
            child.kill()
        _gone, alive = psutil.wait_procs(ssh, timeout=10)
        alive = [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]  # nobody has waited for it yet
        left = list(Path(sockets).iterdir())

    assert reached == engine.id
    assert "ssh" in names
    assert (alive, left) == ([], [])


@pytest.mark.docker
def test_a_long_name_of_the_directory_for_temporary_files_does_no_harm(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))

    with ssh_server(tmp_path) as server:
        reached = connect(at(f"{server.url}{engine.socket}", tmp_path, server.env))
        told = reached.id
        reached.api.close()

    assert told == engine.id


def test_ssh_that_is_not_let_in_says_why(tmp_path: Path) -> None:
    with ssh_server(tmp_path) as server:
        (tmp_path / "user.pub").write_text("")

        error = refusal(at(server.url, tmp_path, server.env))

    assert "Permission denied" in error.message
    assert "`ssh` has to get in without asking anything" in (error.hint or "")


def test_ssh_to_a_machine_without_that_socket_says_so(tmp_path: Path) -> None:
    with ssh_server(tmp_path) as server:
        error = refusal(at(f"{server.url}/run/no engine.sock", tmp_path, server.env))

    assert "/run/no engine.sock is not there" in error.message


def test_without_ssh_on_the_path_that_is_said(tmp_path: Path) -> None:
    error = refusal(at("ssh://nowhere.invalid", tmp_path, {"PATH": str(tmp_path)}))

    assert "ssh: not found" in error.message


def test_podmans_compatible_api_will_do_and_has_one_id_for_all_calls(tmp_path: Path) -> None:
    with podman() as url:
        first, second = connect(at(url, tmp_path)), connect(at(url, tmp_path))

    assert first.version == OLDEST
    assert first.id == second.id


# -- versions


def test_a_newer_engine_is_spoken_to_as_the_oldest_that_will_do(tmp_path: Path) -> None:
    with pretended(tmp_path) as url:
        reached = connect(at(url, tmp_path))
        told = reached.id

    assert (reached.version, told) == ("1.41", "one of many")


def test_an_engine_that_has_forgotten_it_is_spoken_to_as_the_oldest_it_knows(tmp_path: Path) -> None:
    with pretended(tmp_path, MinAPIVersion="1.44") as url:
        reached = connect(at(url, tmp_path))

    assert reached.version == "1.44"


def test_an_engine_that_is_too_old_is_none_and_the_message_says_what_is_needed(tmp_path: Path) -> None:
    with pretended(tmp_path, Version="18.06", ApiVersion="1.30", MinAPIVersion="1.12") as url:
        error = refusal(at(url, tmp_path))

    assert "the engine 18.06 is too old: it speaks API 1.30, and 1.41 is needed" in error.message
    assert error.hint == "update it: Docker 20.10 and Podman 4.0 are new enough"


# -- none


@pytest.mark.parametrize("answer", ["<html>hello</html>", "[]", "{}"])
def test_a_server_of_something_else_is_no_engine(tmp_path: Path, answer: str) -> None:
    with answering(tmp_path / "socket", {"/version": answer}) as url:
        error = refusal(at(url, tmp_path))

    assert "no Docker Engine API" in error.message


def test_a_server_that_never_answers_is_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect_module, "_FIRST_ANSWER", 0.2)

    with silent(tmp_path / "socket") as url:
        error = refusal(at(url, tmp_path))

    assert "no answer in time" in error.message


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("unix:///nowhere/docker.sock", "there is nothing at unix:///nowhere/docker.sock"),
        ("unix:///dev/null", "nobody listens there"),
        ("tcp://127.0.0.1:1", "nobody listens there"),
        ("tcp://engine.invalid:2375", "there is no such host"),
    ],
)
def test_where_nobody_is_the_message_says_so_and_that_local_jobs_need_none(
    tmp_path: Path, url: str, reason: str
) -> None:
    error = refusal(at(url, tmp_path))

    assert reason in error.message
    assert "systemctl start docker" in (error.hint or "")
    assert "a job without `image` runs on this machine and needs none" in (error.hint or "")


def test_a_socket_that_this_user_may_not_use_is_told_with_the_group_that_may(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from hookci.engine import connect, endpoints\n"
        "from hookci.engine.calls import EngineGoneError\n"
        "from pathlib import Path\n"
        "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: connect.connect(endpoints.find_endpoints(sys.argv[2], {}, Path('/')))\n"
        "except EngineGoneError as error: print(error.message, error.hint)\n"
    )
    with pretended(tmp_path) as url:
        (tmp_path / "socket").chmod(0o600)
        tmp_path.chmod(0o755)
        top = str(Path(connect_module.__file__).parents[2])
        # imported before the power to read it is given up
        done = subprocess.run(
            [sys.executable, "-c", program, top, url], capture_output=True, text=True, check=True, cwd="/"
        )

    assert "permission denied" in done.stdout
    assert "usermod -aG docker" in done.stdout


def test_the_first_of_the_usual_places_that_answers_is_the_engine(tmp_path: Path) -> None:
    [nothing] = at("unix:///nowhere/docker.sock", tmp_path)
    with pretended(tmp_path) as url:
        [one] = at(url, tmp_path)

        reached = connect([nothing, one, replace(one, name="another")])

    assert reached.name == one.name


def test_of_all_that_was_tried_the_message_names_each_and_first_what_somebody_is_at(tmp_path: Path) -> None:
    usual = find_endpoints(None, {}, tmp_path)[1:]
    with pretended(tmp_path, ApiVersion="1.30") as url:
        error = refusal([*usual, *at(url, tmp_path)])

    assert error.message.index("too old") < error.message.index("there is nothing at")
    assert all(each.url in error.message for each in usual)
    assert "update it" in (error.hint or "")


# -- use


@pytest.mark.docker
def test_any_number_of_threads_may_call_at_once_and_nothing_is_said_on_the_standard_error(
    engine: Engine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reached = connect(at(f"unix://{engine.socket}", tmp_path))

    with ThreadPoolExecutor(60) as threads:
        versions = list(threads.map(lambda _: reached.api.version()["ApiVersion"], range(600)))

    assert len(versions) == 600
    assert set(versions) == {engine.api.version()["ApiVersion"]}
    assert capfd.readouterr().err == ""


@pytest.mark.docker
def test_an_engine_that_goes_away_in_the_middle_is_an_error_with_its_name(engine: Engine, tmp_path: Path) -> None:
    with relay(engine.socket or "") as far:
        reached = connect(at(far.url, tmp_path))

        far.cut()

        said = f"the engine at {far.url} went away when it was to do something"
        with pytest.raises(EngineGoneError, match=said), reached.calling("do something") as api:
            api.info()


@pytest.mark.docker
def test_the_users_proxies_do_not_stand_between_us_and_the_engine(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with relay(engine.socket or "") as far:
        reached = connect(at(far.url, tmp_path))

        assert reached.id == engine.id


# -- the first question


def test_the_first_socket_where_somebody_listens_is_asked_before_all_is_loaded(tmp_path: Path) -> None:
    nothing = at(f"unix://{tmp_path}/nothing", tmp_path)
    with pretended(tmp_path, Version="10.1") as url:
        greeting = greet_first([*nothing, *at(url, tmp_path)])
        assert greeting is not None
        reached = connect([*nothing, *at(url, tmp_path)], greeting)

    assert greeting.path == str(tmp_path / "socket")
    assert (reached.version, reached.socket) == (OLDEST, greeting.path)


def test_what_is_no_version_is_asked_for_again_in_full(tmp_path: Path) -> None:
    with answering(tmp_path / "socket", {"/version": ["none"]}) as url:
        answer = greet(url.removeprefix("unix://")).answer()

    assert answer is None


def test_nobody_is_asked_early_over_a_network(tmp_path: Path) -> None:
    assert greet_first(at("tcp://127.0.0.1:9", tmp_path)) is None
