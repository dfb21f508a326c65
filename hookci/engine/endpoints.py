"""Where an engine may be: what a person, the environment or a docker context says, or else the usual places.

Sources: the `docker` command's reference, "Environment variables" and "docker context"; the layout of
``~/.docker/contexts`` is that of docker/cli, cli/context/store.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct, field

from hookci.engine.calls import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Certificates", "Endpoint", "find_endpoints"]

_DEFAULT = "default"
"""The context that stands for no context at all."""
_ASKED = "hookci.engine"
_SAY = "say it as `unix:///path/to/docker.sock`, `tcp://host:port` or `ssh://user@host`"


class Certificates(Struct, frozen=True):
    """TLS: the files of a PEM-encoded authority, certificate and key (None: not there), and whether to trust others."""

    authority: Path | None
    certificate: Path | None
    key: Path | None
    verify: bool = True


class Endpoint(Struct, frozen=True, kw_only=True):
    """A place where an engine may be.

    ``name`` is what messages call it, ``said_by`` who names it.  ``config`` is the directory of the `docker` command's
    own config, for the credentials of registries; ``env`` is what programs started for it get (ssh, credential
    helpers).
    """

    name: str
    url: str
    said_by: str
    config: Path
    tls: Certificates | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Where it is; the environment is not for anybody to see."""
        return f"Endpoint({self.url!r}, said_by={self.said_by!r})"

    @property
    def socket(self) -> str | None:
        """The path of its socket on this machine, None for what is reached otherwise."""
        return self.url.removeprefix("unix://") if self.url.startswith("unix://") else None


def find_endpoints(wanted: str | None, env: Mapping[str, str], home: Path) -> list[Endpoint]:
    """The places to try in turn; only one unless nobody says where.

    Args:
        wanted: a URL or the name of a docker context, None for what the environment says: DOCKER_HOST,
            DOCKER_CONTEXT, the current context, the usual sockets.
        env: the user's environment.
        home: the user's home.

    Raises:
        EngineError: a URL makes no sense, or there is no such context.
    """
    surroundings = _Surroundings(env, home, Path(env.get("DOCKER_CONFIG") or home / ".docker"))
    if wanted and wanted != _DEFAULT:
        if "://" in wanted:
            return [surroundings.at(wanted, _ASKED)]
        return [surroundings.of_context(wanted, _ASKED)]
    if host := env.get("DOCKER_HOST"):
        return [surroundings.at(host, "DOCKER_HOST")]
    name, said_by = (None, "") if wanted else surroundings.current_context()
    if name and name != _DEFAULT:
        return [surroundings.of_context(name, said_by)]
    return surroundings.usual()


class _Surroundings(Struct, frozen=True):
    env: Mapping[str, str]
    home: Path
    config: Path

    def at(self, url: str, said_by: str) -> Endpoint:
        """What a URL says; the environment says whether with TLS."""
        _check(url, said_by)
        tls = self._certificates() if url.startswith("tcp://") else None
        return self._endpoint(f"the engine at {url}", url, said_by, tls)

    def _endpoint(self, name: str, url: str, said_by: str, tls: Certificates | None = None) -> Endpoint:
        return Endpoint(name=name, url=url, said_by=said_by, config=self.config, tls=tls, env=self.env)

    def _certificates(self) -> Certificates | None:
        verify = bool(self.env.get("DOCKER_TLS_VERIFY"))
        if not verify and not self.env.get("DOCKER_TLS"):
            return None
        given = self.env.get("DOCKER_CERT_PATH")
        found = _certificates_in(Path(given) if given else self.config, verify=verify)
        if given and verify and found.authority is None:
            raise EngineError(f"DOCKER_CERT_PATH: there is no {given}/ca.pem", "set it to the directory of ca.pem")
        return found

    def current_context(self) -> tuple[str | None, str]:
        """The context in use, and who says so."""
        if name := self.env.get("DOCKER_CONTEXT"):
            return name, "DOCKER_CONTEXT"
        file = self.config / "config.json"
        name = _read(file).get("currentContext") if file.is_file() else None
        return (name if isinstance(name, str) else None), str(file)

    def of_context(self, name: str, said_by: str) -> Endpoint:
        """The engine of a docker context, with the TLS files that context keeps."""
        digest = hashlib.sha256(name.encode()).hexdigest()
        file = self.config / "contexts" / "meta" / digest / "meta.json"
        if not file.is_file():
            raise EngineError(f"{said_by}: there is no docker context `{name}`", self._did_you_mean(name))
        meta = _read(file)
        try:
            endpoint = meta["Endpoints"]["docker"]
            url = str(endpoint["Host"])
        except (KeyError, TypeError):
            raise EngineError(f"{file}: the docker context `{name}` names no engine") from None
        _check(url, f"the docker context `{name}`")
        found = _certificates_in(
            self.config / "contexts" / "tls" / digest / "docker", verify=not endpoint.get("SkipTLSVerify")
        )
        tls = found if found.authority or found.certificate or not found.verify else None
        return self._endpoint(f"the engine of context {name}", url, said_by, tls if url.startswith("tcp://") else None)

    def _did_you_mean(self, name: str) -> str:
        import difflib  # noqa: PLC0415 (only for what is wrong)

        files = sorted((self.config / "contexts" / "meta").glob("*/meta.json"))
        known = [_DEFAULT, *(str(_read(file).get("Name")) for file in files)]
        near = difflib.get_close_matches(name, known, n=1)
        return f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}; a URL has `://` in it"

    def usual(self) -> list[Endpoint]:
        """The sockets where engines usually listen: the system's, a rootless one's, Docker Desktop's, Podman's."""
        runtime = self.env.get("XDG_RUNTIME_DIR")
        paths = [
            Path("/var/run/docker.sock"),
            *([Path(runtime, "docker.sock")] if runtime else []),
            self.home / ".docker/run/docker.sock",
            self.home / ".docker/desktop/docker.sock",
            self.home / ".colima/default/docker.sock",
            *([Path(runtime, "podman/podman.sock")] if runtime else []),
            Path("/run/podman/podman.sock"),
        ]
        return [self._endpoint(f"the engine at {path}", f"unix://{path}", "the usual places") for path in paths]


def _check(url: str, said_by: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise EngineError(f"{said_by}: `{url}` is no address of an engine: {error}", _SAY) from error
    whole = {
        "unix": not parts.netloc and len(parts.path) > 1,
        "tcp": bool(parts.hostname and port),
        # a name that begins with a dash would be an option of ssh's
        "ssh": bool(parts.hostname) and not parts.netloc.startswith("-") and not parts.password,
    }
    if not whole.get(parts.scheme):
        raise EngineError(f"{said_by}: `{url}` is no address of an engine", _SAY)


def _certificates_in(directory: Path, *, verify: bool) -> Certificates:
    files = (directory / name for name in ("ca.pem", "cert.pem", "key.pem"))
    authority, certificate, key = (file if file.is_file() else None for file in files)
    return Certificates(authority, certificate, key, verify)


def _read(file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"{file} cannot be read: {error}", "mend it, or name an engine with `--engine`") from error
    return read if isinstance(read, dict) else {}
