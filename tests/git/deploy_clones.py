"""Clones of one real bare remote, and what is deployed from them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from conftest import Repo

from hookci.git.remote import DeployRemote
from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch
from hookci.model.release import Kind, Lock, Release

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

T = TypeVar("T")


@dataclass(frozen=True)
class Clone:
    """A clone, opened."""

    repo: Repo
    repository: Repository
    remote: DeployRemote

    @classmethod
    def of(cls, repo: Repo, name: str = "origin", timeout: float = 60.0) -> Clone:
        repository = Repository.discover(repo.path, repo.env)
        scratch = Scratch(repo.path.parent / f"{repo.path.name}-scratch")
        return cls(repo, repository, DeployRemote(name, repository, scratch, timeout))

    @property
    def head(self) -> str:
        return self.repo.out("rev-parse", "HEAD")

    def lock(self, token: str = "t", environment: str = "staging") -> Lock:
        return Lock(
            environment=environment, by="Ana <ana@example.com>", host=self.repo.path.name, pid=42, start="7",
            since=1_700_000_000.0, commit=self.head, token=f"{self.repo.path.name}-{token}",
        )  # fmt: skip

    def release(self, number: int, environment: str = "staging", **parts: object) -> Release:
        of = {
            "environment": environment, "number": number, "commit": self.head, "kind": Kind.DEPLOY,
            "by": f"Ana <{self.repo.path.name}@example.com>", "at": 1_700_000_000.0, "seconds": 1.5,
        }  # fmt: skip
        return Release(**{**of, **parts})  # type: ignore[arg-type]  # any of its parts


def cloned(repo: Repo, count: int, *options: str) -> list[Clone]:
    """``repo`` with one commit pushed, and ``count`` clones of its remote."""
    assert repo.remote is not None
    if "refs/heads/main" not in repo.remote_refs():
        repo.commit({"a.txt": "one\n"})
        repo.git("push", "-q", "--no-verify", "origin", "main")
    clones = []
    for number in range(count):
        path = repo.path.parent / f"clone-{number}"
        repo.run("git", "clone", "-q", *options, repo.remote.as_uri(), str(path))
        clones.append(Clone.of(Repo(path, repo.env, repo.remote)))
    return clones


def at_once(acts: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """What each returns or raises, all begun in the same moment."""
    barrier = threading.Barrier(len(acts))

    def begun(act: Callable[[], T]) -> T | Exception:
        barrier.wait()
        try:
            return act()
        except Exception as error:  # noqa: BLE001 (whatever it is, the test looks at it)
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(begun, acts))


def stale_locks(remote: Path) -> list[Path]:
    """Lock files of refs that a killed git left in a repository."""
    return [*remote.glob("refs/**/*.lock"), *remote.glob("*.lock")]
