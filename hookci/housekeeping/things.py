"""What there is of one repository, thing by thing: what goes as a whole or not at all."""

from __future__ import annotations

import contextlib
import math
import os
import stat
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.housekeeping.mounts import is_mounted
from hookci.model.housekeeping import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["House", "InUse", "Thing", "last_use", "matching", "things"]

_BLOCK = 512
"""Bytes that one of ``st_blocks`` stands for (stat(2))."""
_DAY = 86400.0
_ROOMS = ("", "background", "deploy", "pipelines")
"""Where files are written under another name first."""
_STAYS = {"lock", "busy"}
"""Who holds a slot, and what is left of a job that was killed in it."""
_DEPTH = {Kind.ARTIFACTS: 2, Kind.LOGS: 1, Kind.REPOSITORY: 2}
"""How far down the times of files say when something was used last."""


class House(Struct, frozen=True, kw_only=True):
    """Where everything of one repository is.

    ``place`` is its directory in the user's cache directory, ``state`` is ``hookci`` in its git directory; either may
    not be there.
    """

    place: Path
    state: Path


class InUse(Struct, frozen=True, kw_only=True):
    """What is needed though nothing holds a lock on it: numbers of runs that go on, and of what still has to be shown.

    ``shown`` are runs, ``deployed`` deployments whose logs a person may be told to look at.  What was used since
    ``since`` (unix seconds), when the oldest of the runs that go on has begun, may be artifacts that it has looked for
    and not taken yet.
    """

    since: float = math.inf
    running: frozenset[int] = frozenset()
    shown: frozenset[int] = frozenset()
    deployed: frozenset[int] = frozenset()


class Thing(Struct, frozen=True, kw_only=True):
    """Something that goes as a whole, its ``paths`` in this order.

    ``size`` is in bytes on the disk, ``used`` in unix seconds: the time of ``stamp``, or else of what is touched of the
    thing itself.  Whoever uses it holds ``lock``, if it has one.  What is ``needed`` stays.
    """

    kind: Kind
    paths: tuple[Path, ...]
    size: int
    used: float
    stamp: Path | None = None
    lock: Path | None = None
    needed: bool = False

    @property
    def count(self) -> int:
        """How many it counts for."""
        return len(self.paths) if self.kind is Kind.OBJECTS else 1


def things(house: House, in_use: InUse) -> list[Thing]:
    """All that is kept of a repository and may go; sizes are counted once where files have several names."""
    place, state = house.place, house.state
    seen: set[tuple[int, int]] = set()
    return [
        # a file is made and removed in a slot with every use of it
        *_locked(Kind.WORKSPACE, matching(place, "", "[0-9][0-9]"), ".", seen),
        *_locked(Kind.WORKSPACE, matching(place, "", "pristine-*"), "stands.json", seen),
        *_locked(Kind.CACHE, matching(place, "caches", "*"), "meta.json", seen),
        *(
            replace(thing, needed=thing.needed or thing.used >= in_use.since)
            for thing in _numbered(Kind.ARTIFACTS, matching(place, "artifacts", "[0-9]*"), in_use.running, seen)
        ),
        *_numbered(Kind.LOGS, matching(state, "logs", "[0-9]*"), in_use.running | in_use.shown, seen),
        *_numbered(Kind.LOGS, matching(state, "deploy/logs", "[0-9]*.log"), in_use.deployed, seen),
        *_objects(place, "objects"),
        # the shim's own lie beside its way to the index
        *(thing for way in matching(state, "green", "index-*") for thing in _objects(way, "objects")),
        *_leftovers(house, seen),
        *_job_locks(matching(state, "locks/jobs", "*")),
    ]


def last_use(kind: Kind, path: Path) -> float:
    """When something was used last, in unix seconds."""
    return max(_times(path, _DEPTH.get(kind, 0)))


def _times(path: Path, depth: int) -> Iterator[float]:
    yield path.lstat().st_mtime
    if depth:
        for each in matching(path, "", "*"):
            with contextlib.suppress(FileNotFoundError):
                yield from _times(each, depth - 1)


def _thing(kind: Kind, paths: Sequence[Path], used: float, seen: set[tuple[int, int]]) -> Thing:
    return Thing(kind=kind, paths=tuple(paths), size=_size(paths, seen), used=used, needed=is_mounted(paths))


def _locked(kind: Kind, found: Iterable[Path], noted: str, seen: set[tuple[int, int]]) -> Iterator[Thing]:
    """What has a lock of its own, and a file ``noted`` that changes with every use; the directory itself stays."""
    for one in found:
        kept = [path for path in matching(one, "", "*") if path.name not in _STAYS]
        # what says that there is something goes first: without it, the rest is nothing
        paths = sorted(kept, key=lambda path: (path.name != noted, path.name != "git", path.name))
        if paths:
            stamp = one / noted if os.path.lexists(one / noted) else one
            yield replace(_thing(kind, paths, stamp.lstat().st_mtime, seen), stamp=stamp, lock=one / "lock")


def _numbered(
    kind: Kind, found: Iterable[Path], needed: Collection[int], seen: set[tuple[int, int]]
) -> Iterator[Thing]:
    """What is kept of runs or deployments, by their numbers."""
    for path in found:
        if path.stem.isdecimal():
            with contextlib.suppress(FileNotFoundError):
                thing = _thing(kind, [path], last_use(kind, path), seen)
                yield replace(thing, needed=thing.needed or int(path.stem) in needed)


def _objects(root: Path, directory: str) -> Iterator[Thing]:
    """The objects of each day: git changes the time of one that it finds where it would write it (`git help gc`)."""
    days: dict[float, list[tuple[Path, os.stat_result]]] = {}
    for folder in matching(root, directory, "[0-9a-f][0-9a-f]"):
        for path in matching(folder, "", "*"):
            with contextlib.suppress(FileNotFoundError):
                info = path.lstat()
                days.setdefault(info.st_mtime // _DAY, []).append((path, info))
    for found in days.values():
        used = max(info.st_mtime for _path, info in found)
        size = sum(info.st_blocks * _BLOCK for _path, info in found)
        yield Thing(kind=Kind.OBJECTS, paths=tuple(path for path, _info in found), size=size, used=used)
    for pack in [path for pattern in ("*.pack", "tmp_*") for path in matching(root, f"{directory}/pack", pattern)]:
        # without its index it is no pack any more for git
        beside = [pack.with_suffix(suffix) for suffix in (".idx", ".rev")]
        paths = [*(path for path in beside if os.path.lexists(path)), pack]
        with contextlib.suppress(FileNotFoundError):
            yield replace(_thing(Kind.OBJECTS, paths, pack.lstat().st_mtime, set()), stamp=pack)


def _leftovers(house: House, seen: set[tuple[int, int]]) -> Iterator[Thing]:
    """What calls left that were killed; a call that goes on has made its files just now."""
    found = [
        *(path for pattern in ("index-*", "narrow-*", "tmp*") for path in matching(house.place, "", pattern)),
        *(path for pattern in ("notify-*", "*.broken-*") for path in matching(house.state, "", pattern)),
        *(path for room in _ROOMS for path in matching(house.state, room, ".*.tmp")),
    ]
    for path in found:
        with contextlib.suppress(FileNotFoundError):
            yield _thing(Kind.LEFTOVER, [path], last_use(Kind.LEFTOVER, path), seen)


def _job_locks(found: Iterable[Path]) -> Iterator[Thing]:
    """The locks of keys: files without content, one for each key that ever was."""
    for path in found:
        with contextlib.suppress(FileNotFoundError):
            yield Thing(kind=Kind.LEFTOVER, paths=(path,), size=0, used=path.lstat().st_mtime, stamp=path, lock=path)


# -- files


def matching(root: Path, directory: str, pattern: str) -> list[Path]:
    """What ``directory`` below ``root`` (empty: itself) holds, sorted; nothing of what lies behind a link."""
    place = root
    for part in ("", *filter(None, directory.split("/"))):
        place /= part
        if not _is_directory(place):
            return []
    try:
        return sorted(path for path in place.iterdir() if path.match(pattern))
    except OSError:
        return []  # it is gone, or closed to us: what cannot be seen is not counted


def _is_directory(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _size(paths: Iterable[Path], seen: set[tuple[int, int]]) -> int:
    """The bytes of files and directories on the disk; ``seen`` are files of several names that count already."""
    total = 0
    for top in paths:
        device = top.parent.lstat().st_dev
        pending = [os.fspath(top)]
        while pending:
            path = pending.pop()
            try:
                info = os.lstat(path)
                if info.st_dev == device and stat.S_ISDIR(info.st_mode):
                    pending += [entry.path for entry in os.scandir(path)]
            except OSError:
                continue  # it is gone, or closed to us
            # what is mounted there is somewhere else
            if info.st_dev == device and _is_first(info, seen):
                total += info.st_blocks * _BLOCK
    return total


def _is_first(info: os.stat_result, seen: set[tuple[int, int]]) -> bool:
    if info.st_nlink == 1 or stat.S_ISDIR(info.st_mode):
        return True
    known = (info.st_dev, info.st_ino) in seen
    seen.add((info.st_dev, info.st_ino))
    return not known
