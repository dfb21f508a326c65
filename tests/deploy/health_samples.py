"""Services on the loopback interface that are healthy, slow, sick, silent or lying, and a desk to look at them from."""

from __future__ import annotations

import itertools
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from hookci.deploy.health import HealthDesk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

COMMIT = "3f2a" * 10


@dataclass
class Bench:
    """A desk, what was said at it, and a bell that asks for the end."""

    variables: Mapping[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    bell: threading.Event = field(default_factory=threading.Event)
    run: Callable[[str, float], int | None] | None = None

    @property
    def desk(self) -> HealthDesk:
        return HealthDesk(
            variables=self.variables,
            run=self.run or self.shell,
            cancelled=lambda: "ctrl-c" if self.bell.is_set() else None,
            say=self.lines.append,
            clock=time.monotonic,
        )

    def shell(self, command: str, seconds: float) -> int | None:
        """A real shell, ended at its deadline or when the bell rings."""
        process = subprocess.Popen(["/bin/sh", "-c", command], env={"PATH": "/usr/bin:/bin", **self.variables})
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.bell.is_set():
            with suppress(subprocess.TimeoutExpired):
                return process.wait(0.02)
        process.kill()
        process.wait()
        return None


@dataclass(frozen=True)
class Reply:
    """What a service answers to one request."""

    status: int = 200
    body: bytes = b"ok\n"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Service:
    """A running service: its port, and the paths and headers it was asked with."""

    port: int
    paths: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked has hung up: that is what is tried here."""


@contextmanager
def answering(*replies: Reply, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Service]:
    """A service that gives ``replies`` one after the other, and the last one for ever."""
    following = itertools.chain(replies, itertools.repeat(replies[-1]))

    class Handler(BaseHTTPRequestHandler):
        timeout = 30.0

        def do_GET(self) -> None:
            service.paths.append(self.path)
            service.headers.append(dict(self.headers))
            reply = next(following)
            self.send_response(reply.status)
            for name, value in ({"Content-Length": str(len(reply.body))} | dict(reply.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_arguments: object) -> None:
            """Tests are silent."""

    server = _Server(("127.0.0.1", port), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    service = Service(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def talking(talk: Callable[[socket.socket], None]) -> Iterator[Service]:
    """A service that is told byte for byte what to do with each connection."""
    closing = threading.Event()
    all_connected: list[socket.socket] = []

    def serve(connected: socket.socket) -> None:
        with connected, suppress(OSError):
            talk(connected)

    def accept() -> None:
        while not closing.is_set():
            with suppress(TimeoutError):
                connected, _ = listening.accept()
                all_connected.append(connected)
                threading.Thread(target=serve, args=(connected,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield Service(listening.getsockname()[1])
        finally:
            closing.set()
            thread.join()
            for one in all_connected:
                one.close()


def reading_nothing(connected: socket.socket) -> None:
    """Accept, and never read nor answer, until the service is over."""
    while connected.fileno() >= 0:
        time.sleep(0.02)


def dripping(first: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    """Answer ``first`` and then ``drop`` for ever, far more often than any timeout of one read."""

    def talk(connected: socket.socket) -> None:
        connected.recv(65_536)
        connected.sendall(first)
        while True:
            connected.sendall(drop)
            time.sleep(0.02)

    return talk


def sending(answer: bytes) -> Callable[[socket.socket], None]:
    """Answer exactly these bytes and hang up."""

    def talk(connected: socket.socket) -> None:
        connected.recv(65_536)
        connected.sendall(answer)

    return talk


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for ``127.0.0.1`` and ``app.test``, and a server's context with it."""

    path: Path
    context: ssl.SSLContext


def certificate(folder: Path) -> Certificate:
    """Make a certificate that nobody has reason to trust."""
    path, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", "/CN=app.test", "-addext", "subjectAltName=DNS:app.test,IP:127.0.0.1", "-days", "2",
         "-keyout", str(key), "-out", str(path)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return Certificate(path, context)
