"""Services on the loopback interface that stand for Safety's, OSV's and a package index, and one that never answers."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import socket
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from desk_samples import desk, runner
from msgspec.structs import replace
from packaging.specifiers import SpecifierSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hookci.scan.adapter import Desk, Finished

KEY = "an-account-of-nobody"
"""The only account key that `safety_servers` accepts."""

Reply = tuple[int, Any]
"""A status, and what is sent: bytes as they are, anything else as JSON."""


class OnlineChanges(TypedDict, total=False):
    """What a test wants otherwise than `online_desk` has it."""

    environment: Mapping[str, str]
    python: str
    check: Callable[[], None]


def online_desk(tmp_path: Path, longest: float = 60.0, **changes: Unpack[OnlineChanges]) -> Desk:
    """A desk where a program gets ``longest`` seconds at most, as it does towards the end of a job's time."""
    usual = desk(tmp_path, **changes)
    started = runner(usual.directory)

    def run(argv: Sequence[str], environment: Mapping[str, str], timeout: float) -> Finished:
        finished = started(argv, environment, min(timeout, longest))
        said = usual.directory / "stderr"
        errors = said.read_bytes() if said.exists() else finished.errors
        said.unlink(missing_ok=True)
        return replace(finished, errors=errors)

    return replace(usual, run=run)


@dataclasses.dataclass(frozen=True)
class Service:
    """A running service: its address, and the requests it got (method, path, headers, content)."""

    address: str
    requests: list[tuple[str, str, Mapping[str, str], bytes]]


@contextmanager
def service(answer: Callable[[str, Mapping[str, str], bytes], Reply]) -> Iterator[Service]:
    """A service on the loopback interface; ``answer`` gets a path, headers and content."""
    requests: list[tuple[str, str, Mapping[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            requests.append((self.command, self.path, dict(self.headers), content))
            status, body = answer(self.path.partition("?")[0], dict(self.headers), content)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Type", "text/html" if isinstance(body, bytes) else "application/json")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_POST = do_HEAD = answer  # noqa: N815 (the names http.server looks for)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Service(f"http://127.0.0.1:{server.server_port}", requests)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def black_hole() -> Iterator[str]:
    """The address of a host that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def closed_door() -> str:
    """An address on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


# -- Safety

Database = dict[str, Any]


def safety_database(schema: str = "2.0.0", made: float = 1_789_950_000) -> dict[str, Database]:
    """Both files of a database with two advisories about django below 2.2.24, one of them with a severity."""
    meta = {
        "schema_version": schema,
        "timestamp": made,
        "base_domain": "https://example.com",
        "severities": {"CVE-2021-33203": {"cvssv3": {"base_score": 4.9, "base_severity": "MEDIUM"}}},
    }
    advisories = [
        {
            "advisory": "Django before 2.2.24 has a directory traversal.\r\nSee the release notes.",
            "ids": [{"type": "pyup", "id": "40637"}, {"type": "cve", "id": "CVE-2021-33203"}],
            "specs": ["<2.2.24"],
            "more_info_path": "/v/40637",
            "fixed_versions": ["2.2.24"],
            "transitive": False,
        },
        {
            "advisory": "Another one.",
            "ids": [{"type": "pyup", "id": "40638"}],
            "specs": ["<2.2.20"],
            "more_info_path": "/v/40638",
            "transitive": False,
        },
    ]
    return {
        "insecure.json": {"meta": meta, "vulnerable_packages": {"django": ["<2.2.24", "<2.2.20"]}},
        "insecure_full.json": {"meta": meta, "vulnerable_packages": {"django": advisories}},
    }


def write_database(directory: Path, database: Mapping[str, Database]) -> str:
    """Write the files of a database into ``directory``, which is made; returns its path."""
    directory.mkdir()
    for name, content in database.items():
        (directory / name).write_text(json.dumps(content))
    return str(directory)


@contextmanager
def safety_servers(database: Mapping[str, Any]) -> Iterator[tuple[Service, dict[str, str]]]:
    """Safety's login, platform and data servers in one, and the variables that lead there.

    A file of ``database`` that is an integer is answered with that status.
    """

    def answer(path: str, headers: Mapping[str, str], _content: bytes) -> Reply:
        if path == "/.well-known/openid-configuration":
            return 200, {"issuer": "https://example.com", "jwks_uri": f"http://{headers['Host']}/keys"}
        if path == "/keys":
            return 200, {"keys": []}
        if {name.lower(): value for name, value in headers.items()}.get("x-api-key") != KEY:
            return 403, {"detail": "no such key"}
        found = database.get(path.removeprefix("/data/"), {})
        return (found, {}) if isinstance(found, int) else (200, found)

    with service(answer) as running:
        yield running, safety_variables(running.address)


def safety_variables(address: str) -> dict[str, str]:
    """The variables by which Safety finds all of its servers at ``address``."""
    return {
        "SAFETY_AUTH_SERVER_URL": address,
        "SAFETY_PLATFORM_URL": address,
        "SAFETY_PLATFORM_API_BASE_URL": f"{address}/cli/api/v1",
        "SAFETY_DATA_API_BASE_URL": f"{address}/data/",
    }


# -- OSV

VULNERABILITIES: dict[str, list[dict[str, Any]]] = {
    "django": [
        {
            "id": "PYSEC-2021-98",
            "aliases": ["CVE-2021-33203"],
            "summary": "Directory traversal in django",
            "affected": [
                {
                    "package": {"name": "django", "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.2.24"}]}],
                }
            ],
        }
    ],
    "demo": [
        {
            "id": "PYSEC-2099-1",
            "summary": "A hole in demo",
            "affected": [
                {
                    "package": {"name": "demo", "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9"}]}],
                }
            ],
        }
    ],
}


@contextmanager
def osv(known: Mapping[str, list[dict[str, Any]]]) -> Iterator[tuple[Service, dict[str, str]]]:
    """A service that answers as OSV does, and the variables that lead pip-audit there."""

    def answer(_path: str, _headers: Mapping[str, str], content: bytes) -> Reply:
        query = json.loads(content)
        found = [one for one in known.get(query["package"]["name"], []) if _is_affected(one, query["version"])]
        return 200, {"vulns": found} if found else {}

    with service(answer) as running:
        yield running, {"PIP_AUDIT_OSV_URL": f"{running.address}/v1/query"}


def _is_affected(vulnerability: Mapping[str, Any], version: str) -> bool:
    events = vulnerability["affected"][0]["ranges"][0]["events"]
    return version in SpecifierSet(f"<{events[1]['fixed']}", prereleases=True)


# -- a package index


@contextmanager
def package_index(wheels: Mapping[tuple[str, str], str]) -> Iterator[dict[str, str]]:
    """A package index with empty wheels and what each requires, and the variables that lead pip there."""
    files = {
        f"/{name}-{version}-py3-none-any.whl": _wheel(name, version, wheels[name, version]) for name, version in wheels
    }

    def answer(path: str, _headers: Mapping[str, str], _content: bytes) -> Reply:
        if path in files:
            return 200, files[path]
        name = path.rstrip("/").rpartition("/")[2]
        links = [
            f'<a href="{file}#sha256={hashlib.sha256(content).hexdigest()}">{file[1:]}</a>'
            for file, content in files.items()
            if file.startswith(f"/{name}-")
        ]
        return (200, "".join(links).encode()) if links else (404, b"")

    with service(answer) as running:
        yield {"PIP_INDEX_URL": f"{running.address}/simple", "PIP_CONFIG_FILE": "/dev/null"}


def _wheel(name: str, version: str, requires: str) -> bytes:
    about = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files = {
        f"{about}/METADATA": metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: by-hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{about}/RECORD"))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in (files | {f"{about}/RECORD": record}).items():
            archive.writestr(path, text)
    return content.getvalue()
