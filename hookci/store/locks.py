"""Locks between processes that end with their holder, however it ends: flock(2) on a private file."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from hookci.errors import StateError
from hookci.store.private import private_file

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["FileLock"]


class FileLock:
    """A lock with the manners of `threading.Lock`: exclusive unless shared, not re-entrant, ``with`` waits.

    It excludes other processes and other locks on the same path in this one.  The kernel frees it
    when its holder dies.  The file stays: whoever removes a lock file lets a waiter that has the
    old one open and a newcomer that made a new one both hold "the" lock.

    Args:
        path: the lock file, made when it is missing; its directory must be private.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free; False when anybody (this object too) holds it.

        Raises:
            StateError: the lock file is not private, or the file system knows no locks.
        """
        return self._take(fcntl.LOCK_EX | fcntl.LOCK_NB)

    def try_share(self) -> bool:
        """Take it together with others who share it; False when somebody has it alone.

        Raises:
            StateError: as `try_acquire` does.
        """
        return self._take(fcntl.LOCK_SH | fcntl.LOCK_NB)

    def weaken(self) -> bool:
        """Share the lock that was held alone; False when somebody else got it in between (flock(2)): it is lost."""
        if self._descriptor is not None and self._flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB):
            return True
        self.release()
        return False

    def acquire(self, timeout: float, poll: float = 0.05) -> bool:
        """Try for about ``timeout`` seconds, every ``poll`` seconds; False when it stayed taken.

        Raises:
            StateError: as `try_acquire` does.
        """
        for _ in range(int(timeout / poll)):
            if self.try_acquire():
                return True
            time.sleep(poll)
        return self.try_acquire()

    def release(self) -> None:
        """Free the lock; nothing happens when it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # not left to the close: a child that is between fork and exec has the descriptor as well
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def note(self, words: bytes) -> None:
        """Have nothing but ``words`` in the file of the lock, which is held."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, words, 0)

    def __enter__(self) -> Self:
        self._take(fcntl.LOCK_EX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _take(self, operation: int) -> bool:
        while True:
            descriptor = private_file(self.path, os.O_RDWR | os.O_CREAT)
            try:
                locked = self._flock(descriptor, operation)
                if locked and self._is_current(descriptor):
                    self._descriptor, descriptor = descriptor, -1
                    return True
                if not locked:
                    return False
            finally:
                if descriptor >= 0:
                    os.close(descriptor)

    def _flock(self, descriptor: int, operation: int) -> bool:
        try:
            fcntl.flock(descriptor, operation)
        except BlockingIOError:
            return False
        except OSError as error:
            raise StateError(f"{self.path} cannot be locked: {(error.strerror or str(error)).lower()}") from error
        return True

    def _is_current(self, descriptor: int) -> bool:
        """Whether the locked file is still the one at the path, and not one that was removed meanwhile."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(descriptor), self.path.lstat())
        return False
