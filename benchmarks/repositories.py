"""Repositories to commit and push in: sealed off from the person who measures, one for each hook and size."""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.figures import EMPTY, Time

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.managers import Manager

__all__ = ["Repository", "make_template", "sealed_environment", "timed"]

_IN_A_DIRECTORY = 50
_GITCONFIG = """\
[user]
\tname = Ana
\temail = ana@example.com
[init]
\tdefaultBranch = main
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""


def sealed_environment(place: Path) -> dict[str, str]:
    """An environment with a home of its own and nothing of git's, CI's or a hook manager's."""
    home = place / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(_GITCONFIG, encoding="utf-8")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def make_template(place: Path, files: int, environment: Mapping[str, str]) -> Path:
    """A packed repository of so many small files in one commit."""
    template = place / f"template-{files}"
    for number in range(files):
        path = template / f"part{number // _IN_A_DIRECTORY}" / f"file{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number}\n" * 20, encoding="utf-8")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "files"), ("gc", "-q")):
        subprocess.run(["git", *words], cwd=template, env=environment, check=True)
    return template


@dataclass(slots=True)
class Repository:
    """A repository with the hooks of ``manager``, and a bare remote beside it."""

    manager: Manager
    files: int
    path: Path
    environment: dict[str, str]
    _edits: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def make(
        cls, place: Path, template: Path, manager: Manager, files: int, environment: Mapping[str, str]
    ) -> Repository:
        """A copy of ``template`` with hooks that run ``true``."""
        path = place / f"{manager.name.replace(' ', '-')}-{files}"
        shutil.copytree(template, path)
        search = os.pathsep.join([*map(str, manager.path), environment["PATH"]])
        repository = cls(manager, files, path, {**environment, "PATH": search})
        repository.git("clone", "-q", "--bare", str(template), f"{path}.git")
        repository.git("remote", "add", "origin", f"{path}.git")
        repository.git("fetch", "-q", "origin")
        repository.configure("true")
        repository.install()
        return repository

    def install(self) -> None:
        """Make git run the hooks."""
        if self.manager.install:
            subprocess.run(self.manager.install, cwd=self.path, env=self.environment, check=True, capture_output=True)
        if self.manager.name == EMPTY:
            for name in ("pre-commit", "pre-push"):
                hook = self.path / ".git" / "hooks" / name
                hook.write_text("#!/bin/sh\n", encoding="utf-8")
                hook.chmod(0o755)

    def configure(self, command: str) -> None:
        """Let the hooks run ``command`` from now on."""
        if self.manager.judges:
            text = self.manager.config.format(command=command)
            (self.path / self.manager.config_name).write_text(text, encoding="utf-8")
        self.edit()
        self.git("commit", "-q", "--no-verify", "-m", "config")

    def edit(self) -> None:
        """Change one file, as it never was before, and add it."""
        changed = self.path / "part0" / "file0.txt"
        changed.write_text(f"edit {next(self._edits)}\n", encoding="utf-8")
        self.git("add", "-A")

    def commit(self) -> Iterator[Time]:
        """Commit a new tree, then the same tree again."""
        self.edit()
        yield self.git("commit", "-q", "-m", "a change")
        yield self.git("commit", "-q", "--amend", "--no-edit")

    def push(self) -> Iterator[Time]:
        """Push a new tree, then the same commit to another branch."""
        self.edit()
        self.git("commit", "-q", "--no-verify", "-m", "a change")
        # an amended commit may be on the remote already
        yield self.git("push", "-q", "--force", "origin", "main")
        yield self.git("push", "-q", "origin", "main:refs/heads/again")
        self.git("-C", f"{self.path}.git", "update-ref", "-d", "refs/heads/again")
        self.git("update-ref", "-d", "refs/remotes/origin/again")

    def git(self, *words: str) -> Time:
        """Run git and say how long it took."""
        return timed(["git", *words], self.path, self.environment)


def timed(
    argv: Sequence[str], place: Path, environment: Mapping[str, str], *, expected: Collection[int] = (0,)
) -> Time:
    """Run a program in ``place`` and say how long it took; it has to end with a status that is ``expected``."""
    with tempfile.TemporaryFile() as output:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        done = subprocess.run(
            argv,
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in expected:
            output.seek(0)
            text = output.read().decode(errors="replace")
            raise SystemExit(f"{place.name}: {' '.join(argv)} ended in {done.returncode}:\n{text}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Time(wall * 1000, cpu * 1000)
