"""The way to an engine on another machine through `ssh`: one connection, whatever number of calls."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from hookci.engine.calls import EngineError
from hookci.proc.held import hold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.proc.held import Held

__all__ = ["Tunnel"]

_USUAL = "/var/run/docker.sock"
_READY = b"hookci: ready"
_WITHIN = 30.0
"""Seconds for ssh to connect and to be let in; what the `docker` command allows."""
_SHORT = 70
"""Characters of a directory that leave room for a socket's name in it; a path has 104 at most (unix(4), macOS)."""
_OPTIONS = (
    "BatchMode=yes",  # a job has no terminal to be asked a passphrase on
    "ConnectTimeout=10",
    "ExitOnForwardFailure=yes",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
    "StreamLocalBindMask=0177",
    "ControlPath=none",  # a connection that is shared would outlive us with our socket
)
_THEN_REMOVE = ("/bin/sh", "-c", 'directory=$1; shift; "$@"; rm -rf "$directory" 2>/dev/null', "sh")
"""Runs a program and then removes a directory, also when we are killed meanwhile."""


class Tunnel(Struct, frozen=True):
    """A socket of this machine, in a directory of its own, that leads to an engine's socket on another one."""

    socket: str
    _ssh: Held
    _directory: str

    @classmethod
    def open(cls, url: str, env: Mapping[str, str]) -> Tunnel:
        """Connect to ``ssh://user@host:port/path/to/socket`` as the user's own ssh does; the path may be left out.

        Raises:
            EngineError: ssh is not let in, or there is no such socket over there.
        """
        parts = urlsplit(url)
        far = parts.path if len(parts.path) > 1 else _USUAL
        # ssh's own forwarding of sockets needs no `docker` on the other machine, and one login for all calls
        usual = tempfile.gettempdir()
        directory = tempfile.mkdtemp(prefix="hookci-", dir=usual if len(usual) < _SHORT else "/tmp")  # noqa: S108 (a directory of our own there)
        near = f"{directory}/engine.sock"
        argv = ["ssh", "-T", *(word for option in _OPTIONS for word in ("-o", option)), "-L", f"{near}:{far}"]
        argv += ["-l", parts.username] if parts.username else []
        argv += ["-p", str(parts.port)] if parts.port else []
        argv += ["--", parts.hostname or "", _remote(far)]
        tunnel = cls(near, hold([*_THEN_REMOVE, directory, *argv], cwd="/", env=env), directory)
        if not tunnel._ssh.says(_READY, _WITHIN):
            complaint = tunnel._ssh.complaint
            tunnel.close()
            raise EngineError(complaint or f"no answer within {_WITHIN:g} s")
        return tunnel

    def close(self) -> None:
        """End the connection; once more does no harm."""
        self._ssh.close()
        shutil.rmtree(self._directory, ignore_errors=True)


def _remote(socket: str) -> str:
    """What runs over there: it says whether the socket can be used, and ends when we do."""
    quoted = shlex.quote(socket)
    script = (
        f"if [ -w {quoted} ]; then echo {shlex.quote(_READY.decode())}; exec cat >/dev/null; fi; "
        f'if [ -e {quoted} ]; then why="may not be used by $(id -un)"; else why="is not there"; fi; '
        f'echo {quoted} "$why" >&2'
    )
    return f"sh -c {shlex.quote(script)}"
