"""The first question to an engine at a socket of this machine, asked while all that speaks to it is still loaded.

Source: Docker Engine API 1.41, ``/version``; an engine takes some ten milliseconds to answer it.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hookci.engine.endpoints import Endpoint

__all__ = ["Greeting", "greet", "greet_first"]

_WITHIN = 10.0
_ASK = b"GET /version HTTP/1.0\r\nHost: docker\r\n\r\n"
_CHUNK = 65_536
_MOST = 1024 * 1024


class Greeting(Struct, frozen=True):
    """A question that was asked at the socket ``path``."""

    path: str
    _asked: socket.socket

    def answer(self) -> dict[str, Any] | None:
        """What the engine says of itself; None when that is to be asked again in full, to hear what is wrong.

        Raises:
            OSError: it does not answer.
        """
        with self._asked:
            said = b""
            while len(said) < _MOST and (piece := self._asked.recv(_CHUNK)):
                said += piece
        head, _, body = said.partition(b"\r\n\r\n")
        try:
            version = json.loads(body) if head.split()[1:2] == [b"200"] else None
        except ValueError:
            return None
        return version if isinstance(version, dict) else None

    def close(self) -> None:
        """Hear no answer."""
        self._asked.close()


def greet(path: str) -> Greeting:
    """Ask the engine at a socket.

    Raises:
        OSError: nobody listens there.
    """
    asked = socket.socket(socket.AF_UNIX)
    try:
        asked.settimeout(_WITHIN)
        asked.connect(path)
        asked.sendall(_ASK)
    except BaseException:
        asked.close()
        raise
    return Greeting(path, asked)


def greet_first(endpoints: Iterable[Endpoint]) -> Greeting | None:
    """Ask at the first of these places where somebody listens; None when that is no socket of this machine."""
    for endpoint in endpoints:
        if endpoint.socket is None:
            break
        try:
            return greet(endpoint.socket)
        except OSError:  # said when it is tried in its turn
            continue
    return None
