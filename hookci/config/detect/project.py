"""Read access to the files of one work tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Project", "Which"]

Which = Callable[[str], str | None]
"""The path of an installed program, or None, as `shutil.which` says it."""

_MOST = 1_000_000


class Project(Struct, frozen=True):
    """The tracked files of a work tree at ``root``; ``files`` are POSIX paths relative to it."""

    root: Path
    files: frozenset[str]

    def read(self, path: str) -> str | None:
        """The text of a tracked file; None when it is not tracked, not there, or above a megabyte."""
        if path not in self.files:
            return None
        try:
            place = self.root / path
            return None if place.stat().st_size > _MOST else place.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def first(self, *names: str) -> str | None:
        """The first of ``names`` that is tracked."""
        return next((name for name in names if name in self.files), None)

    def directories(self) -> list[str]:
        """The names of the top directories, sorted."""
        return sorted({path.split("/", 1)[0] for path in self.files if "/" in path})

    def under(self, directory: str) -> Project:
        """The same, for one directory of it."""
        start = f"{directory}/"
        inside = frozenset(path.removeprefix(start) for path in self.files if path.startswith(start))
        return Project(self.root / directory, inside)
