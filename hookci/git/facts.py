"""The predefined variables that describe a snapshot, as far as git knows them: true ones only.

Source: GitLab CI/CD, "Predefined CI/CD variables reference"; the names and meanings are GitLab's where it has one.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from hookci.model.patterns import pattern
from hookci.model.slugs import slug

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.git.repository import Repository

__all__ = [
    "ORIGIN",
    "change_facts",
    "commit_facts",
    "commit_time",
    "default_branch",
    "project_facts",
    "tag_message",
]

ORIGIN = "origin"
"""The remote that is meant when none is named."""
_LONG_TITLE = 100
"""From this length on, in characters, the description of a commit is its whole message."""
_HEADS = "refs/heads/"
_ORIGIN_HEAD = f"refs/remotes/{ORIGIN}/HEAD"
_IDENT = pattern(rb"\s*(?P<name>[^<\n]*?)\s*<(?P<email>[^>\n]*)>.*")
_COMMITTED = pattern(rb"^committer .*> *(\d+) ([+-]\d{4})$", re.MULTILINE)
_SCP = pattern(r"(?:[^@/:]+@)?(?P<host>[^/:]+):(?P<path>(?![/:]).+)")
"""``git@host:group/project.git``, see git-fetch(1), "GIT URLS"."""
_URL = pattern(
    r"(?P<scheme>https?|ssh|git\+ssh|ssh\+git)://(?:[^/]*@)?(?P<host>[^/:@]+|\[[0-9a-fA-F:.]+\])(?::(?P<port>[0-9]*))?/(?P<path>.+)"
)
# urllib would be the dearest import of a push that has nothing to do
_PORTS = {"http": 80, "https": 443}


def commit_facts(oid: str, content: bytes) -> dict[str, str]:
    """What a commit says of itself, from its object."""
    head, _, body = content.partition(b"\n\n")
    fields = dict(line.split(b" ", 1) for line in head.split(b"\n") if not line.startswith(b" ") and b" " in line)

    def text(raw: bytes) -> str:
        return _decoded(raw, fields.get(b"encoding", b""))

    author = _IDENT.fullmatch(fields.get(b"author", b""))
    message = text(body.partition(b"\0")[0]).rstrip("\n")
    title, _, description = message.partition("\n")
    return {
        "HOOKCI_COMMIT": oid,
        "CI_COMMIT_SHA": oid,
        "CI_COMMIT_SHORT_SHA": oid[:8],
        "CI_COMMIT_TITLE": title,
        "CI_COMMIT_MESSAGE": message,
        "CI_COMMIT_MESSAGE_IS_TRUNCATED": "false",
        "CI_COMMIT_DESCRIPTION": description.strip("\n") if len(title) < _LONG_TITLE else message,
        "CI_COMMIT_AUTHOR": f"{text(author['name'])} <{text(author['email'])}>" if author else " <>",
        "CI_COMMIT_TIMESTAMP": _iso(*commit_time(content)),
    }


def commit_time(content: bytes) -> tuple[int, str]:
    """When a commit was made, from its object: unix seconds, and the committer's time zone (``+0200``)."""
    found = _COMMITTED.search(content.partition(b"\n\n")[0])
    return (int(found[1]), found[2].decode("ascii")) if found else (0, "+0000")


def _iso(seconds: int, zone: str) -> str:
    east = (int(zone[1:3]) * 60 + int(zone[3:])) * (-60 if zone[0] == "-" else 60)
    try:
        there = time.gmtime(seconds + east)
    except (OverflowError, ValueError, OSError):  # what git too says of a time that is none
        there, zone = time.gmtime(0), "+0000"
    year, month, day, hour, minute, second, *_ = there
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone[:3]}:{zone[3:]}"


def _decoded(raw: bytes, encoding: bytes) -> str:
    """``raw`` as text; a commit names its encoding when that is not UTF-8 (git-commit(1), DISCUSSION)."""
    try:
        return raw.decode(encoding.decode("ascii")) if encoding else os.fsdecode(raw)
    except (LookupError, UnicodeDecodeError):
        return os.fsdecode(raw)


def default_branch(repository: Repository) -> str:
    """The default branch of ``origin`` as far as this clone knows, or what a first one is called."""
    refs = repository.refs
    if _ORIGIN_HEAD in refs.symbolic:
        return refs.symbolic[_ORIGIN_HEAD].removeprefix(f"refs/remotes/{ORIGIN}/")
    return next((name for name in ("main", "master") if f"{_HEADS}{name}" in refs.objects), "main")


def tag_message(repository: Repository, name: str) -> str | None:
    """The message of an annotated tag, without its signature; None when ``name`` is no such object."""
    found = repository.look_up([name]).get(name)
    if found is None or found.kind != "tag":
        return None
    message = os.fsdecode(found.content).partition("\n\n")[2]
    return re.split(r"^-----BEGIN ", message, maxsplit=1, flags=re.MULTILINE)[0].rstrip("\n")


def project_facts(settings: Mapping[str, list[str]], remote: str) -> dict[str, str]:
    """What is known of the project and its server from where a remote is, and of the person from git's settings.

    Args:
        settings: git's, see `hookci.git.repository.GitConfig`.
        remote: the name of a remote, or an address.
    """
    facts: dict[str, str] = {}
    address = (settings.get(f"remote.{remote}.url") or [remote])[-1]
    server = _server(address)
    if server:
        host, path, ssh, protocol, port = server
        facts |= _place_facts(path) | _server_facts(host, protocol, port) | _ssh_facts(host, ssh)
        facts["CI_PROJECT_URL"] = f"{facts['CI_SERVER_URL']}/{path}"
        facts["CI_REPOSITORY_URL"] = f"{facts['CI_PROJECT_URL']}.git"
    for name, key in (("GITLAB_USER_NAME", "name"), ("GITLAB_USER_EMAIL", "email")):
        value = settings.get(f"author.{key}") or settings.get(f"user.{key}")
        if value:
            facts[name] = value[-1]
    return facts


def change_facts(facts: Mapping[str, str], *, branch: str, target: str, base: str | None) -> dict[str, str]:
    """What is known of a merge request of ``branch`` into ``target``; its number is the server's to know."""
    known = {
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": branch,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": target,
        "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
    }
    if base:
        known["CI_MERGE_REQUEST_DIFF_BASE_SHA"] = base
    for part in ("PATH", "URL"):
        value = facts.get(f"CI_PROJECT_{part}")
        if value:
            known[f"CI_MERGE_REQUEST_PROJECT_{part}"] = known[f"CI_MERGE_REQUEST_SOURCE_PROJECT_{part}"] = value
    return known


def _server(address: str) -> tuple[str, str, int | None, str, int] | None:
    """Host, path, SSH port (None for HTTP), protocol and port of its pages; None for what is on no server."""
    found = _URL.fullmatch(address) if "://" in address else _SCP.fullmatch(address)
    parts = found.groupdict() if found else {}
    path = _path(parts.get("path", ""))
    if not path:
        return None
    scheme, port = parts.get("scheme", "ssh"), int(parts.get("port") or 0)
    if scheme in _PORTS:
        return parts["host"], path, None, scheme, port or _PORTS[scheme]
    return parts["host"], path, port or 22, "https", _PORTS["https"]


def _path(text: str) -> str:
    return text.strip("/").removesuffix(".git").rstrip("/")


def _place_facts(path: str) -> dict[str, str]:
    namespace, _, name = path.rpartition("/")
    facts = {
        "CI_PROJECT_NAME": name,
        "CI_PROJECT_PATH": path,
        "CI_PROJECT_PATH_SLUG": slug(path),
    }
    if namespace:
        facts["CI_PROJECT_NAMESPACE"] = namespace
        facts["CI_PROJECT_NAMESPACE_SLUG"] = slug(namespace)
        facts["CI_PROJECT_ROOT_NAMESPACE"] = namespace.partition("/")[0]
    return facts


def _server_facts(host: str, protocol: str, port: int) -> dict[str, str]:
    name = host if port == _PORTS[protocol] else f"{host}:{port}"
    url = f"{protocol}://{name}"
    return {
        "CI_API_GRAPHQL_URL": f"{url}/api/graphql",
        "CI_API_V4_URL": f"{url}/api/v4",
        "CI_SERVER_HOST": host,
        "CI_SERVER_FQDN": name,
        "CI_SERVER_PORT": str(port),
        "CI_SERVER_PROTOCOL": protocol,
        "CI_SERVER_URL": url,
    }


def _ssh_facts(host: str, port: int | None) -> dict[str, str]:
    return {} if port is None else {"CI_SERVER_SHELL_SSH_HOST": host, "CI_SERVER_SHELL_SSH_PORT": str(port)}
