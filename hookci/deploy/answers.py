"""The request of a health check: its address, its way there, and what of the answer is not as wanted."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import re
import ssl
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urljoin, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed does not know it

from msgspec import Struct

from hookci.deploy.probes import Probe, short
from hookci.execute.environment import expand

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from hookci.deploy.probes import Lifeline
    from hookci.model.environment import Check

__all__ = ["Address", "request"]

_LARGEST = 1024 * 1024
"""Bytes of a body that are read."""
_REDIRECTS = 5
_MOVED = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
_WITH_USER = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*)@(.*)", re.DOTALL)
_ALLOWED = "!#$%&'()*+,/:;=?@[]~"


class _UnusableError(Exception):
    """No answer that could be judged; the text says why."""


class Address(Struct, frozen=True):
    """A url without user and password, so that people may read it; these are apart, ``user:password`` or empty."""

    url: str
    credentials: str = ""

    @classmethod
    def of(cls, text: str, variables: Mapping[str, str]) -> Address:
        """Read a url, with its variables in place.

        User and password are taken out first: a password from a variable may hold what ends the part of a url.
        """
        written = cls.read(text)
        url = cls.read(expand(written.url, variables))
        return cls(url.url, expand(written.credentials, variables) or url.credentials)

    @classmethod
    def read(cls, url: str) -> Address:
        """Read a url as it stands there (RFC 3986, 3.2.1)."""
        apart = _WITH_USER.fullmatch(url)
        return cls(apart[1] + apart[3], unquote(apart[2])) if apart else cls(url)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port.

        Raises:
            _UnusableError: this is no url of http or https.
        """
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError:
            raise _UnusableError(f"`{short(self.url)}` is not a url") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise _UnusableError(f"`{short(self.url)}` is not a url of http or https")
        return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]

    def moved(self, location: str) -> Address:
        """Where a redirect leads; the password goes along to the same origin only (RFC 9110, 15.4)."""
        found = Address.read(urljoin(self.url, location))
        if not found.credentials and found.origin == self.origin:
            return Address(found.url, self.credentials)
        return found


class _Answer(Struct, frozen=True):
    """The last answer: ``is_whole`` is false when the body is longer than what was read of it."""

    status: int
    headers: http.client.HTTPMessage
    body: str
    is_whole: bool


def request(check: Check, variables: Mapping[str, str], seconds: float, lifeline: Lifeline) -> Probe:
    """Ask once, following redirects, and judge the answer.

    ``seconds`` bounds each wait, ``lifeline`` is how another thread bounds all of them together.
    """
    try:
        return _judged(check, variables, _followed(check, variables, seconds, lifeline))
    except TimeoutError:
        return Probe(ok=False, seen=f"no answer within {round(seconds, 2):g} s")
    except (_UnusableError, http.client.HTTPException, OSError, ValueError) as error:
        return Probe(ok=False, seen=_trouble(error))


def _judged(check: Check, variables: Mapping[str, str], answer: _Answer) -> Probe:
    """What of the answer is not as wanted; otherwise its body."""
    of_status = f"({answer.status}{'' if answer.is_whole else ', longer than 1 MiB'})"
    for header, template in check.headers.items():
        found = answer.headers.get_all(header)
        if found is None or expand(template, variables) not in ", ".join(found):
            seen = "no" if found is None else f"`{short(', '.join(found))}` as"
            return Probe(ok=False, seen=f"{seen} header `{header}` {of_status}")
    version, text = expand(check.version, variables), expand(check.expect, variables)
    is_ok = all((
        200 <= answer.status <= 299 if check.status is None else answer.status == check.status,  # noqa: PLR2004 (RFC 9110, 15.3)
        not check.version or (answer.is_whole and answer.body.strip() == version),
        # an empty text is in every body: a variable without a value must not make a check hold
        not check.expect or (text and text in answer.body),
    ))  # fmt: skip
    body = short(answer.body)
    return Probe(ok=is_ok, seen=f"{f'`{body}`' if body else 'an empty body'} {of_status}")


def _trouble(error: Exception) -> str:
    """Why there was no answer."""
    match error:
        case _UnusableError():
            return str(error)
        case ssl.SSLCertVerificationError():
            return f"the certificate is not trusted: {short(error.verify_message).lower()}"
        case http.client.RemoteDisconnected() | http.client.IncompleteRead() | ConnectionResetError():
            return "the connection was closed before the end of the answer"
        case http.client.HTTPException():
            return f"no answer of http ({type(error).__name__})"
        case OSError():
            return short(error.strerror or str(error)).lower()
        case _:  # of a name that no host can have, say
            return f"cannot be asked: {short(str(error))}"


def _followed(check: Check, variables: Mapping[str, str], seconds: float, lifeline: Lifeline) -> _Answer:
    address = Address.of(check.url, variables)
    for _ in range(1 + _REDIRECTS):
        answer = _asked(address, variables, seconds, lifeline)
        location = answer.headers["Location"]
        if answer.status not in _MOVED or answer.status == check.status or location is None:
            return answer
        address = address.moved(location)
    raise _UnusableError(f"more than {_REDIRECTS} redirects, the last to `{short(address.url)}`")


def _asked(address: Address, variables: Mapping[str, str], seconds: float, lifeline: Lifeline) -> _Answer:
    """One request and its answer."""
    scheme, host, port = address.origin
    proxy = _proxy(scheme, host, variables)
    through = proxy.origin if proxy else (scheme, host, port)
    connection = http.client.HTTPConnection(through[1], through[2], timeout=seconds)
    headers, target = _headers(address), _target(address)
    if proxy and scheme == "https":
        connection.set_tunnel(host, port, _authorization("Proxy-Authorization", proxy))
    elif proxy:
        target = quote(address.url.partition("#")[0], safe=_ALLOWED)
        headers |= _authorization("Proxy-Authorization", proxy)
    # before there is a connection: it takes a while, and SSLContext.wrap_socket leaks one that was reset meanwhile
    context = ssl.create_default_context() if scheme == "https" else None
    try:
        connection.connect()
        lifeline.hold(connection.sock)
        if context:
            connection.sock = _encrypted(context, connection.sock, host, lifeline)
        connection.request("GET", target, headers=headers)
        with connection.getresponse() as response:
            return _read(response)
    finally:
        connection.close()


def _encrypted(context: ssl.SSLContext, connected: socket.socket, host: str, lifeline: Lifeline) -> ssl.SSLSocket:
    encrypted = context.wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
    try:
        lifeline.hold(encrypted)  # it has taken the descriptor over, and the handshake may hang
        encrypted.do_handshake()
    except BaseException:
        encrypted.close()
        raise
    return encrypted


def _read(response: http.client.HTTPResponse) -> _Answer:
    body = response.read(_LARGEST + 1)
    is_whole = len(body) <= _LARGEST
    if is_whole and response.length:  # what http.client passes over in silence when asked for a number of bytes
        raise http.client.IncompleteRead(body, response.length)
    text = body[:_LARGEST].decode(errors="replace")
    return _Answer(response.status, response.headers, text, is_whole)


def _headers(address: Address) -> dict[str, str]:
    return {
        "Host": urlsplit(address.url).netloc,
        "User-Agent": "hookci",
        "Accept": "*/*",
        "Cache-Control": "no-cache",
        "Connection": "close",
        **_authorization("Authorization", address),
    }


def _authorization(header: str, address: Address) -> dict[str, str]:
    if not address.credentials:
        return {}
    return {header: f"Basic {base64.b64encode(address.credentials.encode()).decode()}"}


def _target(address: Address) -> str:
    parts = urlsplit(address.url)
    return quote(f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}", safe=_ALLOWED)


def _proxy(scheme: str, host: str, variables: Mapping[str, str]) -> Address | None:
    """The proxy that the variables name for a host, as curl(1) reads them; never one for this machine itself."""
    if _is_here(host):
        return None
    named = {key.lower(): value for key, value in sorted(variables.items()) if key.lower().endswith("_proxy")}
    proxy = named.get(f"{scheme}_proxy") or named.get("all_proxy")
    if not proxy or proxy_bypass_environment(host, {"no": named.get("no_proxy", "")}):
        return None
    address = Address.read(proxy if "://" in proxy else f"http://{proxy}")
    if not address.url.startswith("http://"):
        raise _UnusableError(f"the proxy `{short(address.url)}` is not one of http")
    return address


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
