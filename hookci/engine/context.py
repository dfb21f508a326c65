"""What an engine builds an image from: a directory as an archive, without what its ignore file names.

Source: docs.docker.com, "Build context" and "Dockerfile reference" (.dockerignore).
"""

from __future__ import annotations

import tarfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import HookciError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.model.container import Build

__all__ = ["Context", "packed", "recipe_of"]

_IGNORE = ".dockerignore"


class Context(Struct, frozen=True):
    """A packed context: a file, and the path of the recipe in it."""

    file: Path
    dockerfile: str


def recipe_of(workspace: Path, build: Build) -> Path | None:
    """The recipe of a build in ``workspace``; None when it is not there.

    Raises:
        HookciError: context or recipe lead out of the workspace.
    """
    context = _inside(workspace, workspace / build.context, "context")
    recipe = _inside(context, context / build.dockerfile, "dockerfile")
    return recipe if recipe.is_file() else None


def _inside(top: Path, place: Path, what: str) -> Path:
    """``place`` without links; what a link of the snapshot leads to elsewhere is nothing that was sent."""
    found = place.resolve()
    if not found.is_relative_to(top.resolve()):
        raise HookciError(f"build.{what} leads out of the workspace: {place}")
    return found


@contextmanager
def packed(workspace: Path, build: Build, directory: Path) -> Iterator[Context]:
    """The context of a build, in a file in ``directory`` that is gone afterwards.

    The repository's own ``.git`` is left out: it is another one in every workspace, so no layer that copies it would
    ever be found again.

    Raises:
        HookciError: it cannot be read, or leads out of the workspace.
    """
    from docker.utils.build import exclude_paths  # noqa: PLC0415 (loaded with the engine)

    top = _inside(workspace, workspace / build.context, "context")
    dockerfile = Path(build.dockerfile).as_posix()
    file = directory / "context.tar"
    try:
        paths = exclude_paths(str(top), _patterns(top, dockerfile), dockerfile=dockerfile)
        # some docker commands look at the first 512 bytes to see an archive: no extended header comes first
        with tarfile.open(file, "w", format=tarfile.GNU_FORMAT) as archive:
            for path in sorted(paths, key=lambda path: (path != dockerfile, path)):
                archive.add(top / path, path, recursive=False, filter=_nobodys)
        yield Context(file, dockerfile)
    except OSError as error:
        what = f"{error.strerror}: {error.filename}" if error.strerror else str(error)
        raise HookciError(f"build.context cannot be packed: {what}") from error
    finally:
        file.unlink(missing_ok=True)


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _patterns(top: Path, dockerfile: str) -> list[str]:
    """The lines of the ignore file, that of the recipe itself before the general one."""
    files = (top / f"{dockerfile}{_IGNORE}", top / _IGNORE)
    text = next((file.read_text(encoding="utf-8", errors="surrogateescape") for file in files if file.is_file()), "")
    lines = (line.strip() for line in text.splitlines())
    return [*(line for line in lines if line and not line.startswith("#")), ".git"]
