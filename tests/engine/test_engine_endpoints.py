"""Where an engine is looked for: what a person names, then the environment, then the docker context, then the usual."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from hookci.engine.calls import EngineError
from hookci.engine.endpoints import find_endpoints

if TYPE_CHECKING:
    from pathlib import Path

HOST = "unix:///run/one.sock"


def context(home: Path, name: str, *, host: str = "tcp://far:2376", tls: tuple[str, ...] = (), **more: bool) -> None:
    """What `docker context create` writes."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = home / ".docker/contexts/meta" / digest
    meta.mkdir(parents=True)
    endpoint = {"Host": host, "SkipTLSVerify": False, **more}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}}))
    for file in tls:
        place = home / ".docker/contexts/tls" / digest / "docker"
        place.mkdir(parents=True, exist_ok=True)
        (place / file).write_text("")


def current(home: Path, name: str) -> None:
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker/config.json").write_text(json.dumps({"currentContext": name}))


def test_what_is_asked_for_beats_all_that_the_environment_says(tmp_path: Path) -> None:
    current(tmp_path, "nowhere")

    [found] = find_endpoints(HOST, {"DOCKER_HOST": "tcp://a:1", "DOCKER_CONTEXT": "b"}, tmp_path)

    assert (found.url, found.said_by, found.socket) == (HOST, "hookci.engine", "/run/one.sock")


def test_docker_host_beats_every_context(tmp_path: Path) -> None:
    [found] = find_endpoints(None, {"DOCKER_HOST": HOST, "DOCKER_CONTEXT": "far"}, tmp_path)

    assert (found.url, found.said_by) == (HOST, "DOCKER_HOST")


def test_docker_context_beats_the_current_one(tmp_path: Path) -> None:
    current(tmp_path, "near")
    context(tmp_path, "far", host="ssh://ana@far")

    [found] = find_endpoints(None, {"DOCKER_CONTEXT": "far"}, tmp_path)

    assert (found.name, found.url, found.said_by) == ("the engine of context far", "ssh://ana@far", "DOCKER_CONTEXT")
    assert found.socket is None


def test_the_current_context_is_used_when_nobody_says_anything(tmp_path: Path) -> None:
    context(tmp_path, "desktop", host=HOST)
    current(tmp_path, "desktop")

    [found] = find_endpoints(None, {}, tmp_path)

    assert (found.url, found.said_by) == (HOST, str(tmp_path / ".docker/config.json"))


def test_the_config_directory_of_the_docker_command_may_be_elsewhere(tmp_path: Path) -> None:
    context(tmp_path, "far", host=HOST)

    [found] = find_endpoints("far", {"DOCKER_CONFIG": str(tmp_path / ".docker")}, tmp_path / "home")

    assert (found.url, found.config) == (HOST, tmp_path / ".docker")


def test_without_a_word_from_anybody_the_usual_sockets_are_tried_the_systems_first(tmp_path: Path) -> None:
    found = find_endpoints(None, {"XDG_RUNTIME_DIR": "/run/user/7"}, tmp_path)

    assert [each.socket for each in found] == [
        "/var/run/docker.sock",
        "/run/user/7/docker.sock",
        f"{tmp_path}/.docker/run/docker.sock",
        f"{tmp_path}/.docker/desktop/docker.sock",
        f"{tmp_path}/.colima/default/docker.sock",
        "/run/user/7/podman/podman.sock",
        "/run/podman/podman.sock",
    ]


@pytest.mark.parametrize("wanted", ["default", None])
def test_the_default_context_is_no_context(tmp_path: Path, wanted: str | None) -> None:
    current(tmp_path, "default" if wanted is None else "far")

    found = find_endpoints(wanted, {}, tmp_path)

    assert found[0].socket == "/var/run/docker.sock"


# -- TLS


def test_docker_tls_verify_asks_for_the_files_at_docker_cert_path(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("")
    env = {"DOCKER_HOST": "tcp://far:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}

    [found] = find_endpoints(None, env, tmp_path)

    assert found.tls
    assert (found.tls.authority, found.tls.certificate, found.tls.verify) == (tmp_path / "ca.pem", None, True)


def test_docker_tls_alone_trusts_whoever_answers(tmp_path: Path) -> None:
    [found] = find_endpoints("tcp://far:2376", {"DOCKER_TLS": "1"}, tmp_path)

    assert found.tls
    assert not found.tls.verify


def test_a_socket_has_no_tls_whatever_the_environment_says(tmp_path: Path) -> None:
    [found] = find_endpoints(HOST, {"DOCKER_TLS_VERIFY": "1"}, tmp_path)

    assert found.tls is None


def test_a_directory_of_certificates_without_an_authority_is_an_error(tmp_path: Path) -> None:
    env = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}

    with pytest.raises(EngineError, match=f"there is no {tmp_path}/ca.pem"):
        find_endpoints("tcp://far:2376", env, tmp_path)


def test_a_context_brings_its_own_certificates(tmp_path: Path) -> None:
    context(tmp_path, "far", tls=("ca.pem", "cert.pem", "key.pem"))

    [found] = find_endpoints("far", {}, tmp_path)

    assert found.tls
    assert found.tls.key
    assert found.tls.key.name == "key.pem"
    assert found.tls.verify


def test_a_context_may_skip_verification(tmp_path: Path) -> None:
    context(tmp_path, "far", SkipTLSVerify=True)

    [found] = find_endpoints("far", {}, tmp_path)

    assert found.tls
    assert not found.tls.verify


# -- mistakes


def test_a_context_that_is_not_there_is_an_error_with_one_that_is(tmp_path: Path) -> None:
    context(tmp_path, "desktop-linux")

    with pytest.raises(EngineError, match=r"hookci\.engine: there is no docker context `desktop-linx`") as caught:
        find_endpoints("desktop-linx", {}, tmp_path)

    assert caught.value.hint == "did you mean `desktop-linux`?"


@pytest.mark.parametrize(
    "url",
    [
        "unix://relative.sock",
        "unix://",
        "tcp://far",
        "tcp://far:none",
        "tcp://:2375",
        "http://far:2375",
        "npipe:////./pipe/docker",
        "fd://3",
        "ssh://",
        "ssh://-oProxyCommand=false",
        "ssh://ana:word@far",
        "://",
    ],
)
def test_a_url_that_leads_to_no_engine_is_an_error_that_says_how_one_looks(tmp_path: Path, url: str) -> None:
    with pytest.raises(EngineError, match=r"DOCKER_HOST: `.*` is no address of an engine") as caught:
        find_endpoints(None, {"DOCKER_HOST": url}, tmp_path)

    assert caught.value.hint
    assert "unix:///" in caught.value.hint


@pytest.mark.parametrize("text", ["{", "\0", "[]"])
def test_a_context_that_cannot_be_read_is_an_error_with_the_file(tmp_path: Path, text: str) -> None:
    context(tmp_path, "far")
    [file] = (tmp_path / ".docker/contexts/meta").glob("*/meta.json")
    file.write_text(text)

    with pytest.raises(EngineError, match=str(file)):
        find_endpoints("far", {}, tmp_path)


def test_the_environment_is_not_shown_where_an_endpoint_is(tmp_path: Path) -> None:
    [found] = find_endpoints(HOST, {"PASSWORD": "nobody sees"}, tmp_path)

    assert "nobody sees" not in repr(found)
