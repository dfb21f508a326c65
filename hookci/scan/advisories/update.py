"""Fetching the public OSV database: one bounded download, for a person or a schedule to start, never for a hook."""

from __future__ import annotations

import http.client
import ssl
import threading
import urllib.error
import urllib.request
from typing import IO, TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from msgspec import Struct, field

import hookci
from hookci.errors import HookciError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPResponse

__all__ = ["OSV_URL", "archive_url", "download"]

OSV_URL = "https://osv-vulnerabilities.storage.googleapis.com"
"""Where OSV publishes its archives, https://google.github.io/osv.dev/data/."""

_LARGEST = 1024 * 1024 * 1024
_PIECE = 256 * 1024
_REDIRECTS = 5
_REDIRECTING = (301, 302, 303, 307, 308)
_OFFLINE = "what is there stays as it is; `hookci advisories import FILE` takes an archive from elsewhere"


def archive_url(base: str, ecosystem: str) -> str:
    """The address of the archive with all advisories of ``ecosystem``.

    Raises:
        UsageError: ``base`` is not an address of HTTP.
    """
    parts = urlsplit(base)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise UsageError(f"--url: {base} is not an address that begins with https:// or http://")
    return f"{base.rstrip('/')}/{quote(ecosystem)}/all.zip"


def download(url: str, file: IO[bytes], env: Mapping[str, str], timeout: float, largest: int = _LARGEST) -> None:
    """Write what ``url`` has to ``file``.

    The whole of it, with looking up the name and a server that sends a byte now and then, ends after ``timeout``
    seconds at the latest.

    Args:
        url: of HTTP; redirects are followed, but not from https to http.
        env: its ``http_proxy``, ``https_proxy`` and ``no_proxy`` are heeded.
        file: open for writing, in binary.
        timeout: in seconds.
        largest: bytes that are taken at most.

    Raises:
        HookciError: it did not come, or not as a whole; ``file`` is of no use then.
    """
    fetching = _Fetching(url, file, env, timeout, largest)
    # not even a deadline on each call of the socket bounds the whole, nor the look-up of the name
    thread = threading.Thread(target=fetching.run, daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        fetching.given_up.set()
        message = f"{url}: not finished after {timeout:g} s"
        raise HookciError(message, f"--timeout allows more; {_OFFLINE}")
    if fetching.failure:
        raise HookciError(f"{url}: {fetching.failure}", _OFFLINE)


class _Fetching(Struct):
    """One download, in a thread of its own; what goes wrong there is told as ``failure``."""

    url: str
    file: IO[bytes]
    env: Mapping[str, str]
    timeout: float
    largest: int
    failure: str = "it came to no end"
    given_up: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            self.failure = self._fetch()
        except urllib.error.HTTPError as error:
            self.failure = f"{error.code} {error.reason}".lower()
            error.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.failure = _words(error)

    def _fetch(self) -> str:
        """Why it is not there as a whole; empty when it is."""
        with self._answer() as answer:
            stated = answer.headers.get("Content-Length", "")
            expected = int(stated) if stated.isdecimal() else None
            if (expected or 0) > self.largest:
                return f"it has {expected} bytes, more than the {self.largest} that are taken"
            return self._take(answer, expected)

    def _answer(self) -> HTTPResponse:
        # urllib's own handling of redirects would take in whatever a server sends along with one
        url = self.url
        for _ in range(_REDIRECTS):
            try:
                request = urllib.request.Request(url, headers={"User-Agent": f"hookci/{hookci.__version__}"})  # noqa: S310 (HTTP only, see `_opener`)
                answer: HTTPResponse = _opener(url, self.env).open(request, timeout=self.timeout)
            except urllib.error.HTTPError as error:
                if error.code not in _REDIRECTING or "Location" not in error.headers:
                    raise
                url = _redirected(url, error.headers["Location"])
                error.close()
            else:
                return answer
        raise ValueError("it redirects in a circle")

    def _take(self, answer: IO[bytes], expected: int | None) -> str:
        count = 0
        while not self.given_up.is_set():
            piece = answer.read(_PIECE)
            count += len(piece)
            if count > self.largest:
                return f"it has more than the {self.largest} bytes that are taken"
            if not piece:
                is_whole = expected is None or count == expected
                return "" if is_whole else f"it ended after {count} of {expected} bytes"
            self.file.write(piece)
        return "given up"


def _words(error: Exception) -> str:
    if isinstance(error, http.client.IncompleteRead):
        return f"it ended after {len(error.partial)} bytes of what was announced"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    said = reason.strerror if isinstance(reason, OSError) and not isinstance(reason, ssl.SSLError) else None
    return (said or str(reason) or type(reason).__name__).lower()


def _redirected(url: str, location: str) -> str:
    target = urljoin(url, location)
    if urlsplit(target).scheme not in {"https", urlsplit(url).scheme}:
        raise ValueError(f"it redirects to {target}, which is not https")
    return target


def _opener(url: str, env: Mapping[str, str]) -> urllib.request.OpenerDirector:
    """What opens ``url``: for HTTP and nothing else, with the proxies of ``env``."""
    opener = urllib.request.OpenerDirector()
    handlers = (
        urllib.request.ProxyHandler(_proxies(urlsplit(url).netloc, env)),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    )
    for handler in handlers:
        opener.add_handler(handler)
    return opener


def _proxies(host: str, env: Mapping[str, str]) -> dict[str, str]:
    stated = {name: env.get(f"{name}_proxy") or env.get(f"{name.upper()}_PROXY") for name in ("http", "https", "no")}
    proxies = {name: value for name, value in stated.items() if value}
    # `proxy_bypass`, which is typed, asks the system's settings on macOS instead
    is_direct = urllib.request.proxy_bypass_environment(host, proxies)  # type: ignore[attr-defined]  # not in typeshed
    return {} if is_direct else proxies
