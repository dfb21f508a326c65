"""What a repository keeps, made by hand: as old and as large as a test wants it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.housekeeping.things import House

if TYPE_CHECKING:
    from conftest import Repo

__all__ = ["DAY", "KEEP", "Cupboard", "aged", "house_of", "picture"]

DAY = 86400.0
MIB = 1 << 20
KEEP = """
[jobs.make]
stage = "build"
script = ["mkdir -p out made; echo a > out/a; head -c 3000000 /dev/zero > made/big"]
artifacts = ["out"]
cache = [{ key = "k", paths = ["made"] }]
[jobs.use]
script = ["cat out/a"]
"""


def house_of(repo: Repo) -> House:
    """Where everything of a repository is."""
    [place] = Path(repo.env["HOME"], ".cache", "hookci").glob(f"{repo.path.name}-*")
    return House(place=place, state=repo.path / ".git" / "hookci")


def aged(path: Path, days: float) -> Path:
    """Make it look as if it had not been touched for so many days, with all that is in it."""
    then = time.time() - days * DAY
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.utime(Path(folder, name), (then, then), follow_symlinks=False)
    os.utime(path, (then, then), follow_symlinks=False)
    return path


def picture(*directories: Path) -> dict[str, tuple[int, int, int]]:
    """Every path below, with what changes when somebody writes there."""
    found = {}
    for directory in directories:
        for folder, folders, files in os.walk(directory):
            for name in (".", *folders, *files):
                info = Path(folder, name).lstat()
                found[str(Path(folder, name))] = info.st_ino, info.st_size, info.st_mtime_ns
    return found


class Cupboard(Struct, frozen=True):
    """A house in a directory of its own."""

    house: House

    @classmethod
    def at(cls, directory: Path) -> Cupboard:
        """An empty one."""
        house = House(place=directory / "place", state=directory / "state")
        for path in (house.place, house.state):
            path.mkdir(mode=0o700, parents=True)
        return cls(house)

    def workspace(self, number: int, *, days: float, size: int = MIB) -> Path:
        """A kept checkout."""
        slot = self.house.place / f"{number:02d}"
        self._fill(slot / "project" / "file", size)
        self._fill(slot / "git" / "index", 100)
        (slot / "lock").touch(0o600)
        (slot / "jobs.json").write_text('["unit"]')
        return aged(slot, days)

    def cache(self, name: str, *, days: float, size: int = MIB) -> Path:
        """A stored cache."""
        entry = self.house.place / "caches" / name
        self._fill(entry / "0123" / "file", size)
        (entry / "meta.json").write_text('{"generation": "0123"}')
        (entry / "lock").touch(0o600)
        return aged(entry, days)

    def artifacts(self, run: int, *, days: float, size: int = MIB) -> Path:
        """What a job of a run has left."""
        place = self.house.place / "artifacts" / str(run)
        self._fill(place / "job" / "data" / "file", size)
        (place / "job" / "meta.json").write_text("{}")
        return aged(place, days)

    def logs(self, run: int, *, days: float, size: int = MIB) -> Path:
        """The logs of a run."""
        place = self.house.state / "logs" / str(run)
        self._fill(place / "unit.log", size)
        return aged(place, days)

    def object(self, name: str, *, days: float) -> Path:
        """A git object of hookci's own."""
        path = self.house.place / "objects" / name[:2] / name[2:]
        self._fill(path, 1000)
        return aged(path, days)

    def _fill(self, path: Path, size: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(os.urandom(size))
