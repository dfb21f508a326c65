"""Archives that come from containers, unpacked by rules: whoever wrote them may have meant harm.

What is placed are regular files, directories, and links that stay inside.  No member is ever placed *through* a link:
each directory on the way is opened by the one above it with ``O_NOFOLLOW``, so that neither a link in the archive nor
one that was there before leads outside (CVE-2007-4559, CVE-2025-4517: checks of path names before extraction were
outwitted by long names and chains of links).  A link goes up at the beginning of its target only, so that it stays
inside whatever takes the place of directories later; where it leads is looked at again when all is in place, step by
step, not by ``realpath``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.engine.members import Archive, ArchiveError
from hookci.engine.tree import LONGEST_PATH, Tree

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from hookci.engine.members import Content

__all__ = ["Limits", "Unpacked", "unpack"]

_LESS = "name what is needed of them under `artifacts` and `cache`, instead of all"

_SHOWN = 200


class Limits(Struct, frozen=True):
    """How much is placed of one archive: bytes in all files together, and members."""

    size: int = 16 * 2**30
    members: int = 1_000_000


_USUAL = Limits()


class Unpacked(Struct):
    """The paths that an archive brought, directories included, and what of it was left out, in words."""

    placed: dict[str, None] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def unpack(
    stream: Iterable[bytes], into: Path, *, placed_at: Callable[[str], str | None], limits: Limits = _USUAL
) -> Unpacked:
    """Place what an archive holds below ``into``; what stands there already is replaced, unless it is the same.

    Args:
        stream: a tar archive, in pieces.
        into: a directory of ours.
        placed_at: for a member's name (not absolute, no ``.`` or ``..`` in it) the path below ``into`` where it goes,
            None for nowhere.
        limits: how much is taken.

    Raises:
        ArchiveError: it is no archive, holds more than ``limits``, or there is no place for it.
    """
    archive = Archive(stream)
    try:
        with Tree.opened(into) as tree:
            unpacking = _Unpacking(tree, placed_at, limits)
            for member, content in archive.members():
                unpacking.take(member, content)
            unpacking.finish()
    except OSError as error:
        if error is archive.failure:
            raise
        what = os.fsdecode(error.filename or into)
        raise ArchiveError(f"what came from the engine has no place here: {error.strerror}: {what}") from error
    return unpacking.found


class _Unpacking(Struct):
    tree: Tree
    placed_at: Callable[[str], str | None]
    limits: Limits
    found: Unpacked = field(default_factory=Unpacked)
    _links: dict[str, None] = field(default_factory=dict)
    _files: dict[str, str] = field(default_factory=dict)
    _modes: dict[str, tuple[int, float]] = field(default_factory=dict)
    _size: int = 0
    _members: int = 0

    def take(self, member: tarfile.TarInfo, content: Content | None) -> None:
        name = self.tree.plain(member.name)
        if name is None:
            self._leave_out(member.name, "leads outside, or its name is too long")
            return
        place = self.tree.plain(self.placed_at(name) or "") if name else None
        if not place:
            return
        self._count(max(0, member.size) if member.isreg() else 0)
        if member.isdir():
            self.tree.make_directory(place)
            self._modes[place] = (member.mode, member.mtime)
            self.found.placed[place] = None
        elif content is not None:
            self.tree.place_file(place, member, content.pieces())
            self._files[name] = place
            self.found.placed[place] = None
        elif member.issym():
            self._link(member, place)
        elif member.islnk():
            self._copy(member, place)
        else:
            self._leave_out(place, "is no file, directory or link")

    def _count(self, size: int) -> None:
        self._members += 1
        self._size += size
        if self._members > self.limits.members:
            raise ArchiveError(f"the engine gave more than {self.limits.members:,} files", _LESS)
        if self._size > self.limits.size:
            raise ArchiveError(f"the engine gave files of more than {self.limits.size:,} bytes", _LESS)

    def _leave_out(self, name: str, why: str) -> None:
        self.found.left_out.append(f"{_shown(name)} {why}")

    def _copy(self, member: tarfile.TarInfo, place: str) -> None:
        """A hard link: a copy of a file that this very archive has placed, of nothing else."""
        source = self._files.get(self.tree.plain(member.linkname) or "")
        size = None if source is None else self.tree.size_of(source)
        if source is None or size is None:
            self._leave_out(place, "is a hard link to what was not placed")
            return
        self._count(size)
        if source != place:
            member.size = size
            self.tree.copy_file(source, place, member)
        self.found.placed[place] = None

    def _link(self, member: tarfile.TarInfo, place: str) -> None:
        if not _goes_up_first(place, member.linkname):
            self._leave_out(place, f"is a link that leads outside, to {_shown(member.linkname)}")
            return
        self.tree.place_link(place, member.linkname)
        self._links[place] = None
        self.found.placed[place] = None

    def finish(self) -> None:
        """Drop the links that lead outside by what is on their way, and give the directories their modes."""
        for place in [place for place in self._links if not self.tree.stays_inside(place)]:
            self.tree.remove(place)
            self.found.placed.pop(place, None)
            self._leave_out(place, "is a link that leads outside by other links")
        for place, (mode, mtime) in reversed(self._modes.items()):
            self.tree.finish_directory(place, mode, mtime)


def _shown(name: str) -> str:
    """A name that may hold anything, for a log."""
    return ascii(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")


def _goes_up_first(place: str, target: str) -> bool:
    """Whether a link at ``place`` goes up at its beginning only, and not further than the root."""
    if not target or target.startswith("/") or "\0" in target or len(os.fsencode(target)) > LONGEST_PATH:
        return False
    parts = [part for part in target.split("/") if part not in {"", "."}]
    up = parts.count("..")
    return up <= place.count("/") and ".." not in parts[up:]
