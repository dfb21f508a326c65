"""A directory of ours that is filled by strangers: nothing here follows a link in it."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from typing import TYPE_CHECKING, Self

from msgspec import Struct

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["LONGEST_PATH", "Tree"]

LONGEST_PATH = 3800
"""Bytes, together with the directory it is placed in; below PATH_MAX of Linux with room for where it is kept."""
_LONGEST_NAME = 255
"""Bytes; NAME_MAX of Linux."""
_DEEPEST = 250
"""Directories; what removes a tree goes down one call for each."""
_MOST_STEPS = 1000
"""Steps and links on the way of one link; what needs more is refused."""
_CHUNK = 1024 * 1024
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Tree(Struct, frozen=True):
    """The directory ``root``, open, at ``path``; places are paths below it as `plain` makes them."""

    root: int
    path: str

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """The tree at ``path``."""
        root = os.open(path, _DIRECTORY)
        try:
            yield cls(root, os.fspath(path))
        finally:
            os.close(root)

    def plain(self, name: str) -> str | None:
        """A path without ``.`` and doubled slashes; None when it leads outside, or is none that can be placed."""
        if name.startswith("/") or "\0" in name or len(os.fsencode(f"{self.path}/{name}")) > LONGEST_PATH:
            return None
        parts = [part for part in name.split("/") if part not in {"", "."}]
        if len(parts) > _DEEPEST or any(part == ".." or len(os.fsencode(part)) > _LONGEST_NAME for part in parts):
            return None
        return "/".join(parts)

    def make_directory(self, place: str) -> None:
        """Have a directory there."""
        os.close(self._folder(place.split("/")))

    def finish_directory(self, place: str, mode: int, mtime: float) -> None:
        """Give it what the archive says, if it still is one."""
        with self._parent(place) as (folder, name), contextlib.suppress(NotADirectoryError, FileNotFoundError):
            descriptor = os.open(name, _DIRECTORY, dir_fd=folder)
            try:
                _finish(descriptor, mode | stat.S_IXUSR, mtime)
            finally:
                os.close(descriptor)

    def place_file(self, place: str, member: tarfile.TarInfo, pieces: Iterable[bytes]) -> None:
        """Place a file; one that stands there and is the same stays, so that nobody takes it for changed."""
        fresh = f".hookci-{secrets.token_hex(8)}"
        with self._parent(place) as (folder, name):
            try:
                with self._same(folder, name, member) as old, _created(folder, fresh) as target:
                    same = old is not None
                    for piece in pieces:
                        _write(target, piece)
                        same = same and old is not None and _read(old, len(piece)) == piece
                    _finish(target, member.mode, member.mtime)
                if not same:
                    _clear(folder, name, files=False)
                    os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(fresh, dir_fd=folder)

    @contextlib.contextmanager
    def _same(self, folder: int, name: str, member: tarfile.TarInfo) -> Iterator[int | None]:
        """The file at ``name`` if it looks like the member, whose time is often in whole seconds."""
        with _opened(folder, name) as file:
            info = os.fstat(file) if file is not None else None
            looks = info and (stat.S_IMODE(info.st_mode), info.st_size, int(info.st_mtime))
            yield file if looks == (_mode(member.mode), member.size, _time(member.mtime)) else None

    def place_link(self, place: str, target: str) -> None:
        """Place a link; one that is the same stays."""
        with self._parent(place) as (folder, name):
            with contextlib.suppress(OSError):
                if os.readlink(name, dir_fd=folder) == target:
                    return
            _clear(folder, name)
            os.symlink(target, name, dir_fd=folder)

    def remove(self, place: str) -> None:
        """Remove what is there."""
        with self._parent(place) as (folder, name):
            _clear(folder, name)

    def size_of(self, place: str) -> int | None:
        """Bytes of a regular file; None if none is there."""
        with self._parent(place) as (folder, name), _opened(folder, name) as file:
            return None if file is None else os.fstat(file).st_size

    def copy_file(self, source: str, place: str, member: tarfile.TarInfo) -> None:
        """Place a copy of a file that is there."""
        with self._parent(source) as (folder, name), _opened(folder, name) as file:
            if file is not None:
                self.place_file(place, member, _pieces(file))

    @contextlib.contextmanager
    def _parent(self, place: str) -> Iterator[tuple[int, str]]:
        *folders, name = place.split("/")
        folder = self._folder(folders)
        try:
            yield folder, name
        finally:
            os.close(folder)

    def _folder(self, parts: list[str]) -> int:
        """The directory at ``parts``, made where it is not one; a link or file on the way is replaced."""
        current = os.dup(self.root)
        for part in parts:
            try:
                below = _open_or_make(current, part)
            finally:
                os.close(current)
            current = below
        return current

    def stays_inside(self, place: str) -> bool:
        """Whether what ``place`` leads to is below the root, whatever links are on the way."""
        pending = place.split("/")[::-1]
        here: list[str] = []
        for _step in range(_MOST_STEPS):
            if not pending:
                return True
            part = pending.pop()
            if part == "..":
                if not here:
                    return False
                here.pop()
            elif part not in {"", "."}:
                target = self._target(here, part)
                if target is None or target.startswith("/"):
                    return False
                pending += target.split("/")[::-1]
                here += [] if target else [part]
        return False

    def _target(self, here: list[str], name: str) -> str | None:
        """Where the link ``name`` leads, empty when it is none, None when that cannot be told."""
        try:
            return os.readlink(os.path.join(self.path, *here, name))  # noqa: PTH118, PTH115 (texts, many)
        except OSError as error:
            return None if error.errno == errno.ENAMETOOLONG else ""


def _open_or_make(folder: int, name: str) -> int:
    try:
        found = os.open(name, _DIRECTORY, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.EACCES:
            os.chmod(name, stat.S_IRWXU, dir_fd=folder)
        elif error.errno in {errno.ENOTDIR, errno.ELOOP, errno.ENOENT}:
            _clear(folder, name)
            os.mkdir(name, 0o755, dir_fd=folder)
        else:
            raise
        found = os.open(name, _DIRECTORY, dir_fd=folder)
    mode = os.fstat(found).st_mode
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        os.fchmod(found, stat.S_IMODE(mode) | stat.S_IRWXU)
    return found


@contextlib.contextmanager
def _created(folder: int, name: str) -> Iterator[int]:
    descriptor = os.open(name, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _opened(folder: int, name: str) -> Iterator[int | None]:
    """A regular file, to be read; None if there is none, or it cannot be read."""
    descriptor = None
    with contextlib.suppress(OSError):
        descriptor = os.open(name, _FILE, dir_fd=folder)
    try:
        yield descriptor if descriptor is not None and stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _pieces(file: int) -> Iterator[bytes]:
    while piece := os.read(file, _CHUNK):
        yield piece


def _read(file: int, size: int) -> bytes:
    found = b""
    while len(found) < size and (part := os.read(file, size - len(found))):
        found += part
    return found


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _mode(mode: int) -> int:
    """The bits of a file that is ours: nothing that lends rights, and readable."""
    return mode & 0o777 | stat.S_IRUSR


def _time(mtime: float) -> int | None:
    """Whole seconds; None for what is no time."""
    try:
        return int(mtime)
    except (ValueError, OverflowError):
        return None


def _finish(file: int, mode: int, mtime: float) -> None:
    os.fchmod(file, _mode(mode))
    with contextlib.suppress(OSError, OverflowError, ValueError):
        os.utime(file, (mtime, mtime))


def _clear(folder: int, name: str, *, files: bool = True) -> None:
    """Remove what stands at ``name``, never what a link there leads to; only a directory, if not ``files``."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            inner = _open_or_make(folder, name)
            try:
                for each in os.listdir(inner):  # noqa: PTH208 (of a descriptor)
                    _clear(inner, each)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=folder)
        elif files:
            os.unlink(name, dir_fd=folder)
