"""Which commit is to be verified in the background, who is at it, and how the last one ended.

What is in ``hookci/background/`` is for one run of a repository at a time, whatever the worktree: the lock ``turn``
ends with its holder, and a record whose process is gone says by itself that it was killed.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from msgspec import Struct, ValidationError, convert, to_builtins
from msgspec.structs import replace

from hookci.model.status import BackgroundRun  # noqa: TC001 (the record is read by it)
from hookci.store.identity import ProcessIdentity, is_alive
from hookci.store.locks import FileLock
from hookci.store.private import private_directory, private_file, write_atomic

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TypeVar

    Written = TypeVar("Written", bound=Struct)

__all__ = ["BackgroundState", "Wanted"]

_LARGEST_LOG = 1_000_000


class Wanted(Struct, frozen=True, kw_only=True):
    """The newest commit: who asked for it last (``token``) is the one to verify it."""

    token: str
    commit: str
    tree: str
    branch: str

    def is_same_as(self, other: Wanted) -> bool:
        """Whether both ask for the same."""
        return replace(self, token=other.token) == other


class _Written(Struct, frozen=True, kw_only=True):
    pid: int
    start: str
    run: BackgroundRun


class BackgroundState:
    """The state of the background runs of one repository.

    Args:
        state: ``hookci`` in the git common directory.
    """

    def __init__(self, state: Path) -> None:
        self._directory = state / "background"
        self._state = state
        self.log = self._directory / "log"

    def open_log(self) -> int:
        """Open the file that a background run writes to, at its end; begun anew when it has become large.

        Returns:
            A file descriptor, the caller's to close.

        Raises:
            StateError: something there is not private.
        """
        private_directory(private_directory(self._state) / "background")
        descriptor = private_file(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        if os.fstat(descriptor).st_size > _LARGEST_LOG:
            os.ftruncate(descriptor, 0)
        return descriptor

    def turn(self) -> FileLock:
        """Held by the one run that is going on."""
        return FileLock(self._directory / "turn")

    def want(self, wanted: Wanted) -> None:
        """Ask for ``wanted`` instead of what was asked for before."""
        write_atomic(self._directory / "wanted", _encoded(wanted))

    def wanted(self) -> Wanted | None:
        """What was asked for last."""
        return _decoded(self._directory / "wanted", Wanted)

    def record(self, run: BackgroundRun, owner: ProcessIdentity) -> None:
        """Write down how things stand; for the one whose turn it is."""
        written = _Written(pid=owner.pid, start=owner.start, run=run)
        write_atomic(self._directory / "last", _encoded(written))

    def last(self) -> BackgroundRun | None:
        """The last run, which may be going on; None when there was none."""
        written = _decoded(self._directory / "last", _Written)
        if written is None:
            return None
        run = replace(written.run, log=str(self.log))
        if run.ending or is_alive(ProcessIdentity(written.pid, written.start)):
            return run
        return replace(run, ending="was killed")


def _encoded(words: Struct) -> bytes:
    # names of branches may hold what is no UTF-8, which only this way of writing JSON can tell
    return json.dumps(to_builtins(words)).encode("ascii")


def _decoded(path: Path, kind: type[Written]) -> Written | None:
    """What stands in ``path``; None when that is not there, torn, or of another version."""
    try:
        return convert(json.loads(path.read_bytes()), kind)
    except (OSError, ValueError, ValidationError):
        return None
