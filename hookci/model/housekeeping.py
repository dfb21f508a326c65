"""What hookci keeps on disk, how much of it, and what of it has to go."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["Bounds", "Kind", "Removed", "Tidied"]


class Kind(StrEnum):
    """What is kept, in the words that people read; each is counted."""

    WORKSPACE = "workspace"
    CACHE = "cache"
    ARTIFACTS = "artifacts of a run"
    LOGS = "logs of a run"
    OBJECTS = "git objects"
    LEFTOVER = "leftover"
    REPOSITORY = "repository that is gone"

    def counted(self, count: int) -> str:
        """``count`` of them, in words."""
        if count == 1:
            return self if self in _UNCOUNTED else f"1 {self}"
        return f"{count} {_MANY[self]}"


_UNCOUNTED = (Kind.ARTIFACTS, Kind.LOGS)
_MANY = {
    Kind.WORKSPACE: "workspaces",
    Kind.CACHE: "caches",
    Kind.ARTIFACTS: "runs' artifacts",
    Kind.LOGS: "runs' logs",
    Kind.OBJECTS: "git objects",
    Kind.LEFTOVER: "leftovers",
    Kind.REPOSITORY: "repositories that are gone",
}


class Bounds(Struct, frozen=True, kw_only=True):
    """How much of one repository is kept, in bytes, and for how many seconds after it was used last."""

    size: int
    age: float


class Removed(Struct, frozen=True, kw_only=True):
    """How many of a kind went, and their bytes."""

    kind: Kind
    count: int
    size: int


class Tidied(Struct, frozen=True, kw_only=True):
    """What was cleared away of one repository.

    ``place`` is its directory of workspaces and caches, ``used`` the bytes that it takes now, together with its logs.
    ``problems`` say in words what could not be removed, or looked at.
    """

    place: str
    removed: tuple[Removed, ...] = ()
    used: int = 0
    problems: tuple[str, ...] = ()
