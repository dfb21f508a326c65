"""Which workspace a job gets: kept ones, one for each job that runs at the same time, all of equal path length.

What is below the directory of a repository:

- ``00`` to ``99``: a slot each, with its ``lock``, the names of the jobs it had (``jobs.json``), what caches are in
  place (``caches.json``), and ``busy`` while a job runs in it.  The workspace is the directory with the project's name.
  It is a checkout of the slot's own with its private git directory in ``git``, or the place where an overlay is mounted
  while a job runs, whose changes are in ``layer``.
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
from hookci.workspace.lent import set_aside

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from hookci.git.repository import Repository
    from hookci.workspace.checkout import Source
    from hookci.workspace.layer import Layer
    from hookci.workspace.mounters import Mounter
    from hookci.workspace.pristine import PristineCheckout, PristineCheckouts

__all__ = ["MOST_AT_ONCE", "Slot", "Slots", "Wanted", "project_name", "repository_directory"]

_MOST = 100
MOST_AT_ONCE = 50
"""Jobs of one run; a second run at the same time finds checkouts too."""
_REMEMBERED_JOBS = 50
_BUSY = "busy"
"""Holds the token of the job in a checkout, and stays when its hookci is killed."""
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


class Wanted(Struct, frozen=True, kw_only=True):
    """What a workspace is to hold: ``tree``, with ``HEAD`` at ``commit``.

    ``shown`` are the paths of the tree ``whole`` that ``tree`` has, None for all.  ``local`` says that nobody but
    processes of this machine will see it.  ``keep`` tells which caches are in place below a directory, ``fill`` puts
    the others there and says where.
    """

    tree: str
    commit: str
    whole: str = ""
    shown: Collection[str] | None = None
    local: bool = False
    keep: Callable[[bytes], AbstractSet[bytes]] = lambda _: frozenset()
    fill: Callable[[bytes], Iterable[bytes]] = lambda _: ()


class Slot(Struct):
    """One workspace, held by one job; ``token`` marks the job's processes."""

    directory: Path
    checkout: Checkout
    lock: FileLock
    overlays: Overlays | None
    token: str = field(default_factory=lambda: os.urandom(8).hex())
    _shown: tuple[PristineCheckout, Layer] | None = None

    @property
    def workspace(self) -> bytes:
        """The work tree's path, as the job's processes see it."""
        return os.fsencode(self.checkout.tree_path)

    @property
    def found(self) -> bytes:
        """The same, as we see it."""
        return self.overlays.mounter.seen(self.workspace) if self._shown and self.overlays else self.workspace

    @property
    def enter(self) -> Sequence[str]:
        """What goes before the command line of a process that is to see the workspace."""
        enter = self.overlays.mounter.enter if self._shown and self.overlays else ()
        return [*enter, f"--wd={os.fsdecode(self.found)}", "--"] if enter else ()

    def prepare(self, source: Source, wanted: Wanted, say: Callable[[str], None]) -> None:
        """Make the workspace hold exactly what is wanted: an overlay where that is possible, else a checkout.

        Raises:
            WorkspaceError: that cannot be done.
        """
        if not (wanted.local and wanted.shown is None and self._show(source, wanted, say)):
            root = self.workspace
            keep = wanted.keep(root)
            self.checkout.reset(source, wanted.tree, keep=keep, fill=lambda: wanted.fill(root), say=say)
            self.checkout.expose(source, wanted.commit, wanted.whole, wanted.shown)

    def _show(self, source: Source, wanted: Wanted, say: Callable[[str], None]) -> bool:
        """The same by an overlay; False where there can be none."""
        overlays = self.overlays
        lower = (
            overlays.checkouts.borrow(source, wanted.tree, wanted.commit) if overlays and not overlays.why_not else None
        )
        if overlays is None or lower is None:
            return False
        from hookci.workspace.layer import Layer  # noqa: PLC0415 (not all have overlays)

        layer = Layer(os.fsencode(self.directory / "layer"), self.workspace)
        try:
            layer.make()
            kept = wanted.keep(layer.upper)
            layer.sweep(kept, source.umask)
            put = wanted.fill(layer.upper)
            layer.settle(lower.path, {*kept, *put})
            layer.show(lower.path, overlays.mounter)
        except OSError as error:
            overlays.checkouts.give_back(lower)
            overlays.why_not = error.strerror or str(error)
            return False
        except BaseException:
            overlays.checkouts.give_back(lower)
            raise
        self._shown = lower, layer
        for line in lower.said:
            say(line)
        return True

    def release(self) -> None:
        """Give it back; what is kept stays for the next job to start from."""
        if self._shown and self.overlays:
            lower, layer = self._shown
            layer.hide(self.overlays.mounter)
            self.overlays.checkouts.give_back(lower)
            self._shown = None
        with contextlib.suppress(OSError):
            (self.directory / _BUSY).unlink()
        self.lock.release()


class Overlays(Struct):
    """What the overlays of one run share; ``why_not`` is the reason that there are none after all."""

    checkouts: PristineCheckouts
    mounter: Mounter
    why_not: str = ""


class Slots(Struct):
    """The workspaces of one repository, below ``directory``; ``python`` is our interpreter."""

    directory: Path
    name: str
    kind: Kind = Kind.COPY
    python: str = ""
    _overlays: Overlays | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _known: dict[int, list[str]] | None = None

    def acquire(self, job: str) -> Slot:
        """One that nobody else uses: rather one that ``job`` had before, since its files are then at the same path.

        Raises:
            WorkspaceError: all are in use, or the cache directory cannot be written.
        """
        try:
            known = self._begin()
            for number in sorted(range(_MOST), key=lambda number: (job not in known.get(number, ()), number)):
                slot = self._try(number)
                if slot is not None:
                    self._remember(number, job)
                    return slot
        except OSError as error:
            raise WorkspaceError(f"{self.directory} cannot be used: {error.strerror}: {error.filename}") from error
        raise WorkspaceError(f"all {_MOST} workspaces in {self.directory} are in use")

    def _begin(self) -> dict[int, list[str]]:
        """Which jobs each slot had; looked up when the first one is asked for."""
        with self._guard:
            if self._known is None:
                self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
                self.end_interrupted()
                names = [path.name for path in self.directory.glob("[0-9][0-9]")]
                self._known = {int(name): self._jobs(int(name)) for name in names}
                if self.kind is not Kind.COPY:
                    from hookci.workspace.mounters import mounter  # noqa: PLC0415 (not all have overlays)
                    from hookci.workspace.pristine import PristineCheckouts  # noqa: PLC0415 (the same)

                    checkouts = PristineCheckouts(self.directory, self.name, self.end_interrupted)
                    self._overlays = Overlays(checkouts, mounter(self.kind, self.python))
            return self._known

    def end_interrupted(self) -> None:
        """End the jobs of runs that were killed, in all workspaces that nobody uses."""
        for busy in self.directory.glob(f"[0-9][0-9]/{_BUSY}"):
            lock = FileLock(busy.parent / "lock")
            if lock.try_acquire():
                try:
                    _end_job(busy, busy.parent / self.name)
                finally:
                    lock.release()

    def close(self) -> None:
        """Let other runs have what this one shared with them, when none of its jobs runs any more."""
        if self._overlays:
            self._overlays.checkouts.close()
            self._overlays.mounter.close()

    def _path(self, number: int) -> Path:
        return self.directory / f"{number:02d}"

    def _try(self, number: int) -> Slot | None:
        place = self._path(number)
        place.mkdir(exist_ok=True, mode=0o700)
        lock = FileLock(place / "lock")
        if not lock.try_acquire():
            return None
        slot = Slot(place, Checkout(place / self.name, place / "git"), lock, self._overlays)
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
        before = self._jobs(number)
        jobs = [job, *(other for other in before if other != job)][:_REMEMBERED_JOBS]
        if jobs != before:
            names = self._path(number) / "jobs.json"
            # a new file: ext4 writes one that was cut to nothing to the disk when it is closed
            names.unlink(missing_ok=True)
            names.write_text(json.dumps(jobs), encoding="utf-8")
        if self._known is not None:
            self._known[number] = jobs


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
        set_aside(busy.parent, workspace)
        busy.unlink()
