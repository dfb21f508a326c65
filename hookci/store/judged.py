"""What ``hookci push`` has judged and is about to send, so that the hook of that push need not look again."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hookci.errors import StateError
from hookci.store.locks import FileLock
from hookci.store.private import private_directory, private_file, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["PUSHING", "JudgedPush"]

PUSHING = "HOOKCI_PUSHING"
"""The variable that names, to the hook of a push, the record of what was judged before it."""


class JudgedPush:
    """One push, below ``hookci/pushing/``; what killed ones left goes with the next one.

    Args:
        state: ``hookci`` in the git common directory.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._directory = state / "pushing"

    @contextmanager
    def place(self) -> Iterator[Path]:
        """A directory of its own for one push, which is gone when that is over; its name is the push's token."""
        private_directory(private_directory(self._state) / "pushing")
        self._sweep()
        place = private_directory(self._directory / os.urandom(16).hex())
        lock = FileLock(place / "lock")
        lock.try_acquire()
        try:
            yield place
        finally:
            _remove_tree(place)
            lock.release()

    def write(self, token: str, lines: bytes) -> None:
        """Write down that the updates in ``lines``, as git tells them to a hook, were judged and are green."""
        write_atomic(self._directory / token / "green", lines)

    def knows(self, token: str, lines: bytes) -> bool:
        """Whether exactly the updates in ``lines`` were judged for the push that ``token`` names, and it goes on."""
        if not (token.isalnum() and lines):
            return False
        try:
            with os.fdopen(private_file(self._directory / token / "green", os.O_RDONLY), "rb") as file:
                judged = file.read()
        except StateError:  # there is none: the full way says what is wrong, if anything is
            return False
        return _updates(lines) <= _updates(judged)

    def _sweep(self) -> None:
        for left in self._directory.iterdir():
            lock = FileLock(left / "lock")
            if (left / "lock").exists() and lock.try_acquire():
                _remove_tree(left)
                lock.release()


def _updates(lines: bytes) -> set[tuple[bytes, ...]]:
    """What is sent where, in place of what; the local name of it is another one when it is sent by its object name.

    What is deleted is not judged.
    """
    updates = (tuple(line.rsplit(b" ", 3)[1:]) for line in lines.splitlines())
    return {update for update in updates if update[0].strip(b"0")}


def _remove_tree(directory: Path) -> None:
    import shutil  # noqa: PLC0415 (dear, and only `hookci push` needs it)

    shutil.rmtree(directory, ignore_errors=True)
