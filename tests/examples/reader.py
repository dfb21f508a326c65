"""Somebody who asks a server all the time: several threads, a connection of its own for every request."""

from __future__ import annotations

import random
import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

__all__ = ["Reader", "free_port", "get", "processes_below"]


def get(port: int, path: str = "/version") -> str:
    """The body of an answer, and its status in front when that is not 200; what went wrong when there is none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode().strip()
    except (OSError, HTTPException) as error:
        return f"lost: {error!r}"
    finally:
        connection.close()
    return body if response.status == 200 else f"{response.status} {body}"


@dataclass
class Reader:
    """Asks at ``port`` until the end of its ``with`` block; ``seen`` counts what it was answered."""

    port: int
    threads: int = 4
    seen: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)
    _working: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._working = [threading.Thread(target=self._ask) for _ in range(self.threads)]
        for thread in self._working:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._working:
            thread.join()

    def _ask(self) -> None:
        while not self._stop.is_set():
            self.seen[get(self.port)] += 1
            self._stop.wait(0.01)  # leaves the processors to those it asks, and the ports of this machine last


def free_port() -> int:
    """A port of this machine that nothing listens on, and that no outgoing connection gets by itself."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def processes_below(directory: Path) -> list[psutil.Process]:
    """The processes whose command line names something below ``directory``."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or ()
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(f"{directory}/" in word for word in words):
            found.append(process)
    return found
