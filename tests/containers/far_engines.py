"""An engine that sees none of the tests' files, as if it were another machine: it has its own mounts and networks."""

from __future__ import annotations

import os
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from container_tools import things
from docker import APIClient
from own_engine import OwnEngine
from wanted import needed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FarEngine", "far_engine"]

_HIDE = 'ip link set lo up && mount -t tmpfs none "$1" && shift && exec "$@"'


class FarEngine(OwnEngine):
    """A ``dockerd`` for which ``hidden`` is an empty directory."""

    def __init__(self, place: Path, hidden: Path, small: int | None = None) -> None:
        super().__init__(place, small)
        self._hidden = hidden

    def apart(self) -> list[str]:
        """The command before its options; with a bridge, for services."""
        alone = [needed("unshare"), "--net", "--mount", "--propagation", "private"]
        return [*alone, "sh", "-c", _HIDE, "sh", str(self._hidden), needed("dockerd"), "--iptables=false"]

    def left(self) -> list[str]:
        """What hookci made there that should not outlive its run, in words."""
        with closing(APIClient(self.url, version="1.41")) as api:
            found = [thing for thing in things(api) if "io.hookci.repository" in thing.labels]
        return [f"{thing.kind} {thing.name} {thing.labels}" for thing in found if "io.hookci.kept" not in thing.labels]

    def has_more_than(self, count: int) -> bool:
        """Whether there is more of it than that."""
        return len(self.left()) > count

    def written(self) -> Iterator[Path]:
        """All files in its volumes."""
        return (path for place in self.volumes().values() for path in place.rglob("*") if path.is_file())

    def volumes(self) -> dict[str, Path]:
        """Where the files of each volume are, which only the test itself can look at from outside."""
        return {path.name: path / "_data" for path in (self.place / "data" / "volumes").iterdir() if path.is_dir()}

    def copies(self) -> list[Path]:
        """The trees of the copies of workspaces that are kept there."""
        trees = (place / "tree" for _name, place in sorted(self.volumes().items()))
        return [tree for tree in trees if tree.is_dir()]


@contextmanager
def far_engine(hidden: Path, *images: str, small: int | None = None) -> Iterator[FarEngine]:
    """An engine with some images, and a disk of ``small`` mebibytes; only root can start one."""
    if os.geteuid() != 0:
        tell = pytest.fail if os.environ.get("TEST_HOOKCI_COMPLETE") == "1" else pytest.skip
        tell("only root can start an engine")
    engine = FarEngine(Path(tempfile.mkdtemp(prefix="hookci-far-", dir="/tmp")), hidden, small)
    try:
        engine.start()
        for image in images:
            engine.give(image)
        yield engine
    finally:
        engine.close()
