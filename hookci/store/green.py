"""Green records: what the hooks' shim reads to answer before Python is started, below ``hookci/green/``.

A record says what has to hold so that a verdict that is remembered would answer again, in words that a shell can check
with what is built into it.  The shim only reads; whatever it does not understand makes it start Python.

A *twin* is an empty file with the time of change of another one: a shell cannot see times, but it can compare two.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import StateError
from hookci.store.locks import FileLock
from hookci.store.private import private_directory, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["ANSWERED", "FORMAT", "Conditions", "GreenRecords", "Tracked", "UntellableError", "track"]

FORMAT = "hookci green 1"
"""Raised, here and in the shim, when records or the names in the shim change their meaning."""

ANSWERED = frozenset({"pre-commit", "pre-merge-commit", "pre-push"})
"""The hooks whose shims look for records."""

_MOST = 2_000
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
        """Write the record of a verdict.

        Raises:
            UntellableError: something cannot be written so that a shell would read it.
        """
        lines = list(self._lines(hook, tree, run, conditions))
        if any(set(line) & {"\n", "\0"} for line in lines):
            raise UntellableError(hook)
        self._prepare()
        for twin in {tracked.changed for tracked in conditions.tracked if tracked.changed is not None}:
            self._twin(str(twin), twin)
        place = private_directory(self._directory / hook, within=self._state)
        text = "".join(f"{line}\n" for line in lines)
        write_atomic(place / tree, os.fsencode(text))

    def _lines(self, hook: str, tree: str, run: int, conditions: Conditions) -> Iterator[str]:
        yield f"{FORMAT} {hook} {tree}"
        yield from (f"p{conditions.python}", f"m{conditions.main}", f"e{conditions.exec_path}")
        yield from (f"u{conditions.umask:03o}", f"k{conditions.release}")
        yield from (f"w{place}" for place in (conditions.git_dir,) if place is not None)
        yield from (f"+{glob}" for glob in conditions.more)
        yield from (f"={name}={value}" for name, value in sorted(conditions.variables.items()))
        for tracked in dict.fromkeys(conditions.tracked):
            yield f"-{tracked.path}" if tracked.changed is None else f"@{tracked.changed} {tracked.path}"
            yield from (f"~{real}" for real in (tracked.real,) if real is not None)
        yield from (f"x{path}" for path in dict.fromkeys(conditions.programs))
        yield from (f"n{path}" for path in dict.fromkeys(conditions.no_programs))
        yield f".{run}"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(private_directory(self._state / "locks", within=self._state) / "green")
        if not lock.acquire(_WAIT):
            raise StateError(f"{self._directory} has been in use for {_WAIT:.0f} s")
        try:
            yield
        finally:
            lock.release()

    def _prepare(self) -> None:
        """Make what all records share, and let it not grow without end."""
        twins = private_directory(self._directory / "twins", within=self._state)
        places = [twins, *(self._directory / name for name in ANSWERED)]
        if any(sum(1 for _ in os.scandir(place)) > _MOST for place in places if place.is_dir()):
            self._clear()
            private_directory(twins, within=self._state)
        for name, changed in _PROBES.items():
            self._twin(name, changed)
        self._make_way_to_index()

    def _clear(self) -> None:
        """Take records away, at once and for whoever has not read them yet."""
        for name in (*ANSWERED, "twins"):
            with suppress(FileNotFoundError):
                gone = self._directory / f"gone-{os.urandom(8).hex()}"
                (self._directory / name).rename(gone)
        for gone in self._directory.glob("gone-*"):
            _remove_tree(gone)

    def _twin(self, name: str, changed: int) -> None:
        path = self._directory / "twins" / name
        with suppress(OSError):
            if path.lstat().st_mtime_ns == changed:
                return
        temporary = path.with_name(f".{os.urandom(8).hex()}.tmp")
        try:
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            os.utime(temporary, ns=(changed, changed))
            exact = temporary.stat().st_mtime_ns == changed
            temporary.replace(path)
        except OSError as error:
            raise UntellableError(name) from error
        if not exact:
            raise UntellableError(name)

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


def _remove_tree(directory: Path) -> None:
    import shutil  # noqa: PLC0415 (dear, and rarely needed)

    shutil.rmtree(directory, ignore_errors=True)
