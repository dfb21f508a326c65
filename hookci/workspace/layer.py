"""A job's own changes to a pristine checkout: the upper layer of an overlay, kept for the caches in it."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.workspace.listing import NOTHING, parents
from hookci.workspace.sweep import remove, sweep

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from hookci.workspace.mounters import Mounter

__all__ = ["Layer"]

_OWN = ("trusted.overlay.", "user.overlay.")


class Layer(Struct, frozen=True):
    """What one job after the other changes, below ``directory``; seen at ``target`` together with what it changes."""

    directory: bytes
    target: bytes

    @property
    def upper(self) -> bytes:
        """The changed files, and those that are new."""
        return os.path.join(self.directory, b"upper")

    @property
    def _work(self) -> bytes:
        return os.path.join(self.directory, b"work")

    def make(self) -> None:
        """Have the directories, whatever was made of them: a link may lead into the user's repository."""
        for path in (self.directory, self.upper, self._work, self.target):
            if not os.path.isdir(path) or os.path.islink(path):
                remove(path)
                os.makedirs(path)

    def sweep(self, keep: AbstractSet[bytes], umask: int) -> None:
        """Leave nothing but what is kept."""
        sweep(self.upper, NOTHING, keep, umask)
        for path in (b"", *parents(keep)):
            _forget(os.path.join(self.upper, path))

    def settle(self, lower: bytes, paths: Iterable[bytes]) -> None:
        """Have tracked files as they are in ``lower``, also where caches at ``paths`` have files of the same name."""
        for path in paths:
            done = b""
            for part in path.split(b"/"):
                done = os.path.join(done, part)
                if not self._gives_way(lower, done):
                    break
            else:
                self._settle(lower, path)

    def _settle(self, lower: bytes, path: bytes) -> None:
        with contextlib.suppress(NotADirectoryError, FileNotFoundError), os.scandir(os.path.join(lower, path)) as found:
            names = [entry.name for entry in found]
            for name in names:
                inner = os.path.join(path, name)
                if self._gives_way(lower, inner):
                    self._settle(lower, inner)

    def _gives_way(self, lower: bytes, path: bytes) -> bool:
        """Whether there are directories here and there, which become one; else what is in ``lower`` counts."""
        above, below = os.path.join(self.upper, path), os.path.join(lower, path)
        if not os.path.lexists(below) or not os.path.lexists(above):
            return False
        info = os.lstat(below)
        if not stat.S_ISDIR(info.st_mode) or not stat.S_ISDIR(os.lstat(above).st_mode):
            remove(above)
            return False
        _forget(above)
        os.chmod(above, stat.S_IMODE(info.st_mode))
        return True

    def show(self, lower: bytes, mounter: Mounter) -> None:
        """Have it mounted.

        Raises:
            OSError: the system does not do that.
        """
        # the kernel leaves these, so that files which a crash may have torn are not taken for whole
        volatile = os.path.join(self._work, b"work/incompat/volatile")
        with contextlib.suppress(OSError):
            os.unlink(volatile + b"/dirty")
            os.rmdir(volatile)
        try:
            mounter.mount(lower, self.upper, self._work, self.target)
        except OSError:
            remove(self._work)
            os.makedirs(self._work)
            mounter.mount(lower, self.upper, self._work, self.target)

    def mark(self, seen: bytes) -> tuple[object, ...] | None:
        """What is another one after any change to the files; None where there are some already, or nobody can tell.

        With every change something comes to be in the upper directory, or its own attributes are others (overlayfs.rst,
        "Upper and Lower").  That something else was mounted over it tells the device.

        Args:
            seen: where we find what is mounted.
        """
        try:
            if os.listdir(self.upper):
                return None
            info = os.lstat(self.upper)
            attributes = (info.st_ino, info.st_mode, info.st_uid, info.st_gid, info.st_mtime_ns, info.st_ctime_ns)
            return (*attributes, os.lstat(seen).st_dev, *os.listxattr(self.upper))
        except OSError:  # a job may have removed anything
            return None

    def hide(self, mounter: Mounter) -> None:
        """Have it unmounted; when somebody still looks at it, the files are left to them."""
        try:
            gone = mounter.unmount(self.target)
        except OSError:  # who mounted it is gone, and then nobody knows what is there
            gone = False
        if not gone:
            self.drop()

    def drop(self) -> None:
        """Remove all of it."""
        remove(self.directory)


def _forget(path: bytes) -> None:
    """Take away what an overlay has noted at a directory: what it replaces, or where it came from."""
    for name in os.listxattr(path, follow_symlinks=False):
        if name.startswith(_OWN):
            os.removexattr(path, name, follow_symlinks=False)
