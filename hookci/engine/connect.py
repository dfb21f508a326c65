"""Reaching an engine: the first place that answers and speaks a version of the API that is new enough.

Source: Docker Engine API 1.41, "Versioning", ``/version`` and ``/info``.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import functools
import socket
import warnings
from typing import TYPE_CHECKING, Any

from docker import APIClient
from docker.errors import APIError, DockerException
from docker.tls import TLSConfig
from docker.transport import UnixHTTPAdapter
from docker.utils import version_lt
from msgspec import Struct
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException, Timeout
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from hookci.engine.calls import Engine, EngineGoneError
from hookci.engine.greeting import greet
from hookci.errors import HookciError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hookci.engine.endpoints import Endpoint
    from hookci.engine.greeting import Greeting
    from hookci.engine.tunnel import Tunnel

__all__ = ["OLDEST", "connect"]

OLDEST = "1.41"
"""The API of Docker 20.10, the oldest that does what is needed; it is spoken wherever it is understood."""
_FIRST_ANSWER = 10
_ANSWER = 300
"""Seconds for an answer; what follows a container waits for as long as it runs."""
_CONNECTING = 5.0
_CONNECTIONS = 1024
"""Kept open at once; more than a run needs, since one more than these would be told about on the standard error."""
_KEEPALIVE = (10, 5, 3)
"""Seconds of silence, seconds between questions, questions: a machine that is gone is noticed in half a minute."""

_LOCAL = "a job without `image` runs on this machine and needs none"
_START = f"start one (`systemctl start docker`, Docker Desktop, `dockerd`) or name one with `--engine`; {_LOCAL}"
_GROUP = 'join the group that may: `sudo usermod -aG docker "$USER"`, and log in again'
_UPDATE = "update it: Docker 20.10 and Podman 4.0 are new enough"
_TLS = "DOCKER_TLS_VERIFY=1 asks for TLS, DOCKER_CERT_PATH names the directory of ca.pem, cert.pem and key.pem"
_SSH = "`ssh` has to get in without asking anything; a path of its socket may follow: ssh://host/run/docker.sock"
_NOTHING = "there is nothing"
_ERRNO = {
    errno.ENOENT: (_NOTHING, _START),
    errno.ECONNREFUSED: ("nobody listens there", _START),
    errno.EACCES: ("permission denied", _GROUP),
    errno.EPERM: ("permission denied", _GROUP),
}


class _Failure(Struct, frozen=True):
    """Why an endpoint is not the engine, and what to do."""

    endpoint: Endpoint
    reason: str
    hint: str


def connect(endpoints: Sequence[Endpoint], greeting: Greeting | None = None) -> Engine:
    """The first engine that can be used; any number of threads may call it.

    Args:
        endpoints: the places to try in turn.
        greeting: what was asked at one of them already.

    Raises:
        EngineGoneError: there is none; the message says what was tried, and why each is none.
    """
    failures = []
    for endpoint in endpoints:
        try:
            return _reach(endpoint, greeting)
        except (RequestException, HTTPError, DockerException, HookciError, OSError, ValueError, LookupError) as error:
            failures.append(_Failure(endpoint, *_why(error)))
    raise _none_of(failures)


def _none_of(failures: Sequence[_Failure]) -> EngineGoneError:
    """One error for all that was tried; the usual places where nothing is are told of last."""
    telling = [failure for failure in failures if failure.reason != _NOTHING]
    absent = [failure.endpoint for failure in failures if failure.reason == _NOTHING]
    said = [f"{each.endpoint.url} ({each.endpoint.said_by}): {each.reason}" for each in telling]
    if absent:
        said.append(f"{_NOTHING} at {', '.join(each.url for each in absent)} ({absent[0].said_by})")
    return EngineGoneError(f"no container engine can be used: {'; '.join(said)}", (telling or failures)[0].hint)


def _reach(endpoint: Endpoint, greeting: Greeting | None) -> Engine:
    told = None
    if endpoint.socket:
        # also since the package leaves a socket open that nobody listens at
        asked = greeting if greeting and greeting.path == endpoint.socket else greet(endpoint.socket)
        told = asked.answer()
    tunnel = _tunnel(endpoint) if endpoint.url.startswith("ssh://") else None
    with contextlib.ExitStack() as undo:
        if tunnel:
            undo.callback(tunnel.close)
        url = f"unix://{tunnel.socket}" if tunnel else endpoint.url
        api = undo.enter_context(_client(url, endpoint, OLDEST))
        version = told or api.version(api_version=False)
        if not isinstance(version, dict):
            raise LookupError("no object")  # noqa: TRY004 (as when a key is missing)
        spoken = _spoken(version)
        if spoken != OLDEST:
            api.close()
            api = undo.enter_context(_client(url, endpoint, spoken))
        undo.pop_all()
    api.timeout = _ANSWER
    api.tunnel = tunnel
    atexit.register(api.close)
    identify = functools.partial(_identity, api, version, endpoint)
    return Engine(endpoint.name, identify, spoken, api, endpoint.socket, _kind(version), _is_podman(version))


def _tunnel(endpoint: Endpoint) -> Tunnel:
    from hookci.engine.tunnel import Tunnel  # noqa: PLC0415 (few engines are reached by ssh)

    return Tunnel.open(endpoint.url, endpoint.env)


class _Client(APIClient):
    """A client that ends the connection it goes through, when it is closed."""

    tunnel: Tunnel | None = None

    def close(self) -> None:
        """Close all connections; once more does no harm."""
        super().close()
        if self.tunnel:
            self.tunnel.close()


def _spoken(version: Mapping[str, Any]) -> str:
    """The version to speak: an older one than the engine's own, so that all engines do the same."""
    newest, oldest = str(version["ApiVersion"]), str(version.get("MinAPIVersion") or OLDEST)
    if version_lt(newest, OLDEST):
        product = f"engine {version.get('Version', '')}".strip()
        raise HookciError(f"the {product} is too old: it speaks API {newest}, and {OLDEST} is needed", _UPDATE)
    return oldest if version_lt(OLDEST, oldest) else OLDEST


def _kind(version: Mapping[str, Any]) -> str:
    return " ".join(str(version.get(key, "")) for key in ("Os", "Arch", "KernelVersion")).strip()


def _is_podman(version: Mapping[str, Any]) -> bool:
    return any("podman" in str(part.get("Name", "")).lower() for part in version.get("Components") or ())


def _identity(api: APIClient, version: Mapping[str, Any], endpoint: Endpoint) -> str:
    """What tells this engine from others; Podman makes up another id for each call, and takes long for it."""
    if _is_podman(version):
        return endpoint.url
    return str(api.info()["ID"])


def _client(url: str, endpoint: Endpoint, version: str) -> _Client:
    tls = endpoint.tls
    config: TLSConfig | bool = False
    if tls:
        pair = (str(tls.certificate), str(tls.key)) if tls.certificate and tls.key else None
        config = TLSConfig(client_cert=pair, ca_cert=str(tls.authority) if tls.authority else None, verify=tls.verify)
        if not tls.verify:
            # that is what was asked for, and would be told with each call
            warnings.filterwarnings("ignore", category=InsecureRequestWarning)
    api = _Client(
        url,
        version=version,
        timeout=_FIRST_ANSWER,
        tls=config,
        credstore_env=dict(endpoint.env),
        max_pool_size=_CONNECTIONS,
    )
    # proxies, netrc and certificates from the environment of this process are for other servers
    api.trust_env = False
    if url.startswith("unix://"):
        api.mount("http+docker://", _NearAdapter(f"http+{url}", api.timeout, max_pool_size=_CONNECTIONS))
    elif url.startswith("tcp://"):
        api.mount("http://", _FarAdapter())
        api.mount("https://", _FarAdapter())
    api.reload_config(str(endpoint.config / "config.json"))
    return api


class _NearAdapter(UnixHTTPAdapter):
    """Connections to a socket, shared by all calls: the package has a pool of its own for each address."""

    def get_connection(self, url: str | bytes, proxies: Any = None) -> Any:  # noqa: ANN401, ARG002 (as it comes)
        """The pool."""
        return super().get_connection("http+docker://localhost", proxies)


class _FarAdapter(HTTPAdapter):
    """Connections over a network, which notice that the other side is gone also while nothing is said."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=_CONNECTIONS)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 (as it comes)
        """The pool, with what is set on each socket."""
        names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
        alive = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        for name, value in zip(names, _KEEPALIVE, strict=True):
            if hasattr(socket, name):  # macOS has no TCP_KEEPIDLE
                alive.append((socket.IPPROTO_TCP, getattr(socket, name), value))
        super().init_poolmanager(*arguments, socket_options=alive, **options)

    def send(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 (as above)
        """Send; with a deadline of its own for the connection."""
        if not isinstance(options.get("timeout"), tuple):
            options["timeout"] = (_CONNECTING, options.get("timeout"))
        return super().send(*arguments, **options)


# -- why it is none


def _why(error: BaseException) -> tuple[str, str]:
    """What went wrong in few words, and what to do about it."""
    causes = list(_causes(error))
    for read in (_of_ours, _of_tls, _of_network, _of_answer):
        for cause in causes:
            if said := read(cause):
                return said
    return f"{type(error).__name__}: {error}", _START


def _of_ours(error: BaseException) -> tuple[str, str] | None:
    if isinstance(error, HookciError):
        return error.message, error.hint or _SSH
    return None


def _of_tls(error: BaseException) -> tuple[str, str] | None:
    import ssl  # noqa: PLC0415 (only when something is wrong)

    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}", _TLS
    if isinstance(error, ssl.SSLError):
        return f"no TLS connection: {error.reason or error}".lower().replace("_", " "), _TLS
    if isinstance(error, APIError) and "HTTPS server" in str(error.explanation or error):
        return "it wants TLS", _TLS
    return None


def _of_network(error: BaseException) -> tuple[str, str] | None:
    if isinstance(error, (Timeout, TimeoutError)):
        return "no answer in time", _START
    if isinstance(error, socket.gaierror):
        return "there is no such host", _START
    if isinstance(error, OSError) and error.errno:
        return _ERRNO.get(error.errno, ((error.strerror or str(error)).lower(), _START))
    return None


def _of_answer(error: BaseException) -> tuple[str, str] | None:
    if isinstance(error, APIError):
        return f"it answers: {error.explanation or error}", _START
    if isinstance(error, DockerException):
        return str(error), _START
    if isinstance(error, (ValueError, LookupError)):
        return "what answers there is no Docker Engine API", _START
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all it was made of; libraries hide them in several places."""
    pending, seen = [error], set[int]()
    while pending:
        each = pending.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inside = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        pending += [part for part in inside if isinstance(part, BaseException)]
