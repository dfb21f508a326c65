"""Files of other repositories: one commit of one of them is fetched to a directory that goes afterwards."""

from __future__ import annotations

import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import HookciError
from hookci.git.repository import git
from hookci.git.wire import without_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookci.proc.run import Done

__all__ = ["ElsewhereError", "Place", "host_of", "project_url"]

_TIMEOUT = 120.0
_URL = re.compile(r"(?P<scheme>https?|ssh|git)://(?P<host>[^/]+)/.*")
_SCP = re.compile(r"(?P<host>[^/:]+):(?!/).*")
# a person who is asked for a password has no terminal to answer on: git runs without one
_SILENT = {"GIT_TERMINAL_PROMPT": "0"}


class ElsewhereError(HookciError):
    """Another repository, or a file of it, could not be had."""


def host_of(url: str) -> str | None:
    """The host of a remote's address, as components name it: without user and port; None for a path."""
    found = _URL.fullmatch(url) or _SCP.fullmatch(url)
    return found["host"].rpartition("@")[2].partition(":")[0] if found else None


def project_url(remote: str, project: str) -> str:
    """The address of ``project`` (``group/name``) at the place where ``remote``, a project's address, is.

    Raises:
        ElsewhereError: that cannot be told.
    """
    name = project.strip("/")
    if found := _URL.fullmatch(remote):
        return f"{found['scheme']}://{found['host']}/{name}.git"
    if (found := _SCP.fullmatch(remote)) and not Path(remote).exists():
        return f"{found['host']}:{name}.git"
    path = Path(remote.removeprefix("file://"))
    for above in path.parents:
        for place in (above / f"{name}.git", above / name):
            if place.is_dir():
                return str(place)
    raise ElsewhereError(f"there is no project `{project}` beside {remote}")


class Place(Struct, frozen=True):
    """A repository at ``url``, reached as the person's own git reaches it; ``env`` is that of hookci's own git."""

    url: str
    env: Mapping[str, str]

    def tags(self) -> dict[str, str]:
        """All tags with their objects.

        Raises:
            ElsewhereError: it does not answer.
        """
        done = self._git(["ls-remote", "--tags", "--refs", "--", self.url], Path("/"))
        lines = (line.partition("\t") for line in done.stdout.decode(errors="replace").splitlines())
        return {ref.removeprefix("refs/tags/"): oid for oid, _, ref in lines}

    def file(self, ref: str, paths: Sequence[str]) -> bytes:
        """The first of ``paths`` that is a file at ``ref`` (a branch, a tag, a commit; empty: the default branch).

        Raises:
            ElsewhereError: the repository does not answer, or has no such ref, or none of the paths.
        """
        if ref.startswith("-"):
            raise ElsewhereError(f"`{ref}` names no branch, tag or commit")
        with TemporaryDirectory(prefix="hookci-include-") as name:
            directory = Path(name)
            self._git(["init", "--quiet", "--bare", "."], directory)
            fetch = ["fetch", "--quiet", "--depth=1", "--no-tags", "--", self.url, ref or "HEAD"]
            self._git(fetch, directory)
            for path in paths:
                argument = f"FETCH_HEAD:{os.path.normpath(path.lstrip('/'))}"
                done = self._git(["cat-file", "blob", argument], directory, check=False)
                if done.returncode == 0:
                    return done.stdout
        at = f" at {ref}" if ref else ""
        raise ElsewhereError(f"{without_credentials(self.url)} has no {' or '.join(paths)}{at}")

    def _git(self, arguments: Sequence[str], cwd: Path, *, check: bool = True) -> Done:
        done = git(arguments, cwd=cwd, env={**self.env, **_SILENT}, check=False, timeout=_TIMEOUT)
        if check and done.returncode != 0:
            why = without_credentials(done.complaint)
            raise ElsewhereError(f"{without_credentials(self.url)}: {why}")
        return done
