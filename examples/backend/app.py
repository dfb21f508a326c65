"""A small backend: says hello, whether it is well, and which commit it is. SIGTERM ends it without losing a request."""

import argparse
import os
import signal
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

COMMIT = os.environ.get("HOOKCI_COMMIT", "unknown")
LINGER = float(os.environ.get("LINGER", "1"))
"""Seconds in which it goes on to accept after SIGTERM: what is on its way here must not be refused."""


def answer(path: str) -> tuple[HTTPStatus, str]:
    """What is at ``path``: a status and a text."""
    if path == "/health":
        return HTTPStatus.OK, "well"
    if path == "/version":
        return HTTPStatus.OK, COMMIT
    if path.startswith("/") and path.count("/") == 1:
        return HTTPStatus.OK, f"hello {unquote(path[1:]) or 'world'}"
    return HTTPStatus.NOT_FOUND, "nothing here"


class Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    timeout = 10  # seconds, for who connects and says nothing

    def do_GET(self) -> None:
        status, text = answer(self.path)
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Only what goes wrong is logged."""


class Server(ThreadingHTTPServer):
    daemon_threads = False  # the end waits for what is being answered
    request_queue_size = 128


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0, help="default: any that is free")
    options.add_argument("--port-file", type=Path, help="where to write the port once it listens")
    chosen = options.parse_args()
    with Server((chosen.host, chosen.port), Handler) as server:
        signal.signal(signal.SIGTERM, lambda *_: threading.Timer(LINGER, server.shutdown).start())
        if chosen.port_file:
            unfinished = chosen.port_file.with_suffix(".new")
            unfinished.write_text(str(server.server_port))
            unfinished.rename(chosen.port_file)
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
