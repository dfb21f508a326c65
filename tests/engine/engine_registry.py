"""A small registry of images on the loopback interface, where engines speak plain HTTP.

Source: the OCI Distribution Specification 1.0, "Pull"; manifests are of Docker's schema 2.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Registry", "registry"]

_TYPES = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """Hands out images; what it was asked for is in ``asked``.

    With ``login`` (``name:word``) only to whom has it.  While ``go_on`` is not set, it keeps a layer back after its
    first half; ``stalled`` is set meanwhile.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.login: str | None = None
        self.asked: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.stalled = threading.Event()
        self.manifests: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}

    def add(self, name: str, size: int = 100, platform: str = "linux/amd64", **config: object) -> str:
        """Make an image of a file of ``size`` random bytes; the name under which engines pull it."""
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as tar:
            info = tarfile.TarInfo("file")
            info.size = size
            tar.addfile(info, io.BytesIO(os.urandom(size)))
        system, architecture = platform.split("/")[:2]
        described = {
            "os": system,
            "architecture": architecture,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [self._add(layer.getvalue())]},
        }
        content = json.dumps(described).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": _TYPES,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": len(content),
                "digest": self._add(content),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.docker.image.rootfs.diff.tar",
                    "size": len(layer.getvalue()),
                    "digest": self._add(layer.getvalue()),
                }
            ],
        }
        written = json.dumps(manifest).encode()
        repository, _, tag = name.partition(":")
        self.manifests[f"{repository}/{tag or 'latest'}"] = written
        self.manifests[f"{repository}/{_digest(written)}"] = written
        return f"{self.address}/{name}"

    def _add(self, content: bytes) -> str:
        self.blobs[_digest(content)] = content
        return _digest(content)

    def digest(self, name: str) -> str:
        """The digest of an image's manifest."""
        repository, _, tag = name.partition(":")
        return _digest(self.manifests[f"{repository}/{tag}"])

    def pulls(self, name: str) -> int:
        """How often its manifest was fetched by tag."""
        repository, _, tag = name.partition(":")
        return self.asked.count(f"GET /v2/{repository}/manifests/{tag}")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        registry = self.registry
        registry.asked.append(f"{self.command} {self.path}")
        wanted = registry.login and "Basic " + base64.b64encode(registry.login.encode()).decode()
        if wanted and self.headers.get("Authorization") != wanted:
            self._refuse(401, "UNAUTHORIZED", "authentication required")
        elif self.path == "/v2/":
            self._answer(b"{}", "application/json")
        else:
            repository, _, rest = self.path.removeprefix("/v2/").partition("/manifests/")
            if rest and (manifest := registry.manifests.get(f"{repository}/{rest}")):
                self._answer(manifest, _TYPES)
            elif rest:
                self._refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")
            else:
                self._answer(registry.blobs[self.path.rpartition("/")[2]], "application/octet-stream")

    def _refuse(self, status: int, code: str, message: str) -> None:
        text = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.send_response(status)
        self.send_header("WWW-Authenticate", 'Basic realm="here"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Docker-Content-Digest", _digest(content))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self._send(content)

    def _send(self, content: bytes) -> None:
        half = len(content) // 2 if len(content) > 1000 else 0
        self.wfile.write(content[:half])
        if half and not self.registry.go_on.is_set():
            self.registry.stalled.set()
            self.registry.go_on.wait(30)
        with suppress(OSError):
            self.wfile.write(content[half:])

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def registry() -> Iterator[Registry]:
    class Handler(_Handler):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Handler.registry = Registry(f"127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            made.go_on.set()
            server.shutdown()
            thread.join()
