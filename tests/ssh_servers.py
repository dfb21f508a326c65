"""A real ``sshd`` on the loopback interface, and an ``ssh`` that gets in there without asking anything."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wanted import needed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SshServer", "ssh_server"]


@dataclass(frozen=True)
class SshServer:
    """Where it listens, and the environment in which `ssh` knows the way."""

    url: str
    env: Mapping[str, str]


@contextmanager
def ssh_server(place: Path) -> Iterator[SshServer]:
    program, keygen, ssh = shutil.which("sshd") or "/usr/sbin/sshd", needed("ssh-keygen"), needed("ssh")
    if not Path(program).exists():
        needed("sshd")
    for name in ("host", "user"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    options = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": place / "host",
        "AuthorizedKeysFile": place / "user.pub",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "MaxSessions": "1",
    }
    (place / "sshd").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    known = f"[127.0.0.1]:{port} {(place / 'host.pub').read_text()}"
    (place / "known").write_text(known)
    (place / "config").write_text(f"Host *\nIdentityFile {place}/user\nUserKnownHostsFile {place}/known\n")
    (place / "bin").mkdir()
    # ssh reads the config of the user's real home
    (place / "bin/ssh").write_text(f'#!/bin/sh\nexec {ssh} -F {place}/config "$@"\n')
    (place / "bin/ssh").chmod(0o755)
    with (place / "log").open("wb") as log:
        server = subprocess.Popen([program, "-D", "-e", "-f", str(place / "sshd")], stderr=log)
    try:
        _wait(port)
        path = os.pathsep.join([str(place / "bin"), os.environ["PATH"]])
        yield SshServer(f"ssh://{getpass.getuser()}@127.0.0.1:{port}", {**os.environ, "PATH": path})
    finally:
        server.terminate()
        server.wait()


def _wait(port: int) -> None:
    for _ in range(200):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("sshd does not listen")
