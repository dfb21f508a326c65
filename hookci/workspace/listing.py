"""What git has written into a checkout: the paths of its index, and how they differ from a tree's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

__all__ = ["GITLINK", "NOTHING", "Changes", "Listing", "changes_of", "listing_of", "parents"]

GITLINK = "160000"
_GONE = "000000"


class Listing(Struct, frozen=True):
    """The tracked paths of a checkout.

    ``modes`` has git's mode of each, ``links`` the commits of submodules, ``folders`` all directories above a path.
    """

    modes: Mapping[bytes, str]
    links: Mapping[bytes, str]
    folders: AbstractSet[bytes]

    def meets(self, path: bytes) -> bool:
        """Whether a tracked path is at ``path``, below it, or in its way."""
        return path in self.modes or path in self.folders or any(above in self.modes for above in parents([path]))


NOTHING = Listing({}, {}, frozenset())


class Changes(Struct, frozen=True):
    """Mode and object name that a tree has for each path which differs from the index; no mode for those it lacks."""

    entries: Mapping[bytes, tuple[str, str]]

    @property
    def of_attributes(self) -> bool:
        """Whether any file may look different now, which git does not see (gitattributes(5))."""
        return any(path.rpartition(b"/")[2] == b".gitattributes" for path in self.entries)

    @property
    def harmless(self) -> Listing | None:
        """What a tree has at these paths, when git can be left to write just that; else None."""
        modes = {path: mode for path, (mode, _oid) in self.entries.items()}
        return None if self.of_attributes or GITLINK in modes.values() else Listing(modes, {}, parents(modes))

    def without_lost_links(self, listing: Listing) -> Listing:
        """``listing`` without submodules that are no more: git leaves their files, with a warning."""
        lost = {path for path, (mode, _oid) in self.entries.items() if mode != GITLINK} & listing.links.keys()
        if not lost:
            return listing
        return _listing(
            (path, mode, listing.links.get(path, "")) for path, mode in listing.modes.items() if path not in lost
        )

    def applied(self, listing: Listing) -> Listing:
        """What ``listing`` is once the index holds the tree."""
        if not self.entries:
            return listing
        found = {path: (mode, listing.links.get(path, "")) for path, mode in listing.modes.items()}
        found.update(self.entries)
        return _listing((path, mode, oid) for path, (mode, oid) in found.items() if mode != _GONE)


def listing_of(git: Callable[..., bytes]) -> Listing:
    """All that is in the index; ``git`` runs git in the checkout."""
    return _listing(
        (path, head[:6].decode("ascii"), head[7:].partition(b" ")[0].decode("ascii"))
        for head, _, path in (line.partition(b"\t") for line in git("ls-files", "-z", "--stage").split(b"\0") if line)
    )


def changes_of(git: Callable[..., bytes], tree: str) -> Changes:
    """The paths that differ between ``tree`` and the index."""
    fields = git("diff-index", "-R", "--cached", "--raw", "-z", "--ignore-submodules=none", tree).split(b"\0")
    found = {}
    for head, path in zip(fields[::2], fields[1::2], strict=False):
        _before, mode, _old, oid, _status = head.decode("ascii").split(" ")
        found[path] = (mode, oid)
    return Changes(found)


def _listing(rows: Iterable[tuple[bytes, str, str]]) -> Listing:
    modes, links = {}, {}
    for path, mode, oid in rows:
        modes[path] = mode
        if mode == GITLINK:
            links[path] = oid
    return Listing(modes, links, parents(modes))


def parents(paths: Iterable[bytes]) -> set[bytes]:
    """The directories above ``paths``, but for the root."""
    found: set[bytes] = set()
    for path in paths:
        parent = path.rpartition(b"/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition(b"/")[0]
    return found
