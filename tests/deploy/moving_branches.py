"""A clone whose hooks deploy, another one that pushes, and a log of what was deployed."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from conftest import Repo

import hookci
from hookci.git.install import add_deploys, install
from hookci.git.repository import Repository
from hookci.git.shims import read_shim

if TYPE_CHECKING:
    from collections.abc import Callable

MAIN = Path(hookci.__file__).parent / "__main__.py"
JOBS = """\
[jobs.unit]
script = ["true"]
inputs = ["hookci.toml"]
"""
STAGING = """
[environments.staging]
deploy = "on-merge"
script = ["echo $HOOKCI_COMMIT >>'{log}'", "{more}"]
"""
WITHOUT_HOOKS = ("-c", "core.hooksPath=/dev/null")


@dataclass
class Here(Repo):
    """The clone that deploys."""

    log: Path = field(default_factory=Path)

    @property
    def deployed(self) -> list[str]:
        """The commits whose deploy script ran, in order."""
        return self.log.read_text().split() if self.log.exists() else []

    @property
    def head(self) -> str:
        return self.out("rev-parse", "HEAD")

    @property
    def tags(self) -> list[str]:
        return self.out("tag", "-l", "deploy/*", "--sort=v:refname").split()

    def quietly(self, name: str, text: str = "here\n") -> str:
        """Commit one file without any hook; the commit."""
        self.write_files({name: text})
        self.git("add", "-A")
        self.git(*WITHOUT_HOOKS, "commit", "-qm", name)
        return self.head

    def configure(self, more: str = "true", config: str = STAGING) -> None:
        """Commit a config without any hook, and accept what it executes."""
        self.quietly("hookci.toml", JOBS + config.format(log=self.log, more=more))
        self.trust()

    def trust(self, *names: str) -> None:
        for name in names or ("staging",):
            self.hookci("trust", "--yes", name)

    def until(self, holds: Callable[[], bool], seconds: float = 60.0) -> bool:
        """Whether something came true in time."""
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.02)
        return holds()


@dataclass
class Clones:
    """Two clones of one bare repository: ``there`` pushes, the hooks of ``here`` deploy."""

    here: Here
    there: Repo

    def push(self, name: str = "theirs", text: str = "there\n") -> None:
        """Have ``there`` push a commit with one file to main."""
        self.there.commit({name: text}, name)
        self.there.git("push", "-q", "upstream", "HEAD:main")


def deploy_from_hooks(repo: Repo, *names: str, python: Path | None = None) -> None:
    """What `hookci install --deploys` does."""
    opened = Repository.discover(repo.path, repo.env)
    install(opened, read_shim(), python=python or Path(sys.executable), main=MAIN)
    add_deploys(opened, names)


def make_clones(tmp_path: Path, env: dict[str, str]) -> Clones:
    """The remote is called ``upstream``, so that locks and tags stay here: what is asked is when, not how."""
    remote = tmp_path / "project.git"
    there = Repo(tmp_path / "there", env, remote)
    there.run("git", "init", "-q", "--bare", str(remote), cwd=tmp_path)
    there.run("git", "clone", "-q", "-o", "upstream", str(remote), str(there.path), cwd=tmp_path)
    log = tmp_path / "log"
    there.commit({"hookci.toml": JOBS + STAGING.format(log=log, more="true"), "shared": "one\n"}, "the first")
    there.git("push", "-q", "upstream", "HEAD:main")
    here = Here(tmp_path / "here", env, remote, log=log)
    here.run("git", "clone", "-q", "-o", "upstream", str(remote), str(here.path), cwd=tmp_path)
    deploy_from_hooks(here, "staging")
    here.trust()
    return Clones(here, there)
