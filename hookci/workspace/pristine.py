"""Pristine checkouts: kept ones that no job writes in, which many jobs see at once, each with changes of its own."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.model.digests import sha256
from hookci.store.locks import FileLock
from hookci.workspace.checkout import Checkout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from hookci.workspace.checkout import Source

__all__ = ["PristineCheckout", "PristineCheckouts"]

_MOST = 3
"""Two runs at once that judge two trees, and one that is killed."""
_STANDS = "stands.json"


class PristineCheckout(Struct):
    """A checkout that is not changed while ``users`` jobs see it; ``said`` is what was to be told of its submodules."""

    identity: str
    checkout: Checkout
    lock: FileLock
    said: tuple[str, ...]
    users: int = 1

    @property
    def path(self) -> bytes:
        """The directory with the files, and the ``.git`` that jobs see."""
        return os.fsencode(self.checkout.tree_path)


class _Stands(Struct, frozen=True):
    """What a pristine checkout holds; ``marks`` has the inode and change time of all directories, and more of ``.git``.

    Whoever adds, removes or renames a file leaves a trace in its directory; what is done to tracked files themselves
    git sees.  With submodules in it (``linked``) it is not known to hold anything.
    """

    identity: str
    said: tuple[str, ...] = ()
    linked: bool = False
    marks: dict[str, list[int]] = field(default_factory=dict)


class PristineCheckouts(Struct):
    """The pristine checkouts of one repository, in ``directory``; ``name`` is the project's.

    A lock on each is shared by the runs whose jobs see it, and exclusive to the one that brings it to another tree:
    what is shown by an overlay must not change (overlayfs.rst, "Changes to underlying filesystems").
    """

    directory: Path
    name: str
    end_interrupted: Callable[[], None]
    _used: dict[str, PristineCheckout] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def borrow(self, source: Source, tree: str, commit: str) -> PristineCheckout | None:
        """One that holds ``tree``, its ``HEAD`` at ``commit``; None when others need them all for other trees.

        Raises:
            WorkspaceError: git could not make it.
        """
        facts = (tree, commit, source.plan, source.umask, str(source.repository.common_dir))
        identity = sha256(repr(facts).encode(errors="surrogateescape")).hexdigest()
        with self._guard:
            known = self._used.get(identity)
            if known is not None:
                known.users += 1
                return known
            for other in [other for other in self._used.values() if other.users == 0]:
                self._used.pop(other.identity).lock.release()
            self.end_interrupted()
            found = self._find(identity, source, tree, commit)
            if found is not None:
                self._used[identity] = found
            return found

    def give_back(self, checkout: PristineCheckout) -> None:
        """One job less sees it."""
        with self._guard:
            checkout.users -= 1

    def close(self) -> None:
        """Let other runs have those that no job sees."""
        with self._guard:
            for other in [other for other in self._used.values() if other.users == 0]:
                self._used.pop(other.identity).lock.release()

    def _find(self, identity: str, source: Source, tree: str, commit: str) -> PristineCheckout | None:
        places = [self.directory / f"pristine-{number}" for number in range(_MOST)]
        same = [place for place in places if _read(place).identity == identity]
        for place in same:
            lock = FileLock(place / "lock")
            if lock.try_share():
                stands, checkout = _read(place), self._checkout(place)
                if stands.identity == identity and _is_untouched(checkout, stands, source, tree):
                    os.utime(place / _STANDS)  # used now: what was not for long is cleared away
                    return PristineCheckout(identity, checkout, lock, stands.said)
                lock.release()
        for place in [*same, *(place for place in places if place not in same)]:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(place / "lock")
            if lock.try_acquire():
                try:
                    stands = _bring(place, self._checkout(place), source, tree, commit, identity)
                except BaseException:
                    lock.release()
                    raise
                # another run may come in between, and change it
                if lock.weaken() and _read(place).identity == identity:
                    return PristineCheckout(identity, self._checkout(place), lock, stands.said)
                lock.release()
        return None

    def _checkout(self, place: Path) -> Checkout:
        return Checkout(place / self.name, place / "git")


def _is_untouched(checkout: Checkout, stands: _Stands, source: Source, tree: str) -> bool:
    return _is_marked(checkout, stands) and checkout.touched(source, tree) == frozenset()


def _is_marked(checkout: Checkout, stands: _Stands) -> bool:
    """Whether nothing was added, removed or renamed."""
    root = os.fsencode(checkout.tree_path)
    try:
        marks = stands.marks.items()
        return bool(marks) and not stands.linked and all(_mark(root, os.fsencode(path)) == mark for path, mark in marks)
    except OSError:
        return False


def _bring(place: Path, checkout: Checkout, source: Source, tree: str, commit: str, identity: str) -> _Stands:
    before = _read(place)
    (place / _STANDS).unlink(missing_ok=True)
    swept = commit if _is_marked(checkout, before) else ""
    said: list[str] = []
    listing = checkout.reset(source, tree, keep=frozenset(), fill=tuple, say=said.append, swept=swept)
    checkout.expose(source, commit)
    folders = {*map(os.fsencode, before.marks), *listing.folders} if swept else listing.folders
    stands = _Stands(identity, tuple(said), bool(listing.links), _marks(os.fsencode(checkout.tree_path), folders))
    rows = {"identity": identity, "said": said, "linked": stands.linked, "marks": stands.marks}
    fresh = place / f"{_STANDS}.new"
    fresh.write_text(json.dumps(rows), encoding="utf-8")
    fresh.replace(place / _STANDS)
    return stands


def _read(place: Path) -> _Stands:
    try:
        rows = json.loads((place / _STANDS).read_text(encoding="utf-8"))
        return _Stands(rows["identity"], tuple(rows["said"]), rows["linked"], rows["marks"])
    except (OSError, ValueError, KeyError, TypeError):
        return _Stands("")  # none, or torn


def _marks(root: bytes, folders: Iterable[bytes]) -> dict[str, list[int]]:
    """The marks of ``root``, those of ``folders`` that are there, and those of everything in ``.git``."""
    found = {"": _mark(root, b"")}
    for folder in folders:
        path = os.path.join(root, folder)
        if not folder.startswith(b".git/") and os.path.isdir(path) and not os.path.islink(path):
            found[os.fsdecode(folder)] = _mark(root, folder)
    for top, _folders, files in os.walk(os.path.join(root, b".git")):
        for path in (top, *(os.path.join(top, name) for name in files)):
            inner = os.path.relpath(path, root)
            found[os.fsdecode(inner)] = _mark(root, inner)
    return found


def _mark(root: bytes, path: bytes) -> list[int]:
    info = os.lstat(os.path.join(root, path))
    return [info.st_ino, info.st_mode, info.st_ctime_ns]
