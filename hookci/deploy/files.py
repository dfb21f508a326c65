"""Which files of a tree a deployment runs: those its commands name, and those that these call in turn.

Shell text is not understood here, it is searched, and rather too much is found than too little: a file too many costs
a person one more look.  A word is taken from every place where a program might be told one: blanks, quotes, ``=``,
``:``, brackets and the like end it; a ``$VARIABLE`` at its beginning is dropped, one further on may be anything.  It
is looked up from the top of the tree, from the directory of the file it stands in, and from every directory that is
named on the way there (``cd ops``), through symbolic links (which are found as well), with the wildcards of a shell.

* A command finds every file it names, and all below a directory it names (not the whole tree: ``docker build .``).
* A variable of the environment finds every file it names.
* A text file that was found finds the files it runs: executable ones it names, any that stand in one command with a
  program that runs what a file says (``. lib.sh``, ``python tools/x.py``, ``docker compose -f x.yml``, ``require``),
  whole directories only of programs that apply those (``kubectl``), and Python modules (``-m``, ``import``).  What it
  only copies (``cp -r app "$target"``) is not found.  This goes `DEPTH` files deep, not into files of more than
  `LARGEST` bytes and not into those of a directory.
* Tools that look for a file themselves (``make``, ``npm``, ``docker compose``) find the usual ones.
* A submodule that a word leads into is found with the commit it is pinned to, ``.gitattributes`` with what it is about.

Not found: a name that is put together while running, what a program reads without being told by a word (other
languages' modules, settings files), what lies outside of the tree.  `Environment.trust` adds it.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.deploy.words import parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hookci.deploy.words import Part

__all__ = ["DEPTH", "LARGEST", "files_run"]

DEPTH = 5
"""Files: how far it is followed who calls whom."""
LARGEST = 256 * 1024
"""Bytes of the largest file that is searched for what it calls."""
_MOST_LINKS = 40
_LINK, _SUBMODULE, _EXECUTABLE = "120000", "160000", "100755"
_WILDCARD = re.compile(r"[*?\[]")


def files_run(
    commands: Iterable[str], values: Iterable[str], blobs: Mapping[str, str], read: Callable[[str], bytes]
) -> set[str]:
    """The paths of all files that ``commands`` run, as the module says.

    Args:
        commands: shell text.
        values: of the variables that the commands are given.
        blobs: every path of the tree, with mode and object name (``100644 <oid>``).
        read: returns the content of an object by its name.
    """
    tree = _Tree(blobs, read, _children(blobs))
    orders = [*parts(commands)]
    told = [*parts(values), *orders]
    bases = _bases(tree, {"": None}, told)
    search = _Search(tree)
    search.take_directories(orders, bases)
    pending = search.take(told, bases, any_file=True)
    for _ in range(DEPTH):
        pending = [found for path, known in pending for found in search.follow(path, known)]
    return search.taken | search.attributes()


# -- the tree


class _Place(Struct, frozen=True):
    """Where a path leads: the links (or the submodule) on the way, and a file or a directory, unless it leads out."""

    way: Sequence[str]
    file: str | None = None
    directory: str | None = None


class _Tree(Struct, frozen=True):
    blobs: Mapping[str, str]
    read: Callable[[str], bytes]
    children: Mapping[str, set[str]]

    def mode(self, path: str) -> str:
        return self.blobs.get(path, "").partition(" ")[0]

    def content(self, path: str) -> bytes:
        return self.read(self.blobs[path].partition(" ")[2])

    def places(self, bases: Iterable[str], word: str) -> Iterator[_Place]:
        """Where ``word`` leads from each of ``bases``, which are directories."""
        first = next((step for step in word.split("/") if step not in {"", "."}), "")
        anything = first == ".." or _WILDCARD.search(first)
        for base in bases:
            # most words of a text are no files at all
            if anything or first in self.children[base]:
                yield from filter(None, map(self._walk, self._expand(base, word)))

    def below(self, directory: str) -> Iterator[str]:
        return (path for path in self.blobs if path.startswith(f"{directory}/"))

    def _expand(self, base: str, word: str) -> list[str]:
        """The path ``word`` below ``base``, or those that it matches as a wildcard."""
        if not _WILDCARD.search(word):
            return [f"{base}/{word}"]
        paths = [base]
        for step in word.split("/"):
            if _WILDCARD.search(step):
                paths = [_join(at, name) for at in paths for name in fnmatch.filter(self.children.get(at, ()), step)]
            elif step not in {"", "."}:
                paths = [_join(at, step) for at in paths]
        return paths

    def _walk(self, path: str) -> _Place | None:
        """Where a path leads; None when there is nothing of it in the tree."""
        steps, at, way = path.split("/")[::-1], "", list[str]()
        while steps:
            step = steps.pop()
            here = _join(at, step)
            if step in {"", ".", ".."}:
                at = at if step != ".." else posixpath.dirname(at)
            elif (mode := self.mode(here)) == _LINK and len(way) < _MOST_LINKS:
                way.append(here)
                target = os.fsdecode(self.content(here))
                if target.startswith("/"):
                    return _Place(way)
                steps += target.split("/")[::-1]
            elif mode == _SUBMODULE:
                return _Place([*way, here])
            elif mode and not any(steps):
                return _Place(way, file=here)
            elif here in self.children:
                at = here
            else:
                return _Place(way) if way else None
        return _Place(way, directory=at)


def _join(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory else name


def _children(blobs: Iterable[str]) -> dict[str, set[str]]:
    """The names in every directory of the tree; the top is the empty path."""
    found: dict[str, set[str]] = {"": set()}
    for path in blobs:
        directory, name = posixpath.split(path)
        while name not in found.setdefault(directory, set()):
            found[directory].add(name)
            directory, name = posixpath.split(directory)
            if not name:
                break
    return found


def _ancestors(directory: str) -> Iterator[str]:
    while directory:
        yield directory
        directory = posixpath.dirname(directory)


_Bases = dict[str, None]
"""Directories from which words are looked up, in the order in which they were found."""


def _around(*paths: str) -> _Bases:
    """The directories of files, and those above them."""
    return dict.fromkeys(above for path in paths for above in _ancestors(posixpath.dirname(path)))


def _bases(tree: _Tree, known: _Bases, told: Iterable[Part]) -> _Bases:
    """``known``, and all directories that the words name, with those above them."""
    bases = dict(known)
    for part in told:
        for word in _meaningful(part):
            for place in [*tree.places(bases, word)]:
                bases.update(dict.fromkeys(_ancestors(place.directory or "")))
    return bases


def _meaningful(part: Part) -> Iterator[str]:
    """The words of a command, but those of nothing but signs (``.``, ``/``, ``*``): they mean wherever one is."""
    return (word for word in part.words if any(map(str.isalnum, word)))


# -- the search


class _Search(Struct):
    """What was found so far; each file is followed once."""

    tree: _Tree
    taken: set[str] = field(default_factory=set)
    _followed: set[str] = field(default_factory=set)

    def take(self, told: Iterable[Part], bases: _Bases, *, any_file: bool) -> list[tuple[str, _Bases]]:
        """Take the files that words name (with ``any_file`` also those that are only named).

        Returns:
            Those to be followed, each with the directories that names in it may be meant from.
        """
        found = {}
        for part in told:
            for place in self._places(part, bases):
                if place.file is None or any_file or part.runs or self.tree.mode(place.file) == _EXECUTABLE:
                    self.taken.update(place.way)
                    if place.file:
                        found[place.file] = bases | _around(*place.way, place.file)
        self.taken.update(found)
        return [*found.items()]

    def take_directories(self, told: Iterable[Part], bases: _Bases) -> None:
        """Take all below the directories that words name."""
        places = (place for part in told for place in self._places(part, bases))
        for directory in {place.directory for place in places if place.directory}:
            self.taken.update(self.tree.below(directory))

    def follow(self, path: str, known: _Bases) -> list[tuple[str, _Bases]]:
        """Take what the file at ``path`` calls."""
        if path in self._followed:
            return []
        self._followed.add(path)
        content = self.tree.content(path)
        if b"\0" in content or len(content) > LARGEST:
            return []
        told = [*parts([content.decode(errors="surrogateescape")])]
        bases = _bases(self.tree, known, told)
        self.take_directories((part for part in told if part.applies), bases)
        return self.take(told, bases, any_file=False)

    def attributes(self) -> set[str]:
        """The files that say how a checkout writes what was taken (gitattributes(5))."""
        directories = {"", *_around(*self.taken)} if self.taken else set()
        return {_join(directory, ".gitattributes") for directory in directories} & self.tree.blobs.keys()

    def _places(self, part: Part, bases: _Bases) -> Iterator[_Place]:
        return (place for word in _meaningful(part) for place in self.tree.places(bases, word))
