"""What is kept of releases: for each attempt a workspace and the artifacts it deploys, while they may be needed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.store.private import private_directory
from hookci.workspace.artifacts import ArtifactStore
from hookci.workspace.checkout import Checkout
from hookci.workspace.sweep import remove

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["Attempt", "Kept"]

_RUN = 1
"""The run under which an attempt's own store of artifacts has them."""
_NUMBER = "release"
_JOBS = "jobs.json"


class Attempt(Struct, frozen=True):
    """The place of one attempt; ``name`` is the project's, which its workspace has too."""

    directory: Path
    name: str
    env: Mapping[str, str]

    @property
    def workspace(self) -> Path:
        """The checkout that is deployed."""
        return self.directory / self.name

    @property
    def script(self) -> Path:
        """The file that its commands are run from: a process that has it on its command line is its script."""
        return self.directory / "script.sh"

    @property
    def checkout(self) -> Checkout:
        """The same, to be filled."""
        return Checkout(self.workspace, self.directory / "git")

    @property
    def artifacts(self) -> ArtifactStore:
        """Copies of the artifacts that are deployed."""
        return ArtifactStore(self.directory / "artifacts", self.env)

    def take(self, store: ArtifactStore, run: int, job: str) -> bool:
        """Copy the artifacts of ``job``, and which image it built; False when they are gone."""
        image = store.image(run, job)
        if image is not None:
            self.artifacts.save_image(_RUN, job, image)
        if store.has(run, job):
            place = self.artifacts.place(_RUN, job)
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copytree(store.place(run, job), place, symlinks=True)
        elif image is None:
            return False
        (self.directory / _JOBS).write_text(json.dumps([*self.jobs, job]), encoding="ascii")
        return True

    def take_from(self, other: Attempt, job: str) -> bool:
        """The same, of an earlier attempt."""
        return self.take(other.artifacts, _RUN, job)

    def give(self, store: ArtifactStore, run: int) -> None:
        """Copy all of it into ``store``, as if the jobs had left it in ``run``."""
        for job in self.jobs:
            image = self.artifacts.image(_RUN, job)
            if image is not None:
                store.save_image(run, job, image)
            if self.artifacts.has(_RUN, job):
                place = store.place(run, job)
                place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                shutil.copytree(self.artifacts.place(_RUN, job), place, symlinks=True)

    @property
    def jobs(self) -> list[str]:
        """The jobs whose artifacts were taken and are there, in their order."""
        try:
            names = json.loads((self.directory / _JOBS).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return []
        return [name for name in names if self.artifacts.has(_RUN, name) or self.artifacts.image(_RUN, name)]

    @property
    def images(self) -> dict[str, str]:
        """The ids of the images that are deployed, by the job that built each."""
        found = {job: self.artifacts.image(_RUN, job) for job in self.jobs}
        return {job: image.id for job, image in found.items() if image is not None}

    def unpack(self) -> str:
        """Put the artifacts into the workspace; their digest (empty without any)."""
        for job in self.jobs:
            # byte for byte: what is deployed is what was tested
            self.artifacts.restore(_RUN, job, os.fsencode(self.workspace), moved=False)
        return self.digest()

    def digest(self) -> str:
        """A SHA-256 over path, mode and content of all artifacts, and the ids of images, in hex; empty without any."""
        jobs = self.jobs
        if not jobs:
            return ""
        total = hashlib.sha256()
        for job in sorted(jobs):
            data = self.artifacts.place(_RUN, job) / "data"
            for path in _files(data):
                total.update(_row(data, path))
        for job, image in sorted(self.images.items()):
            total.update(_parts(b"image", job.encode(errors="surrogateescape"), image.encode()))
        return total.hexdigest()

    def mark(self, number: int) -> None:
        """Write down that it has become a release."""
        (self.directory / _NUMBER).write_text(str(number), encoding="ascii")


def _files(directory: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(directory):
        folders.sort()
        yield from (Path(folder, name) for name in sorted([*files, *folders]))


def _row(top: Path, path: Path) -> bytes:
    mode = path.lstat().st_mode
    content = os.fsencode(path.readlink()) if stat.S_ISLNK(mode) else path.read_bytes() if stat.S_ISREG(mode) else b""
    executable = b"x" if stat.S_ISREG(mode) and mode & stat.S_IXUSR else b"-"
    return _parts(os.fsencode(path.relative_to(top)), str(stat.S_IFMT(mode)).encode(), executable, content)


def _parts(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


class Kept(Struct, frozen=True):
    """The attempts of one environment, below ``directory``."""

    directory: Path
    name: str
    env: Mapping[str, str]

    def begin(self, deployment: int) -> Attempt:
        """A new, empty place."""
        place = self.directory / str(deployment)
        remove(os.fsencode(place))
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        private_directory(place)
        return self.attempt(deployment)

    def attempt(self, deployment: int) -> Attempt:
        """The place of an attempt, there or not."""
        return Attempt(self.directory / str(deployment), self.name, self.env)

    def release(self, number: int) -> Attempt | None:
        """What is kept of a release, the newest if it was deployed more than once; None when it is gone."""
        return next((attempt for attempt, found in reversed(self._marked()) if found == number), None)

    def prune(self, keep: Collection[int]) -> None:
        """Drop all that belongs to no release in ``keep``."""
        kept = {attempt.directory for attempt, number in self._marked() if number in keep}
        for place in self._places():
            if place not in kept:
                remove(os.fsencode(place))

    def _places(self) -> list[Path]:
        places = self.directory.iterdir() if self.directory.is_dir() else ()
        return sorted(places, key=lambda place: place.stat().st_mtime_ns)

    def _marked(self) -> list[tuple[Attempt, int]]:
        found = []
        for place in self._places():
            try:
                number = int((place / _NUMBER).read_text(encoding="ascii"))
            except (OSError, ValueError):
                continue
            found.append((Attempt(place, self.name, self.env), number))
        return found
