"""What the containers of one run share: the engine, whose they are, and what this clone allows them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.engine.containers import Bind
    from hookci.engine.desk import EngineDesk
    from hookci.engine.owner import Owner

__all__ = ["Allowed", "Rooms"]


class Allowed(Struct, frozen=True, kw_only=True):
    """What the settings of this clone allow: globs of image names, and mounts that every job's container gets."""

    privileged: Sequence[str] = ()
    socket: Sequence[str] = ()
    mounts: Sequence[Bind] = ()

    def is_privileged(self, image: str) -> bool:
        """Whether a container of ``image`` may do all that the engine's machine can."""
        return any(fnmatchcase(image, pattern) for pattern in self.privileged)

    def has_socket(self, image: str) -> bool:
        """Whether a container of ``image`` gets the engine's socket."""
        return any(fnmatchcase(image, pattern) for pattern in self.socket)


class Rooms(Struct, frozen=True, kw_only=True):
    """The engine, when it is asked for, whose containers they are, and what they may."""

    desk: EngineDesk
    owner: Owner
    allowed: Allowed
