"""Which checkout a job gets: kept ones, one for each job that runs at the same time, all of equal path length."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hookci.errors import WorkspaceError
from hookci.store.locks import FileLock
from hookci.workspace.checkout import Checkout

if TYPE_CHECKING:
    from pathlib import Path

    from hookci.git.repository import Repository

__all__ = ["MOST_AT_ONCE", "Slot", "Slots", "project_name", "repository_directory"]

_MOST = 100
MOST_AT_ONCE = 50
"""Jobs of one run; a second run at the same time finds checkouts too."""
_REMEMBERED_JOBS = 50
_BUSY = "busy"
"""Holds the token of the job in a checkout, and stays when its hookci is killed."""
_GRACE = 1.0


def repository_directory(cache_home: Path, repository: Repository) -> Path:
    """Where everything of one repository lives in the user's cache directory, its worktrees together."""
    digest = hashlib.sha256(os.fsencode(repository.common_dir)).hexdigest()[:10]
    return cache_home / "hookci" / f"{project_name(repository)}-{digest}"


def project_name(repository: Repository) -> str:
    """The repository's own name, as far as it is fit for a path without spaces."""
    common = repository.common_dir
    name = common.parent.name if common.name == ".git" else common.name.removesuffix(".git")
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[:50].strip(".") or "project"


@dataclass(slots=True)
class Slot:
    """One kept checkout, held by one job; ``token`` marks the job's processes."""

    directory: Path
    checkout: Checkout
    lock: FileLock
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def workspace(self) -> bytes:
        """The work tree's path."""
        return os.fsencode(self.checkout.tree_path)

    def release(self) -> None:
        """Give it back; the files stay for the next job to start from."""
        with contextlib.suppress(OSError):
            (self.directory / _BUSY).unlink()
        self.lock.release()


@dataclass(frozen=True, slots=True)
class Slots:
    """The checkouts of one repository, below ``directory``."""

    directory: Path
    name: str

    def acquire(self, job: str) -> Slot:
        """A checkout nobody else uses: rather one that ``job`` had before, since its files are then at the same path.

        Raises:
            WorkspaceError: all are in use, or the cache directory cannot be written.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.end_interrupted()
            numbers = sorted(range(_MOST), key=lambda number: (job not in self._jobs(number), number))
            for number in numbers:
                slot = self._try(number)
                if slot is not None:
                    self._remember(number, job)
                    return slot
        except OSError as error:
            raise WorkspaceError(f"{self.directory} cannot be used: {error.strerror}: {error.filename}") from error
        raise WorkspaceError(f"all {_MOST} workspaces in {self.directory} are in use")

    def end_interrupted(self) -> None:
        """End the jobs of runs that were killed, in all checkouts that nobody uses."""
        for busy in self.directory.glob(f"[0-9][0-9]/{_BUSY}"):
            lock = FileLock(busy.parent / "lock")
            if lock.try_acquire():
                try:
                    _end_job(busy, busy.parent / self.name)
                finally:
                    lock.release()

    def _path(self, number: int) -> Path:
        return self.directory / f"{number:02d}"

    def _try(self, number: int) -> Slot | None:
        place = self._path(number)
        place.mkdir(exist_ok=True, mode=0o700)
        lock = FileLock(place / "lock")
        if not lock.try_acquire():
            return None
        slot = Slot(place, Checkout(place / self.name, place / "git"), lock)
        busy = place / _BUSY
        _end_job(busy, slot.checkout.tree_path)
        busy.write_text(slot.token, encoding="ascii")
        return slot

    def _jobs(self, number: int) -> list[str]:
        try:
            jobs = json.loads((self._path(number) / "jobs.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return jobs if isinstance(jobs, list) else []

    def _remember(self, number: int, job: str) -> None:
        jobs = [job, *(other for other in self._jobs(number) if other != job)][:_REMEMBERED_JOBS]
        (self._path(number) / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")


def _end_job(busy: Path, workspace: Path) -> None:
    """End what is left of a job that was running when its hookci was killed."""
    with contextlib.suppress(FileNotFoundError):  # there was none, or it was given back since
        token = busy.read_text(encoding="ascii")
        if token:
            from hookci.proc.tree import end_tree  # noqa: PLC0415 (only after a kill -9)

            end_tree(token, str(workspace), root=None, since=0.0, grace=_GRACE)
        busy.unlink()
