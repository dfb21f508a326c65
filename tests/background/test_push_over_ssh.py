"""A remote behind a connection that ends when nothing happens on it for a second."""

from __future__ import annotations

import getpass
import select
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from guarded import guard
from ssh_servers import ssh_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Repo

SLOW = """\
[jobs.unit]
script = ["sleep 3"]
"""
_IDLE = 1.0


def _relay(near: socket.socket, port: int) -> None:
    with near, socket.create_connection(("127.0.0.1", port)) as far, suppress(OSError):
        other = {near: far, far: near}
        while ready := select.select([near, far], [], [], _IDLE)[0]:
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                other[one].sendall(data)


@contextmanager
def impatient(port: int) -> Iterator[int]:
    """A port that leads to ``port``, and ends connections that are idle."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    near, _ = server.accept()
                    threading.Thread(target=_relay, args=(near, port), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def behind_ssh(repo: Repo, tmp_path: Path) -> Iterator[Repo]:
    """A repository whose remote is reached so."""
    place = tmp_path / "ssh"
    place.mkdir()
    guard(repo, SLOW)
    with ssh_server(place) as server:
        there = urlsplit(server.url).port
        assert there is not None
        with impatient(there) as port:
            repo.env["GIT_SSH_COMMAND"] = f"{place}/bin/ssh -o Port={port} -o HostKeyAlias=[127.0.0.1]:{there}"
            repo.git("remote", "set-url", "origin", f"{getpass.getuser()}@127.0.0.1:{repo.remote}")
            yield repo


def test_a_push_that_is_judged_with_its_connection_open_dies_and_hookci_push_does_not(behind_ssh: Repo) -> None:
    before = behind_ssh.remote_refs()
    commit = behind_ssh.commit({"a": "x"})

    died = behind_ssh.git("push", "origin", "main", check=False)
    unchanged = behind_ssh.remote_refs()
    behind_ssh.hookci("forget")
    sent = behind_ssh.hookci("push", "origin", "main", check=False)

    assert died.returncode != 0
    assert "main is green" in died.stderr
    assert unchanged == before
    assert sent.returncode == 0, sent.output
    assert "main is green: 1 job passed (unit)" in sent.stderr
    assert behind_ssh.remote_refs() == {"refs/heads/main": commit}
