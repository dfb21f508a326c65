"""Repositories that hookci guards, what their jobs saw, and pictures of everything that is the user's."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conftest import Ran, Repo

NO_BAD = """\
[jobs.unit]
stage = "test"
script = ["test ! -e BAD"]

[hooks]
pre-commit = ["unit"]
"""
"""Green where there is no file BAD."""


def guard(repo: Repo, config: str = NO_BAD, *, push: bool = True) -> Repo:
    """Commit ``config``, install the hooks, and (without them) push main."""
    repo.commit({"hookci.toml": config, "a.txt": "one\n"}, "first")
    repo.hookci("install")
    if push:
        repo.git("push", "-q", "--no-verify", "-u", "origin", "HEAD:main")
    return repo


@dataclass(frozen=True)
class Evidence:
    """A directory outside of everything, where jobs leave what they saw."""

    path: Path

    @property
    def config(self) -> str:
        """A pipeline whose one job copies its whole workspace away, one directory for each judged tree."""
        return f"""\
[jobs.look]
stage = "test"
variables = {{ SEEN = '{self.path}' }}
script = ['mkdir -p "$SEEN"', 'cp -a . "$SEEN/$HOOKCI_TREE"', 'echo "$HOOKCI_REF_NAME $HOOKCI_TREE" >> "$SEEN/log"']

[hooks]
pre-commit = ["look"]
"""

    @property
    def judged(self) -> list[str]:
        """The trees that were judged, in order."""
        return [line.rpartition(" ")[2] for line in self._log()]

    @property
    def names(self) -> list[str]:
        """The branches and tags they were judged as."""
        return [line.rpartition(" ")[0] for line in self._log()]

    def seen(self, tree: str) -> dict[str, str]:
        """What the job found in its workspace."""
        return contents(self.path / tree)

    def _log(self) -> list[str]:
        log = self.path / "log"
        return log.read_text(errors="surrogateescape").splitlines() if log.exists() else []


def _walk(top: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(top):
        if Path(folder) == top:
            folders[:] = [name for name in folders if name != ".git"]
        for name in sorted([*folders, *files]):
            if Path(folder, name) != top / ".git":  # a file, in a linked worktree
                yield Path(folder, name)


def _content(path: Path) -> str:
    info = path.lstat()
    kind = stat.filemode(info.st_mode)
    if stat.S_ISLNK(info.st_mode):
        return f"-> {path.readlink()}"
    return kind if not stat.S_ISREG(info.st_mode) else f"{kind} {path.read_bytes()!r}"


def contents(top: Path) -> dict[str, str]:
    """Type, permission bits and content of everything below ``top``; its own ``.git`` is left out."""
    return {str(path.relative_to(top)): _content(path) for path in _walk(top)}


def fresh(repo: Repo, revision: str, place: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """What git itself checks out of ``revision`` in a clone that was never used for anything."""
    options = [f"--config={key}={value}" for key, value in (settings or {}).items()]
    repo.git("clone", "-q", "--no-checkout", "--shared", *options, str(repo.path), str(place))
    commit = repo.out("rev-parse", f"{revision}^{{commit}}")
    repo.run("git", "checkout", "-qf", "--detach", commit, cwd=place)
    return contents(place)


def picture(repo: Repo) -> dict[str, object]:
    """Everything of the user's that a run must leave alone, mtimes of the work tree included."""
    common = Path(repo.out("rev-parse", "--path-format=absolute", "--git-common-dir"))
    inside = (Path(folder, name) for folder, _, names in os.walk(common) for name in names)
    found: dict[str, object] = {
        f".git/{path.relative_to(common)}": _content(path)
        for path in inside
        if not path.is_relative_to(common / "hookci")
    }
    for path in _walk(repo.path):
        found[str(path.relative_to(repo.path))] = (_content(path), path.lstat().st_mtime_ns)
    for question in (
        "rev-parse --symbolic-full-name HEAD",
        "for-each-ref",
        "stash list",
        "reflog --all",
        "worktree list",
    ):
        found[question] = repo.git(*question.split()).stdout
    return found


def push(repo: Repo, *refs: str, env: Mapping[str, str] | None = None) -> Ran:
    """Push to origin through the hooks."""
    return repo.git("push", "origin", *refs, check=False, env=env)


def refused(ran: Ran) -> str:
    """What was said; fails unless the hook refused."""
    assert ran.returncode != 0, f"{ran.argv} went through:\n{ran.output}"
    return ran.stderr


def workers(place: Path) -> list[psutil.Process]:
    """The living processes of jobs whose workspaces are below ``place``."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            where = process.environ().get("HOOKCI_WORKSPACE", "")
            if where.startswith(f"{place}/") and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
