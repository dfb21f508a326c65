"""Real servers for the ways to an engine: relays to a real one, over TCP with or without TLS, and wrong ones."""

from __future__ import annotations

import json
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from wanted import needed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Certified", "Relay", "answering", "certified", "podman", "relay", "silent"]


# -- relays


class Relay:
    """Listens on the loopback interface and leads to an engine's socket, until it is cut."""

    def __init__(self, to: str, context: ssl.SSLContext | None = None) -> None:
        self._to = to
        self._context = context
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self._begin(self._serve, client)

    def _begin(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, client: socket.socket) -> None:
        self._open.append(client)
        try:
            inside = self._context.wrap_socket(client, server_side=True) if self._context else client
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._to)
        except OSError:
            client.close()
            return
        self._open += [inside, far]
        self._begin(_copy, inside, far)
        _copy(far, inside)

    def cut(self) -> None:
        """Be gone, in the middle of whatever is going on."""
        for one in (self._listening, *self._open):
            _shut(one, socket.SHUT_RDWR)
        for thread in self._threads:
            # a thread that still reads would do so from whatever gets the number of a descriptor that is closed
            thread.join(10)
        for one in (self._listening, *self._open):
            one.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError, ValueError):
        while data := source.recv(65_536):
            target.sendall(data)
    _shut(target, socket.SHUT_WR)


def _shut(one: socket.socket, how: int) -> None:
    with suppress(OSError):
        # not that of TLS, which takes away what another thread is reading from
        socket.socket.shutdown(one, how)


@contextmanager
def relay(to: str, context: ssl.SSLContext | None = None) -> Iterator[Relay]:
    made = Relay(to, context)
    try:
        yield made
    finally:
        made.cut()


@dataclass(frozen=True)
class Certified:
    """A directory with ca.pem, cert.pem and key.pem for clients, and what a server needs that asks for them."""

    directory: Path
    context: ssl.SSLContext


def certified(directory: Path) -> Certified:
    """Make an authority, and certificates of it for a server on 127.0.0.1 and a client."""
    openssl = needed("openssl")
    directory.mkdir()

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=directory, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    run("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority")
    for name, extra in {"server": "subjectAltName=IP:127.0.0.1", "client": "extendedKeyUsage=clientAuth"}.items():
        of_ca = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"]
        run("req", *key[:-2], "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (directory / f"{name}.ext").write_text(f"{extra}\n")
        run("x509", "-req", "-in", f"{name}.csr", *of_ca, "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    (directory / "client.pem").rename(directory / "cert.pem")
    (directory / "client.key").rename(directory / "key.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem", directory / "server.key")
    context.load_verify_locations(directory / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return Certified(directory, context)


# -- other servers


@contextmanager
def podman() -> Iterator[str]:
    """Podman's service with storage of its own.  Yields its URL."""
    program = needed("podman")
    place = Path(tempfile.mkdtemp(prefix="hookci-podman-", dir="/tmp"))  # it wants short names
    url = f"unix://{place}/socket"
    options = {"root": "storage", "runroot": "run", "network-config-dir": "networks"}
    own = [word for name, below in options.items() for word in (f"--{name}", str(place / below))]
    # its usual limits are more than root may have on some machines
    (place / "conf").write_text('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n')
    env = {**os.environ, "CONTAINERS_CONF": str(place / "conf")}
    with (place / "log").open("wb") as log:
        command = [program, *own, "system", "service", "--time=0", url]
        service = subprocess.Popen(command, stdout=log, stderr=log, env=env)
    try:
        end = time.monotonic() + 60
        while not (place / "socket").exists():
            assert service.poll() is None, (place / "log").read_text()
            assert time.monotonic() < end, "podman's service does not listen"
            time.sleep(0.05)
        yield url
    finally:
        service.terminate()
        service.wait()
        # what looks after commands in containers stays for five minutes, and would then make the directories again
        for process in psutil.process_iter(["cmdline"]):
            if any(str(place) in word for word in process.info["cmdline"] or ()):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        # what it has mounted for itself
        subprocess.run(["umount", "-l", str(place / "storage/overlay")], check=False, capture_output=True)
        shutil.rmtree(place, ignore_errors=True)


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextmanager
def answering(path: Path, answers: dict[str, Any]) -> Iterator[str]:
    """A server of HTTP on a socket: to each path its answer, as JSON or as the text it is.  Yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = answers.get(self.path)
            text = answer if isinstance(answer, str) else json.dumps(answer)
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

        def address_string(self) -> str:
            return "socket"

    with _UnixServer(str(path), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"unix://{path}"
        finally:
            server.shutdown()


@contextmanager
def silent(path: Path) -> Iterator[str]:
    """A socket that takes connections and never answers.  Yields its URL."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        yield f"unix://{path}"
