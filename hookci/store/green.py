"""Green records: what the hooks' shim reads to answer before Python is started, below ``hookci/green/``.

A *world* is what has to hold so that verdicts that are remembered would answer again, in words that a shell can check
with what is built into it.  It is a directory, ``HOOK/WORLD/``: in ``conditions`` are the words, in ``times/`` empty
files with the times of change that these speak of: a shell cannot see times, but it can compare two.  Beside them is a
record of one line for each tree that is green in it, by the name of the tree.

The shim looks at worlds while git finds out the tree.  It only reads; whatever it does not understand makes it start
Python.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import StateError
from hookci.model.digests import sha256
from hookci.store.locks import FileLock
from hookci.store.private import private_directory, private_file, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["ANSWERED", "FORMAT", "Conditions", "GreenRecords", "Tracked", "UntellableError", "track"]

FORMAT = "hookci green 2"
"""Raised, here and in the shim, when records or the names in the shim change their meaning."""

ANSWERED = frozenset({"pre-commit", "pre-merge-commit", "pre-push"})
"""The hooks whose shims look for records."""

_MOST = 2_000
_MOST_WORLDS = 8
"""Of each hook: for terminals with variables of their own, and branches whose jobs use other programs."""
_WAIT = 10.0
_LINKS = 6
"""One more than git follows when it looks for the place of an index's lock (lockfile.c, MAXDEPTH)."""
_INDEX = "/proc/self/fd/3"
_FINE, _COARSE = 0.1, 2.5
_FRACTION = 1_000_000
_NO_TIME = 400_000_000
"""Until 1982: the times that file systems and packages have which keep none (0, 1, 1980)."""
_CONTENT_ADDRESSED = ("/nix/store/", "/gnu/store/")
_NANO = 1_000_000_000
_PROBES = {"old": 1_500_000_000_500_000_000, "new": 1_500_000_000_500_000_001}


class UntellableError(Exception):
    """A shell could not tell whether this changes, so there is to be no record."""


class Tracked(Struct, frozen=True):
    """A file or directory: when it changed (None: it is not there), and where it leads if through symbolic links."""

    path: str
    changed: int | None
    real: str | None = None


class Conditions(Struct, frozen=True, kw_only=True):
    """What has to hold.

    ``python`` and ``main`` are what the shim starts, ``exec_path`` is git's.  ``variables`` are all that is set of what
    a job gets and of git's own config, ``more`` the globs of names that jobs ask for besides.  ``programs`` are to be
    executable files, ``no_programs`` are not.  ``git_dir`` is the only one that it holds in; None for all worktrees.
    """

    python: str
    main: str
    exec_path: str
    umask: int
    release: str
    variables: Mapping[str, str]
    more: Sequence[str]
    tracked: Sequence[Tracked]
    programs: Sequence[str]
    no_programs: Sequence[str]
    git_dir: str | None = None


def track(path: str, before: float) -> Tracked:
    """How ``path`` is now.

    Args:
        path: absolute.
        before: a file that was changed after this (unix seconds), or hardly before, may be changed again without
            another time of change.

    Raises:
        UntellableError: its time of change would not tell of a change.
    """
    if not path.startswith("/"):
        raise UntellableError(path)
    try:
        info = os.stat(path)  # noqa: PTH116 (as given, for many)
    except (FileNotFoundError, NotADirectoryError):
        return Tracked(path, None)
    except OSError as error:
        raise UntellableError(path) from error
    real = os.path.realpath(path)
    margin = _FINE if info.st_ctime_ns % _FRACTION else _COARSE
    if max(info.st_mtime_ns, info.st_ctime_ns) > (before - margin) * _NANO:
        raise UntellableError(path)
    if info.st_mtime_ns < _NO_TIME * _NANO and not f"{real}/".startswith(_CONTENT_ADDRESSED):
        raise UntellableError(path)
    return Tracked(path, info.st_mtime_ns, real if real != path else None)


class GreenRecords:
    """The records of one repository.

    Args:
        state: ``hookci`` in the git common directory.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._directory = state / "green"

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """Remove all records before something is forgotten, and let none be written until it is."""
        with self._locked():
            self._clear()
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Whoever looks for a verdict inside of this, and finds it, may write its record."""
        private_directory(self._directory, within=self._state)
        with self._locked():
            yield

    def write(self, hook: str, tree: str, run: int, conditions: Conditions) -> None:
        """Write the record of a verdict, in place of what was recorded of this tree.

        Raises:
            UntellableError: something cannot be written so that a shell would read it.
        """
        changed = dict.fromkeys(tracked.changed for tracked in conditions.tracked if tracked.changed is not None)
        times = {str(number): when for number, when in enumerate(changed, 1)}
        lines = list(_lines(hook, conditions, {when: number for number, when in times.items()}))
        if any(set(line) & {"\n", "\0"} for line in lines):
            raise UntellableError(hook)
        text = os.fsencode("".join(f"{line}\n" for line in lines))
        world = self._directory / hook / sha256(text + repr(times).encode()).hexdigest()[:32]
        self._fill(self._directory / "times", _PROBES)
        self._make_way_to_index()
        self._make_room(world, tree)
        private_directory(world, within=self._state)
        self._fill(world / "times", times)
        if _content(world / "conditions") != text:
            write_atomic(world / "conditions", text)
        write_atomic(world / tree, f"{FORMAT} {hook} {tree} {run}\n".encode())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(private_directory(self._state / "locks", within=self._state) / "green")
        if not lock.acquire(_WAIT):
            raise StateError(f"{self._directory} has been in use for {_WAIT:.0f} s")
        try:
            yield
        finally:
            lock.release()

    def _make_room(self, world: Path, tree: str) -> None:
        """Let the worlds of a hook be few and small, and have none of them a record of ``tree``."""
        worlds = private_directory(world.parent, within=self._state).iterdir()
        newest_first = sorted(worlds, key=lambda place: (place != world, -place.lstat().st_mtime_ns))
        for number, place in enumerate(newest_first):
            if number >= _MOST_WORLDS or not place.is_dir() or sum(1 for _ in os.scandir(place)) > _MOST:
                self._put_away(place)
            else:
                (place / tree).unlink(missing_ok=True)

    def _clear(self) -> None:
        """Take records away, at once and for whoever has not read them yet."""
        for place in self._directory.glob("*"):
            if not place.name.startswith("index-"):
                self._put_away(place)

    def _put_away(self, place: Path) -> None:
        """Take something away at once, and then what it is made of."""
        with suppress(FileNotFoundError):
            gone = self._directory / f"gone-{os.urandom(8).hex()}"
            place.rename(gone)
            if gone.is_dir() and not gone.is_symlink():
                _remove_tree(gone)
            else:
                gone.unlink()

    def _fill(self, place: Path, times: Mapping[str, int]) -> None:
        """Have ``place`` be a directory of empty files with these times of change, and of nothing else."""
        if _times(place) == times:
            return
        new = private_directory(self._directory / f"new-{os.urandom(8).hex()}", within=self._state)
        try:
            for name, when in times.items():
                os.close(os.open(new / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                os.utime(new / name, ns=(when, when))
        except (OSError, OverflowError) as error:
            raise UntellableError(place) from error
        if _times(new) != times:
            raise UntellableError(place)
        self._put_away(place)
        new.rename(place)

    def _make_way_to_index(self) -> None:
        """Have a way to the file that the shim has open as its third.

        ``git write-tree`` locks the index, so that a ``git add`` from elsewhere would fail, and may write it anew.  It
        does so beside the fifth link that it follows, and so here.  Where it did write, the last link is gone: such a
        way is never mended but made under a new name, or whoever is on it might read another's index.
        """
        there = False
        for way in self._directory.glob("index-*"):
            if all((way / str(number)).is_symlink() for number in range(1, _LINKS + 1)) and not there:
                there = True
                (way / f"{_LINKS}.lock").unlink(missing_ok=True)
            else:
                _remove_tree(way)
        if there:
            return
        name = os.urandom(8).hex()
        way = private_directory(self._directory / f"new-{name}", within=self._state)
        private_directory(way / "objects")
        for number in range(1, _LINKS):
            (way / str(number)).symlink_to(str(number + 1))
        (way / str(_LINKS)).symlink_to(_INDEX)
        way.rename(self._directory / f"index-{name}")


def _lines(hook: str, conditions: Conditions, times: Mapping[int, str]) -> Iterator[str]:
    yield f"{FORMAT} {hook}"
    yield from (f"p{conditions.python}", f"m{conditions.main}", f"e{conditions.exec_path}")
    yield from (f"u{conditions.umask:03o}", f"k{conditions.release}")
    yield from (f"w{place}" for place in (conditions.git_dir,) if place is not None)
    yield from (f"+{glob}" for glob in conditions.more)
    yield from (f"={name}={value}" for name, value in sorted(conditions.variables.items()))
    directory = None
    for path, kind, real in sorted(_places(conditions, times), key=lambda place: place[0].rpartition("/")[0]):
        above, slash, name = path.rpartition("/")
        if above != directory:
            directory = above
            yield f"{above}{slash}"
        yield f"{kind}{name}"
        yield from (f"~{each}" for each in (real,) if each is not None)
    yield "."


def _places(conditions: Conditions, times: Mapping[int, str]) -> Iterator[tuple[str, str, str | None]]:
    """What is looked at: where it is, what it has to be, and where it leads."""
    for one in dict.fromkeys(conditions.tracked):
        yield one.path, "-" if one.changed is None else f"@{times[one.changed]} ", one.real
    yield from ((path, "x", None) for path in dict.fromkeys(conditions.programs))
    yield from ((path, "n", None) for path in dict.fromkeys(conditions.no_programs))


def _times(place: Path) -> Mapping[str, int] | None:
    """When the files in ``place`` have changed, by name; None where there is no such directory."""
    try:
        with os.scandir(place) as entries:
            return {one.name: one.stat(follow_symlinks=False).st_mtime_ns for one in entries}
    except OSError:
        return None


def _content(place: Path) -> bytes | None:
    """What a file of our own says; None where there is no such file."""
    try:
        with os.fdopen(private_file(place, os.O_RDONLY), "rb") as file:
            return file.read()
    except (OSError, StateError):
        return None


def _remove_tree(directory: Path) -> None:
    import shutil  # noqa: PLC0415 (dear, and rarely needed)

    shutil.rmtree(directory, ignore_errors=True)
