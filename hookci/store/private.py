"""Directories and files that nobody but this user can have planted or changed.

State is written with the user's rights at a path others may know, so a symlink or a hard link that
waits there would turn every write into one of theirs.  Every check here is made on what was opened
(``fstat``), or relative to a directory that stays open, never on a path that is looked up again.
"""

from __future__ import annotations

import os
import shlex
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from hookci.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "is_private_file",
    "new_private_file",
    "open_private_directory",
    "private_directory",
    "private_file",
    "write_atomic",
]

_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: a planted named pipe must not hang the open; it means nothing for regular files
_FILE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def private_directory(path: Path, *, within: Path | None = None) -> Path:
    """Make ``path`` a directory of mode 0700 that is ours, with every component below ``within``.

    Args:
        path: the directory; what is missing is created.
        within: the directory that is trusted as it is (it may be reached through symlinks);
            default: the parent of ``path``.

    Returns:
        ``path``.

    Raises:
        StateError: a component is a symlink, no directory, another user's, or writable by others.
    """
    os.close(open_private_directory(path, within=within))
    return path


def open_private_directory(path: Path, *, within: Path | None = None) -> int:
    """The same, and leave it open: a file descriptor, the caller's to close."""
    place = path.parent if within is None else within
    with _Told(place):
        descriptor = os.open(place, _DIRECTORY)
    for part in path.relative_to(place).parts:
        place = place / part
        try:
            deeper = _enter(descriptor, place)
        finally:
            os.close(descriptor)
        descriptor = deeper
    return descriptor


def new_private_file(directory: int, name: str, flags: int) -> int | None:
    """Make a file of mode 0600 in an open private directory; None where there is something already, or it is gone.

    Returns:
        A file descriptor, the caller's to close.
    """
    try:
        descriptor = os.open(name, flags | os.O_CREAT | os.O_EXCL | _FILE, _FILE_MODE, dir_fd=directory)
    except OSError:
        return None
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != _FILE_MODE:  # of a umask
        os.fchmod(descriptor, _FILE_MODE)
    return descriptor


def private_file(path: Path, flags: int) -> int:
    """Open a regular file of mode 0600 that is ours, never through a link.

    With ``O_TRUNC`` the file is emptied only after it was found to be ours.  SQLite's own files
    are not to be opened here, see `is_private_file`.

    Args:
        path: the file; its directory must be one of ours.
        flags: as for `os.open`; ``O_NOFOLLOW`` and ``O_CLOEXEC`` are added.

    Returns:
        A file descriptor, the caller's to close.

    Raises:
        StateError: it, or its directory, is a symlink, another user's or not what it should be; it
            has further hard links; it cannot be opened.
    """
    with _parent(path) as parent, _Told(path):
        descriptor = os.open(path.name, (flags & ~os.O_TRUNC) | _FILE, _FILE_MODE, dir_fd=parent)
        try:
            _claim_file(descriptor, path, empty=bool(flags & os.O_TRUNC))
        except BaseException:
            os.close(descriptor)
            raise
    return descriptor


def is_private_file(path: Path) -> bool:
    """Whether there is a file at ``path``; one that is there must be as `private_file` wants it.

    It is looked at without being opened: closing any descriptor of a file drops the POSIX locks
    this process has on it, and so would take SQLite's locks from under its feet.

    Raises:
        StateError: what is there is not a regular file of ours with a single name.
    """
    with _parent(path) as parent, _Told(path):
        try:
            status = os.stat(path.name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return False
        _require_file(status, path)
        if stat.S_IMODE(status.st_mode) != _FILE_MODE:
            os.chmod(path.name, _FILE_MODE, dir_fd=parent)
    return True


def write_atomic(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Put ``data`` at ``path`` in one step, mode 0600; a reader sees the old bytes or the new ones.

    A link that stands at ``path`` is replaced, not followed.

    Args:
        path: the file; its directory must be one of ours.
        data: the whole new content.
        durable: whether it must survive a power failure right after the return.

    Raises:
        StateError: the directory is not ours, or cannot be written.
    """
    temporary = f".{os.urandom(8).hex()}.tmp"
    with _parent(path) as parent, _Told(path):
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, _FILE_MODE, dir_fd=parent)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 -- a descriptor has no Path
                os.fchmod(descriptor, _FILE_MODE)
                file.write(data)
                file.flush()
                if durable:
                    os.fsync(descriptor)
            os.rename(temporary, path.name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            os.unlink(temporary, dir_fd=parent)
            raise
        if durable:
            os.fsync(parent)


def _enter(parent: int, place: Path) -> int:
    """Open the directory ``place`` in ``parent``, created and made private when need be."""
    with _Told(place):
        with suppress(FileExistsError):
            os.mkdir(place.name, _DIRECTORY_MODE, dir_fd=parent)
        descriptor = os.open(place.name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            status = os.fstat(descriptor)
            _require_directory(status, place)
            if stat.S_IMODE(status.st_mode) != _DIRECTORY_MODE:
                os.fchmod(descriptor, _DIRECTORY_MODE)
        except BaseException:
            os.close(descriptor)
            raise
    return descriptor


@contextmanager
def _parent(path: Path) -> Iterator[int]:
    """The directory of ``path``, open, ours, and not reached through a link of its own."""
    with _Told(path.parent):
        descriptor = os.open(path.parent, _DIRECTORY | os.O_NOFOLLOW)
    try:
        _require_directory(os.fstat(descriptor), path.parent)
        yield descriptor
    finally:
        os.close(descriptor)


def _claim_file(descriptor: int, path: Path, *, empty: bool) -> None:
    status = os.fstat(descriptor)
    _require_file(status, path)
    if stat.S_IMODE(status.st_mode) != _FILE_MODE:
        os.fchmod(descriptor, _FILE_MODE)
    if empty:
        os.ftruncate(descriptor, 0)


def _require_directory(status: os.stat_result, place: Path) -> None:
    _require_owner(status, place)
    if status.st_mode & _WRITABLE_BY_OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        hint = f"look at what is in it, then: chmod 700 {shlex.quote(str(place))}"
        raise StateError(f"{place} can be written by other users (mode {mode:04o})", hint)


def _require_file(status: os.stat_result, place: Path) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise _planted(place, "a symlink")
    if not stat.S_ISREG(status.st_mode):
        raise _planted(place, "not a regular file")
    _require_owner(status, place)
    if status.st_nlink > 1:
        raise _planted(place, "known under a second name (a hard link)")


def _require_owner(status: os.stat_result, place: Path) -> None:
    if status.st_uid != os.geteuid():
        hint = "run git as its owner, or remove it if it should be yours"
        raise StateError(f"{place} belongs to another user (uid {status.st_uid})", hint)


def _planted(place: Path, what: str) -> StateError:
    return StateError(f"{place} is {what}", f"if you do not need it, remove it: rm {shlex.quote(str(place))}")


class _Told:
    """Turns what the system says about ``place`` into a `StateError`."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise _refusal(self._place, error) from error


def _refusal(place: Path, error: OSError) -> StateError:
    # only words are chosen by this second look, the refusal stands already
    if place.is_symlink():
        return _planted(place, "a symlink")
    if isinstance(error, NotADirectoryError):
        return _planted(place, "not a directory")
    return StateError(f"{place}: {(error.strerror or str(error)).lower()}")
