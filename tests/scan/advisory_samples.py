"""OSV records and advisories for tests, and a server that answers as a test says."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from hookci.scan.advisories.advisory import PYPI, Advisory
from hookci.scan.advisories.sources import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from hookci.scan.advisories.advisory import Event

__all__ = ["NOW", "Answer", "advisory", "documents", "private", "record", "serving", "zip_of"]

NOW = 1_790_000_000.0
"""2026-09-21, after every date in the samples."""

Answer = BaseHTTPRequestHandler
"""What a server's behaviour gets to answer with."""


def advisory(
    *events: Event, ecosystem: str = PYPI, versions: tuple[str, ...] = (), ranges: tuple[tuple[Event, ...], ...] = ()
) -> Advisory:
    """An advisory with one range of ``events``, or with ``ranges``."""
    found = ranges or ((events,) if events else ())
    return Advisory(
        id="PYSEC-1", ecosystem=ecosystem, package="p", summary="", ranges=found, versions=frozenset(versions)
    )


def record(
    ident: str, package: str = "django", *, fixed: str = "2.2.24", ecosystem: str = PYPI, **changes: object
) -> dict[str, object]:
    """An OSV record about the versions of ``package`` before ``fixed``; ``changes`` are other fields of it."""
    kind = "ECOSYSTEM" if ecosystem == PYPI else "SEMVER"
    return {
        "id": ident,
        "modified": "2026-01-02T03:04:05Z",
        "summary": "a hole",
        "affected": [
            {
                "package": {"ecosystem": ecosystem, "name": package},
                "ranges": [{"type": kind, "events": [{"introduced": "0"}, {"fixed": fixed}]}],
            }
        ],
        **changes,
    }


def documents(*records: object) -> Iterator[Document]:
    """``records`` as an import gets them."""
    return (Document(f"record {number}", value) for number, value in enumerate(records, 1))


def zip_of(files: Mapping[str, object], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive; what is not bytes is written as JSON."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return buffer.getvalue()


def private(path: Path) -> Path:
    """``path`` as a directory for the database."""
    path.mkdir(mode=0o700, parents=True)
    return path


@contextlib.contextmanager
def serving(behave: Callable[[Answer], None]) -> Iterator[str]:
    """The address of a real server on this machine that answers every GET as ``behave`` does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                behave(self)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
