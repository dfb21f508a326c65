"""Artifacts: files that a job of a run hands to the jobs after it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from msgspec import Struct, to_builtins

from hookci.model.digests import sha256
from hookci.workspace.copy import copy_paths, expand, mentions, relocate, untracked
from hookci.workspace.sweep import remove

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from hookci.model.pipeline import Artifacts

__all__ = ["ArtifactStore", "BuiltImage", "Seen"]

_KEPT_RUNS = 10
_IMAGE = ".image"
"""What the name of the file about a job's image ends in; it stands beside the directory of the job's files."""


class BuiltImage(Struct, frozen=True):
    """An image that a job built: its id, the name of the engine it is on, and the tags it got."""

    id: str
    engine: str
    tags: tuple[str, ...] = ()


class Seen(Struct, frozen=True):
    """A workspace: where its ``files`` are, and the path that is its ``name`` for the job."""

    files: bytes
    name: bytes


class ArtifactStore(Struct, frozen=True):
    """The artifacts of one repository, by run and job, below ``directory``."""

    directory: Path
    env: Mapping[str, str]

    def begin(self, run: int) -> None:
        """Start ``run`` with none; numbers begin again when a clone is made anew at the same place."""
        remove(os.fsencode(self.directory / str(run)))

    def save(
        self,
        run: int,
        job: str,
        workspace: Seen,
        artifacts: Artifacts,
        *,
        tracked: Callable[[], Collection[str]] = tuple,
        variables: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Keep what ``artifacts`` names, and ``variables`` for the jobs that get it; the patterns that matched nothing.

        ``tracked`` lists what git knows of the workspace, for those that want the rest.
        """
        place = self.place(run, job)
        remove(os.fsencode(place))
        (place / "data").mkdir(parents=True, mode=0o700)
        paths: dict[bytes, None] = {}
        empty = []
        for pattern in artifacts.paths:
            found = expand(workspace.files, [pattern], artifacts.exclude, exact=artifacts.exact)
            paths.update(dict.fromkeys(found))
            if not found:
                empty.append(pattern)
        if artifacts.untracked:
            paths.update(dict.fromkeys(untracked(workspace.files, tracked(), artifacts.exclude, exact=artifacts.exact)))
        copy_paths(workspace.files, paths, os.fsencode(place / "data"), env=self.env)
        meta = {
            "origin": os.fsdecode(workspace.name),
            "paths": [os.fsdecode(path) for path in paths],
            "relocate": [os.fsdecode(path) for path in mentions(workspace.files, paths, workspace.name)],
            "variables": dict(variables or {}),
        }
        (place / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        return empty

    def variables(self, run: int, job: str) -> dict[str, str]:
        """The variables that ``job`` handed on in ``run``."""
        place = self.place(run, job) / "meta.json"
        if not place.exists():
            return {}
        found: dict[str, str] = json.loads(place.read_text(encoding="utf-8")).get("variables", {})
        return found

    def restore(self, run: int, job: str, workspace: bytes, *, moved: bool = True, name: bytes | None = None) -> bool:
        """Put the artifacts of ``job`` into ``workspace``; False when it has left none.

        With ``moved``, files that name the workspace they were made in name this one instead; both paths must be of
        one length then.  ``name`` is what the job
        calls the workspace, where that is not what we do.
        """
        place = self.place(run, job)
        if not (place / "meta.json").exists():
            return False
        meta = json.loads((place / "meta.json").read_text(encoding="utf-8"))
        copy_paths(os.fsencode(place / "data"), [os.fsencode(path) for path in meta["paths"]], workspace, env=self.env)
        if moved:
            members = [os.fsencode(path) for path in meta["relocate"]]
            relocate(workspace, members, os.fsencode(meta["origin"]), name or workspace)
        return True

    def has(self, run: int, job: str) -> bool:
        """Whether the artifacts of ``job`` in ``run`` are still there; then they stay for whoever asked."""
        return _touched(self.place(run, job) / "meta.json")

    def save_image(self, run: int, job: str, image: BuiltImage) -> None:
        """Keep which image ``job`` built; the image itself is the engine's to keep."""
        file = self._image_file(run, job)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        written = file.with_name(f"{file.name}.new")
        written.write_text(json.dumps(to_builtins(image)), encoding="utf-8")
        written.replace(file)

    def image(self, run: int, job: str) -> BuiltImage | None:
        """The image that ``job`` built in ``run``; None when it built none, or that is forgotten."""
        file = self._image_file(run, job)
        try:
            return _image(file.read_bytes()) if _touched(file) else None
        except FileNotFoundError:
            return None

    def images(self) -> set[str]:
        """The ids of all images that are not forgotten."""
        return {_image(file.read_bytes()).id for file in self.directory.glob(f"*/*{_IMAGE}")}

    def _image_file(self, run: int, job: str) -> Path:
        return self.place(run, job).with_suffix(_IMAGE)

    def prune(self, keep: Collection[int]) -> None:
        """Drop the artifacts of all but the last runs and those in ``keep``."""
        if not self.directory.is_dir():
            return
        runs = sorted((path for path in self.directory.iterdir() if path.name.isdigit()), key=lambda p: int(p.name))
        gone = [path for path in runs[:-_KEPT_RUNS] if int(path.name) not in keep]
        if gone:
            from hookci.workspace.trash import discard  # noqa: PLC0415 (few runs have any)

            for path in gone:
                discard(path, self.directory.parent / "trash")

    def place(self, run: int, job: str) -> Path:
        """The directory of what ``job`` left in ``run``."""
        return self.directory / str(run) / sha256(job.encode(errors="surrogateescape")).hexdigest()[:24]


def _touched(file: Path) -> bool:
    """Whether a file is there; it counts as used now, in the same step, and what is used is not cleared away."""
    try:
        os.utime(file)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _image(content: bytes) -> BuiltImage:
    known = json.loads(content)
    return BuiltImage(known["id"], known["engine"], tuple(known["tags"]))
