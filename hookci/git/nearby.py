"""Where a repository's git directory is, found without starting git: for what is looked at before every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["common_directory"]


def common_directory(directory: Path, env: Mapping[str, str]) -> Path | None:
    """The git directory, shared by all work trees, around ``directory``; None where it takes git to know.

    Source: gitrepository-layout(5), "gitfile" and "commondir".
    """
    named = env.get("GIT_DIR")
    around = (place / ".git" for place in (directory, *directory.parents))
    found = directory / named if named else next((place for place in around if place.exists()), None)
    if found is None:
        return None
    try:
        if found.is_file():
            found = found.parent / found.read_text(errors="surrogateescape").removeprefix("gitdir:").strip()
        common = found / "commondir"
        return found / common.read_text(errors="surrogateescape").strip() if common.is_file() else found
    except OSError:
        return None
