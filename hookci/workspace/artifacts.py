"""Artifacts: files that a job of a run hands to the jobs after it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookci.workspace.copy import copy_paths, expand, mentions, relocate
from hookci.workspace.sweep import remove

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from hookci.model.pipeline import Artifacts

__all__ = ["ArtifactStore"]

_KEPT_RUNS = 10


@dataclass(frozen=True, slots=True)
class ArtifactStore:
    """The artifacts of one repository, by run and job, below ``directory``."""

    directory: Path
    env: Mapping[str, str]

    def begin(self, run: int) -> None:
        """Start ``run`` with none; numbers begin again when a clone is made anew at the same place."""
        remove(os.fsencode(self.directory / str(run)))

    def save(self, run: int, job: str, workspace: bytes, artifacts: Artifacts) -> list[str]:
        """Keep what ``artifacts`` names; returns the patterns that matched nothing."""
        place = self.place(run, job)
        remove(os.fsencode(place))
        (place / "data").mkdir(parents=True, mode=0o700)
        paths: dict[bytes, None] = {}
        empty = []
        for pattern in artifacts.paths:
            found = expand(workspace, [pattern], artifacts.exclude)
            paths.update(dict.fromkeys(found))
            if not found:
                empty.append(pattern)
        copy_paths(workspace, paths, os.fsencode(place / "data"), env=self.env)
        meta = {
            "origin": os.fsdecode(workspace),
            "paths": [os.fsdecode(path) for path in paths],
            "relocate": [os.fsdecode(path) for path in mentions(workspace, paths, workspace)],
        }
        (place / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        return empty

    def restore(self, run: int, job: str, workspace: bytes, *, moved: bool = True) -> bool:
        """Put the artifacts of ``job`` into ``workspace``; False when it has left none.

        With ``moved``, files that name the workspace they were made in name this one instead; both paths must be of
        one length then.
        """
        place = self.place(run, job)
        if not (place / "meta.json").exists():
            return False
        meta = json.loads((place / "meta.json").read_text(encoding="utf-8"))
        copy_paths(os.fsencode(place / "data"), [os.fsencode(path) for path in meta["paths"]], workspace, env=self.env)
        if moved:
            members = [os.fsencode(path) for path in meta["relocate"]]
            relocate(workspace, members, os.fsencode(meta["origin"]), workspace)
        return True

    def has(self, run: int, job: str) -> bool:
        """Whether the artifacts of ``job`` in ``run`` are still there."""
        return (self.place(run, job) / "meta.json").exists()

    def prune(self, keep: Collection[int]) -> None:
        """Drop the artifacts of all but the last runs and those in ``keep``."""
        if self.directory.is_dir():
            runs = sorted((path for path in self.directory.iterdir() if path.name.isdigit()), key=lambda p: int(p.name))
            for path in runs[:-_KEPT_RUNS]:
                if int(path.name) not in keep:
                    remove(os.fsencode(path))

    def place(self, run: int, job: str) -> Path:
        """The directory of what ``job`` left in ``run``."""
        return self.directory / str(run) / hashlib.sha256(job.encode(errors="surrogateescape")).hexdigest()[:24]
