"""Copying files between workspaces, also files that name the workspace they were made in.

A virtual environment holds its own absolute path in the first line of every script.  All workspaces of
a repository have paths of equal length, so that path can be replaced in any file, binary ones included,
without moving a byte.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from hookci.errors import WorkspaceError
from hookci.model.globs import exact_matcher, is_literal, matcher
from hookci.proc.run import run
from hookci.workspace.listing import parents
from hookci.workspace.sweep import remove

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

__all__ = ["copy_paths", "expand", "mentions", "relocate", "signature", "untracked"]

_TIMEOUT = 3600.0
_BATCH = 500


def expand(root: bytes, patterns: Iterable[str], exclude: Iterable[str] = (), *, exact: bool = False) -> list[bytes]:
    """The paths below ``root`` that ``patterns`` name and that are there; a directory stands for all in it.

    Without ``exclude`` a literal path is one entry, whatever it holds; globs and exclusions list files.  With ``exact``
    they also list directories in which nothing else is listed, with a slash at the end, and ``exclude`` leaves out what
    its globs match, not what is below that.
    """
    unwanted = _unwanted(exclude, exact=exact)
    found: dict[bytes, None] = {}
    wanted = []
    for pattern in patterns:
        stem = pattern.removeprefix("./").rstrip("/")
        if stem in {"", "."}:
            wanted.append(matcher("**"))  # all of it, but not the workspace's own .git
        elif is_literal(stem) and not unwanted:
            if os.path.lexists(os.path.join(root, os.fsencode(stem))):
                found[os.fsencode(stem)] = None
        else:
            wanted.append(matcher(stem))
    if wanted:
        found.update(dict.fromkeys(_matching(root, wanted, unwanted, folders=exact)))
    return list(found)


def _matching(
    root: bytes, wanted: Sequence[Callable[[str], bool]], unwanted: Sequence[Callable[[str], bool]], *, folders: bool
) -> list[bytes]:
    """The files that ``wanted`` match and ``unwanted`` do not; with ``folders`` also directories without any."""
    names = ((path, os.fsdecode(path).rstrip("/")) for path in _files(root, folders=folders))
    found = [
        path for path, name in names if any(test(name) for test in wanted) and not any(test(name) for test in unwanted)
    ]
    full = parents(path.rstrip(b"/") for path in found) if folders else ()
    return [path for path in found if path.rstrip(b"/") not in full]


def untracked(
    root: bytes, tracked: Collection[str], exclude: Iterable[str] = (), *, exact: bool = False
) -> list[bytes]:
    """The files below ``root`` that are none of ``tracked``, also those that git ignores; ``exact`` as of `expand`."""
    unwanted = _unwanted(exclude, exact=exact)
    names = ((path, os.fsdecode(path)) for path in _files(root))
    return [path for path, name in names if name not in tracked and not any(test(name) for test in unwanted)]


def _unwanted(exclude: Iterable[str], *, exact: bool) -> list[Callable[[str], bool]]:
    return [exact_matcher(pattern) if exact else matcher(pattern) for pattern in exclude]


def _files(root: bytes, *, folders: bool = False) -> Iterator[bytes]:
    """Every file and link below ``root``, relative to it; the workspace's own ``.git`` is left out.

    With ``folders`` also every directory, with a slash at the end.
    """
    pending = [b""]
    while pending:
        folder = pending.pop()
        with os.scandir(os.path.join(root, folder)) as entries:
            for entry in entries:
                path = folder + b"/" + entry.name if folder else entry.name
                if path == b".git":
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)
                    if folders:
                        yield path + b"/"
                else:
                    yield path


def copy_paths(source: bytes, paths: Iterable[bytes], target: bytes, *, env: Mapping[str, str]) -> None:
    """Copy ``paths`` from below ``source`` to below ``target`` with modes, times and links; what is there is replaced.

    Of a path with a slash at the end only the directory is made, with its mode.

    Raises:
        WorkspaceError: a file could not be copied, such as when the disk is full.
    """
    by_parent: dict[bytes, list[bytes]] = {}
    for path in paths:
        if path.endswith(b"/"):
            folder = _make_folder(target, path[:-1])
            os.chmod(folder, stat.S_IMODE(os.lstat(os.path.join(source, path)).st_mode))
            continue
        by_parent.setdefault(os.path.dirname(path), []).append(path)
    for parent, members in by_parent.items():
        folder = _make_folder(target, parent)
        for path in members:
            place = os.path.join(target, path)
            if os.path.lexists(place) and not (_is_folder(place) and _is_folder(os.path.join(source, path))):
                remove(place)
        for start in range(0, len(members), _BATCH):
            batch = [os.fsdecode(os.path.join(source, path)) for path in members[start : start + _BATCH]]
            done = run(["cp", "-a", "--", *batch, os.fsdecode(folder)], cwd="/", env=env, timeout=_TIMEOUT)
            if done.returncode != 0:
                raise WorkspaceError(f"files could not be copied: {done.complaint}")


def _is_folder(path: bytes) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _make_folder(target: bytes, parent: bytes) -> bytes:
    """Make ``parent`` below ``target``; a link or a file on the way is replaced, so that nothing lands elsewhere."""
    folder = target
    os.makedirs(folder, exist_ok=True)
    for part in parent.split(b"/") if parent else ():
        folder = os.path.join(folder, part)
        if not _is_folder(folder):
            remove(folder)
            os.mkdir(folder)
    return folder


def _tree(root: bytes, path: bytes) -> Iterator[bytes]:
    """``path`` and everything below it, relative to ``root``; with a slash at the end, ``path`` alone."""
    yield path
    if path.endswith(b"/"):
        return
    place = os.path.join(root, path)
    if _is_folder(place):
        for name in sorted(os.listdir(place)):
            yield from _tree(root, path + b"/" + name)


def signature(root: bytes, paths: Iterable[bytes]) -> list[list[object]]:
    """What can be told of files without reading them: any change to one of them changes it (ctime cannot be set)."""
    rows: list[list[object]] = []
    for path in paths:
        for member in _tree(root, path):
            info = os.lstat(os.path.join(root, member))
            rows.append([os.fsdecode(member), info.st_mode, info.st_size, info.st_ino, info.st_ctime_ns])
    return rows


def mentions(root: bytes, paths: Iterable[bytes], needle: bytes) -> list[bytes]:
    """The files (and links, by their target) among ``paths`` that hold ``needle``."""
    found = []
    for path in paths:
        for member in _tree(root, path):
            place = os.path.join(root, member)
            if os.path.islink(place):
                content = os.readlink(place)
            elif os.path.isfile(place):
                with open(place, "rb") as file:
                    content = file.read()
            else:
                continue
            if needle in content:
                found.append(member)
    return found


def relocate(root: bytes, members: Iterable[bytes], old: bytes, new: bytes) -> None:
    """Replace the path ``old`` by ``new``, of equal length, in files and links; times stay as they were.

    Raises:
        ValueError: the paths differ in length.
    """
    if len(old) != len(new):
        raise ValueError(f"{old!r} and {new!r} differ in length")
    for member in members if old != new else ():
        place = os.path.join(root, member)
        if os.path.islink(place):
            target = os.readlink(place).replace(old, new)
            os.unlink(place)
            os.symlink(target, place)
        elif os.path.isfile(place):
            info = os.lstat(place)
            with open(place, "rb") as file:
                content = file.read().replace(old, new)
            fresh = place + b".hookci"
            with open(fresh, "wb") as file:
                file.write(content)
            from shutil import copystat  # noqa: PLC0415 (rare)

            copystat(place, fresh)
            os.replace(fresh, place)
            os.utime(place, ns=(info.st_atime_ns, info.st_mtime_ns))
