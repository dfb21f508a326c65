"""Which workspace a job gets: kept ones, one for each job that runs at the same time, all of equal path length.

What is below the directory of a repository:

- ``00`` to ``99``: a slot each, with its ``lock``, the names of the jobs it had (``jobs.json``), what caches are in
  place (``caches.json``), and ``busy`` while a run has it.  The workspace is the directory with the project's name.
  It is a checkout of the slot's own with its private git directory in ``git``, or the place where an overlay is mounted
  while a run has the slot, whose changes are in ``layer``.
- ``pristine-0`` to ``pristine-2``: the checkouts that overlays show, each with its ``lock``, its private git directory
  in ``git``, and ``stands.json``, which says what it holds.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import threading
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.errors import WorkspaceError
from hookci.model.digests import sha256
from hookci.store.locks import FileLock
from hookci.workspace.checkout import Checkout
from hookci.workspace.kinds import Kind
from hookci.workspace.slot import Overlays, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hookci.git.repository import Repository

__all__ = ["MOST_AT_ONCE", "Slots", "project_name", "repository_directory"]

_MOST = 100
MOST_AT_ONCE = 50
"""Jobs of one run; a second run at the same time finds checkouts too."""
_MOST_SPARE = 4
"""Workspaces that a run holds while none of its jobs is in them."""
_REMEMBERED_JOBS = 50
_BUSY = "busy"
"""Holds the token of the jobs in a workspace, and stays when their hookci is killed."""
_GRACE = 1.0


def repository_directory(cache_home: Path, repository: Repository) -> Path:
    """Where everything of one repository lives in the user's cache directory, its worktrees together."""
    digest = sha256(os.fsencode(repository.common_dir)).hexdigest()[:10]
    return cache_home / "hookci" / f"{project_name(repository)}-{digest}"


def project_name(repository: Repository) -> str:
    """The repository's own name, as far as it is fit for a path without spaces."""
    common = repository.common_dir
    name = common.parent.name if common.name == ".git" else common.name.removesuffix(".git")
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[:50].strip(".") or "project"


class Slots(Struct):
    """The workspaces of one repository, below ``directory``, for one run; ``python`` is our interpreter.

    What a job gives back stays locked for the next one of the run, until the run is over (`close`).
    """

    directory: Path
    name: str
    kind: Kind = Kind.COPY
    python: str = ""
    _overlays: Overlays | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _homes: dict[str, int] | None = None
    _held: set[int] = field(default_factory=set)
    _free: dict[int, Slot] = field(default_factory=dict)

    def acquire(self, job: str) -> Slot:
        """One that nobody else uses: rather one that ``job`` had before, since its files are then at the same path.

        Raises:
            WorkspaceError: all are in use, or the cache directory cannot be written.
        """
        try:
            with self._guard:
                homes = self._begin()
                for number in self._choices(homes.get(job)):
                    slot = self._free.pop(number, None) or self._try(number)
                    if slot is not None:
                        homes[job] = number
                        slot.jobs.append(job)
                        return slot
        except OSError as error:
            raise WorkspaceError(f"{self.directory} cannot be used: {error.strerror}: {error.filename}") from error
        raise WorkspaceError(f"all {_MOST} workspaces in {self.directory} are in use")

    def _begin(self) -> dict[str, int]:
        """Which slot each job had; looked up when the first one is asked for."""
        if self._homes is None:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.end_interrupted()
            self._homes = {job: number for number in self._there()[::-1] for job in _jobs(self._path(number))}
            if self.kind is not Kind.COPY:
                from hookci.workspace.mounters import mounter  # noqa: PLC0415 (not all have overlays)
                from hookci.workspace.pristine import PristineCheckouts  # noqa: PLC0415 (the same)

                checkouts = PristineCheckouts(self.directory, self.name, self.end_interrupted)
                self._overlays = Overlays(checkouts, mounter(self.kind, self.python))
        return self._homes

    def _there(self) -> list[int]:
        """The numbers of the workspaces that there are, ascending."""
        found = set(os.listdir(self.directory)) if self.directory.is_dir() else ()
        return [number for number in range(_MOST) if f"{number:02d}" in found]

    def _choices(self, home: int | None) -> Iterator[int]:
        if home is not None:
            yield home
        yield from sorted(self._free)
        yield from range(_MOST)

    def end_interrupted(self) -> None:
        """End the jobs of runs that were killed, in all workspaces that nobody uses."""
        for number in self._there():
            busy = self._path(number) / _BUSY
            lock = FileLock(busy.parent / "lock")
            if busy.exists() and lock.try_acquire():
                try:
                    _end_job(busy, busy.parent / self.name)
                finally:
                    lock.release()

    def close(self) -> None:
        """Let other runs have all that this one has, when none of its jobs runs any more."""
        with contextlib.ExitStack() as last:
            if self._overlays:
                last.callback(self._overlays.mounter.close)
                last.callback(self._overlays.checkouts.close)
            for number in sorted(self._free, reverse=True):
                last.callback(self._let_go, self._free.pop(number))

    def _path(self, number: int) -> Path:
        return self.directory / f"{number:02d}"

    def _try(self, number: int) -> Slot | None:
        """The slot of that number, if nobody has it; where there are many to spare, another one is let go."""
        if number in self._held:
            return None
        place = self._path(number)
        place.mkdir(exist_ok=True, mode=0o700)
        lock = FileLock(place / "lock")
        if not lock.try_acquire():
            return None
        checkout = Checkout(place / self.name, place / "git")
        workspace = os.fsencode(checkout.tree_path)
        slot = Slot(number, place, checkout, workspace, lock, self._overlays, self._take_back)
        busy = place / _BUSY
        _end_job(busy, slot.checkout.tree_path)
        busy.write_text(slot.token, encoding="ascii")
        self._held.add(number)
        if len(self._free) > _MOST_SPARE:
            self._let_go(self._free.pop(next(iter(self._free))))  # the one that was given back first
        return slot

    def _take_back(self, slot: Slot) -> None:
        with self._guard:
            self._free[slot.number] = slot

    def _let_go(self, slot: Slot) -> None:
        """Let other runs have a slot."""
        try:
            slot.hide()
        finally:
            with contextlib.suppress(OSError):
                _write_jobs(slot)
                (slot.directory / _BUSY).unlink()
            self._held.discard(slot.number)
            slot.lock.release()


def _jobs(place: Path) -> list[str]:
    """The jobs that the slot at ``place`` had, the last one first."""
    try:
        jobs = json.loads((place / "jobs.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [job for job in jobs if isinstance(job, str)] if isinstance(jobs, list) else []


def _write_jobs(slot: Slot) -> None:
    before = _jobs(slot.directory)
    jobs = [*dict.fromkeys([*reversed(slot.jobs), *before])][:_REMEMBERED_JOBS]
    if jobs != before:
        names = slot.directory / "jobs.json"
        # a new file: ext4 writes one that was cut to nothing to the disk when it is closed
        names.unlink(missing_ok=True)
        names.write_text(json.dumps(jobs), encoding="utf-8")


def _end_job(busy: Path, workspace: Path) -> None:
    """End what is left of a job that was running when its hookci was killed."""
    with contextlib.suppress(FileNotFoundError):  # there was none, or it was given back since
        token = busy.read_text(encoding="ascii")
        if token:
            from hookci.proc.tree import end_tree  # noqa: PLC0415 (only after a kill -9)

            end_tree(token, str(workspace), root=None, since=0.0, grace=_GRACE)
        if sys.platform == "linux" and (busy.parent / "layer").is_dir():
            from hookci.workspace.layer import Layer  # noqa: PLC0415 (only after a kill -9)
            from hookci.workspace.mounters import mounter  # noqa: PLC0415 (the same)

            # namespaces have ended with their processes
            Layer(os.fsencode(busy.parent / "layer"), os.fsencode(workspace)).hide(mounter(Kind.OVERLAY, ""))
        from hookci.workspace.lent import set_aside  # noqa: PLC0415 (the same)

        set_aside(busy.parent, workspace)
        busy.unlink()
