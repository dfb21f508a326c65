"""The owner of a workspace that a container writes in: the container's user meanwhile, and then the user again."""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.engine.containers import Bind, ContainerSpec, run_helper
from hookci.errors import HookciError
from hookci.proc.supervise import Cancel
from hookci.workspace.lent import foreign, is_lent, lend, returned, set_aside
from hookci.workspace.sweep import remove

if TYPE_CHECKING:
    from hookci.engine.calls import Engine
    from hookci.engine.owner import Owner
    from hookci.workspace.slot import Slot

__all__ = ["ROOT", "Lending"]

ROOT = frozenset({"", "0", "root", "0:0", "root:root"})
"""How a container's user is named that may write everywhere."""
_HERE = "/workspace"
_OURS = "/ours"
"""A file of the user's."""


class Lending(Struct, frozen=True):
    """The workspace of ``slot`` for containers of an engine; ``image`` has `sh`, `ls` and `chown`."""

    engine: Engine
    owner: Owner
    image: str
    slot: Slot

    @property
    def _user(self) -> int:
        return self.slot.directory.stat().st_uid

    def give(self, user: str, cancel: Cancel) -> None:
        """Let a container whose user is ``user`` write in the workspace.

        Raises:
            HookciError: its files could not be given to that user.
        """
        if self._user != 0 or user not in ROOT:
            lend(self.slot.directory)
        if user not in ROOT:
            self._chown(f"chown -R {shlex.quote(user)} {_HERE}", self._workspace, cancel)

    @property
    def _workspace(self) -> Path:
        return Path(os.fsdecode(self.slot.workspace))

    def take_back(self) -> None:
        """Make the files that the container wrote the user's own, also those of a job that was cancelled.

        Raises:
            HookciError: the engine cannot do it.
        """
        if is_lent(self.slot.directory):
            self._take(self._workspace)
            returned(self.slot.directory)

    def _take(self, top: Path) -> None:
        if not _has_foreign(str(top), self._user):
            return
        own = Cancel()
        try:
            # who we are in there is to be seen in there: to a rootless engine we are root (ls, POSIX: owner and group)
            read = f"ls -nd {_OURS} | while read -r mode links uid gid rest"
            self._chown(f'{read}; do chown -R "$uid:$gid" {_HERE}; done', top, own)
        finally:
            own.close()

    def _chown(self, command: str, top: Path, cancel: Cancel) -> None:
        spec = ContainerSpec(
            image=self.image,
            labels=self.owner.labels("helper"),
            entrypoint=[""],
            command=["sh", "-c", command],
            mounts=[Bind(str(self.slot.directory / "lock"), _OURS, read_only=True), Bind(str(top), _HERE)],
            workdir="/",
            user="0:0",
            network="none",
        )
        status, said = run_helper(self.engine, spec, cancel)
        if status != 0 and cancel.reason is None:
            why = said or f"exit {status}"
            raise HookciError(f"the owner of the files in the workspace could not be changed: {why}")

    def close(self) -> None:
        """Leave no files of others behind, of this job and of those before it that were killed."""
        with contextlib.suppress(HookciError):
            self.take_back()
        set_aside(self.slot.directory, self._workspace)
        for top in foreign(self.slot.directory):
            with contextlib.suppress(HookciError, OSError):
                self._take(top)
                remove(os.fsencode(top))


def _has_foreign(root: str, uid: int) -> bool:
    """Whether a file below ``root`` belongs to somebody else."""
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.stat(follow_symlinks=False).st_uid != uid:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except PermissionError:
            return True
    return False
