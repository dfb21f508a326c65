"""Archives that come from containers, unpacked by rules: whoever wrote them may have meant harm.

What is placed are regular files, directories, and links that stay inside.  No member is ever placed *through* a link:
each directory on the way is opened by the one above it with ``O_NOFOLLOW``, so that neither a link in the archive nor
one that was there before leads outside (CVE-2007-4559, CVE-2025-4517: checks of path names before extraction were
outwitted by long names and chains of links).  Where links lead is looked at again when all is in place, step by step,
not by ``realpath``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tarfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, cast

from hookci.errors import HookciError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["ArchiveError", "Limits", "unpack"]

_LONGEST_PATH = 4000
"""Bytes; below PATH_MAX of Linux with room for the directory it is placed in."""
_MOST_STEPS = 400
"""Steps and links on the way of one link; what needs more is refused."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1024 * 1024


class ArchiveError(HookciError):
    """An archive that a container gave is broken, or too large."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one archive may hold: bytes in all its files, and members."""

    size: int = 16 * 2**30
    members: int = 1_000_000


_USUAL = Limits()


def unpack(
    stream: Iterable[bytes], into: Path, *, placed_at: Callable[[str], str | None], limits: Limits = _USUAL
) -> tuple[list[str], list[str]]:
    """Place what an archive holds below ``into``; what stands there already is replaced.

    Args:
        stream: a tar archive, in pieces.
        into: a directory of ours.
        placed_at: for a member's name (not absolute, no ``.`` or ``..`` in it) the path below ``into`` where it goes,
            None for nowhere.
        limits: how much is taken.

    Returns:
        The paths that were placed, and what was left out, in words.

    Raises:
        ArchiveError: it is no archive, or holds more than ``limits``.
    """
    root = os.open(into, _DIRECTORY)
    try:
        unpacking = _Unpacking(root, os.fspath(into), placed_at, limits)
        with tarfile.open(fileobj=cast("IO[bytes]", _Pieces(stream)), mode="r|", errorlevel=1) as archive:
            for member in archive:
                unpacking.take(archive, member)
        unpacking.drop_links_that_lead_outside()
    except tarfile.TarError as error:
        raise ArchiveError(f"the engine gave a broken archive: {error}") from error
    finally:
        os.close(root)
    return unpacking.placed, unpacking.left_out


class _Pieces:
    """An iterable of bytes as a file that can only be read forwards."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest += piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


@dataclass(slots=True)
class _Unpacking:
    root: int
    path: str
    placed_at: Callable[[str], str | None]
    limits: Limits
    placed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    _links: list[str] = field(default_factory=list)
    _files: dict[str, str] = field(default_factory=dict)
    _size: int = 0
    _members: int = 0

    def take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        self._count(member)
        name = _plain(member.name)
        if name is None:
            self._leave_out(member, "leads outside")
            return
        place = self.placed_at(name) if name else None
        if place is None:
            return
        if member.isdir():
            os.close(self._folder(place.split("/")))
        elif member.isreg():
            self._file(archive, member, place)
            self._files[name] = place
        elif member.issym():
            self._link(member, place)
        elif member.islnk():
            self._copy(member, place)
        else:
            self._leave_out(member, "is no file, directory or link")

    def _count(self, member: tarfile.TarInfo) -> None:
        self._members += 1
        self._size += max(0, member.size)
        if self._members > self.limits.members:
            raise ArchiveError(f"the archive holds more than {self.limits.members:,} files")
        if self._size > self.limits.size:
            raise ArchiveError(f"the archive holds more than {self.limits.size:,} bytes")

    def _leave_out(self, member: tarfile.TarInfo, why: str) -> None:
        self.left_out.append(f"{member.name[:200]!r} {why}")

    def _file(self, archive: tarfile.TarFile, member: tarfile.TarInfo, place: str) -> None:
        content = archive.extractfile(member)
        if content is None:
            self._leave_out(member, "cannot be read")
            return
        with self._new(place) as target:
            shutil.copyfileobj(content, target, _CHUNK)
            os.fchmod(target.fileno(), member.mode & 0o777 | 0o600)  # no setuid bits
            target.flush()
            with contextlib.suppress(OSError, OverflowError):
                os.utime(target.fileno(), (member.mtime, member.mtime))
        self.placed.append(place)

    def _copy(self, member: tarfile.TarInfo, place: str) -> None:
        """A hard link: a copy of a file that this very archive has placed, of nothing else."""
        source = self._files.get(_plain(member.linkname) or "")
        if source is None:
            self._leave_out(member, "is a hard link to what was not placed")
            return
        if source != place:
            with self._parent(source) as (folder, name), self._new(place) as target:
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
                with os.fdopen(descriptor, "rb") as content:
                    shutil.copyfileobj(content, target, _CHUNK)
                    os.fchmod(target.fileno(), os.fstat(content.fileno()).st_mode & 0o777)
        self.placed.append(place)

    def _link(self, member: tarfile.TarInfo, place: str) -> None:
        target = member.linkname
        if target.startswith("/") or "\0" in target or len(os.fsencode(target)) > _LONGEST_PATH:
            self._leave_out(member, "is a link that leads outside")
            return
        with self._parent(place) as (folder, name):
            _clear(folder, name)
            os.symlink(target, name, dir_fd=folder)
        self._links.append(place)
        self.placed.append(place)

    @contextlib.contextmanager
    def _new(self, place: str) -> Iterator[IO[bytes]]:
        with self._parent(place) as (folder, name):
            _clear(folder, name)
            with os.fdopen(os.open(name, _NEW_FILE, 0o600, dir_fd=folder), "wb") as file:
                yield file

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

    def drop_links_that_lead_outside(self) -> None:
        """Remove the links that do; one that does may only be found out when all others are there."""
        found = True
        while found:
            found = False
            for place in list(self._links):
                if not self._stays_inside(place):
                    self._links.remove(place)
                    self.placed = [other for other in self.placed if other != place]
                    self.left_out.append(f"{place[:200]!r} is a link that leads outside")
                    with self._parent(place) as (folder, name):
                        _clear(folder, name)
                    found = True

    def _stays_inside(self, place: str) -> bool:
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


def _plain(name: str) -> str | None:
    """A member's name without ``.`` and doubled slashes; None when it could lead outside or nowhere."""
    if name.startswith("/") or "\0" in name or len(os.fsencode(name)) > _LONGEST_PATH:
        return None
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if any(part == ".." or len(os.fsencode(part)) > os.pathconf("/", "PC_NAME_MAX") for part in parts):
        return None
    return "/".join(parts)


def _open_or_make(folder: int, name: str) -> int:
    with contextlib.suppress(OSError):
        return os.open(name, _DIRECTORY, dir_fd=folder)
    _clear(folder, name)
    os.mkdir(name, 0o755, dir_fd=folder)
    return os.open(name, _DIRECTORY, dir_fd=folder)


def _clear(folder: int, name: str) -> None:
    """Remove what stands at ``name``, never what a link there leads to."""
    with contextlib.suppress(FileNotFoundError):
        try:
            os.unlink(name, dir_fd=folder)
        except (IsADirectoryError, PermissionError):
            shutil.rmtree(name, dir_fd=folder)
