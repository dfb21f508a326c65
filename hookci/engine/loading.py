"""How the `docker` package is loaded: without what it takes along and hookci never uses, or hardly ever."""

from __future__ import annotations

import warnings
from types import ModuleType

from hookci.spared import Later, import_beside

__all__ = ["load"]

_NEEDLESS = ("chardet", "charset_normalizer", "docker.transport.sshconn", "urllib3.contrib.socks")
"""Two that guess the encoding of texts (an engine's are JSON, which is UTF-8), ways by SSH and SOCKS: ours is `ssh`."""
_TLS = ("ssl", "urllib3.contrib.pyopenssl")
_ALONG = ("requests", "urllib3")
_MISSED = "Unable to find acceptable character detection"
_LATER = {
    "bz2": (),
    "calendar": (),
    "docker.client": ("DockerClient", "from_context", "from_env"),
    "docker.context": ("Context", "ContextAPI"),
    "email.header": (),
    "encodings.idna": (),
    "idna": (),
    "importlib.metadata": ("version",),
    "ipaddress": (),
    "lzma": (),
    "mimetypes": (),
    "random": (),
    "tarfile": (),
    "tempfile": (),
    "traceback": (),
    "urllib.request": (
        *("getproxies", "getproxies_environment", "parse_http_list", "proxy_bypass", "proxy_bypass_environment"),
    ),
    "zipfile": (),
}
"""What is asked for at once, and used for dates, files, host names and types that do not occur here, or in errors."""


def load(*, encrypted: bool) -> None:
    """Import the `docker` package, and what it needs of others.

    All of it would take half as long again, and more where `paramiko` is installed, which comes along.

    Args:
        encrypted: whether an engine will be spoken to by TLS; without it this process never can.
    """
    later = {name: Later(name, *said) for name, said in _LATER.items()}
    # the standard library's own has TLS all the same
    import_beside("http.client", {**later, "ssl": Later("ssl")})
    warnings.filterwarnings("ignore", _MISSED)
    if encrypted:
        import_beside("docker", later, hidden=_NEEDLESS, along=_ALONG)
        return
    # `requests` asks at once where the certificates of authorities are
    nowhere = ModuleType("certifi")
    nowhere.__dict__["where"] = str
    import_beside("docker", {**later, "certifi": nowhere}, hidden=(*_NEEDLESS, *_TLS), along=_ALONG)
