"""A kill -9 at any moment leaves nothing half there, and the next time ends what was begun."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from conftest import stress
from kept import Cupboard, aged

from hookci.housekeeping.things import InUse
from hookci.housekeeping.tidy import tidy
from hookci.model.housekeeping import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLEAN = """
import sys, time
from hookci.housekeeping.things import House, InUse
from hookci.housekeeping.tidy import tidy
from hookci.model.housekeeping import Bounds
print("ready", flush=True)
house = House(place=Path(sys.argv[1]) / "place", state=Path(sys.argv[1]) / "state")
tidy(house, InUse(), Bounds(size=0, age=86400.0), time.time())
"""
FILES = 40


def fill(cupboard: Cupboard) -> None:
    for number in range(4):
        slot = cupboard.workspace(number, days=31, size=10)
        entry = cupboard.cache(f"{number}", days=31, size=10)
        artifacts = cupboard.artifacts(number, days=31, size=10)
        for place in (slot / "project", entry / "0123", artifacts / "job" / "data"):
            for file in range(FILES):
                (place / f"{file}").touch()
        for thing in (slot, entry, artifacts):
            aged(thing, 31)


def halves(cupboard: Cupboard) -> Iterator[Path]:
    """What claims to be there, and is not whole."""
    for meta in [
        *cupboard.house.place.glob("caches/*/meta.json"),
        *cupboard.house.place.glob("artifacts/*/job/meta.json"),
    ]:
        if "caches" in meta.parts:
            data = meta.parent / str(json.loads(meta.read_text())["generation"])
        else:
            data = meta.parent / "data"
        if len(list(data.glob("[0-9]*"))) < FILES:
            yield meta


def test_a_kill_at_any_moment_leaves_all_or_nothing_of_a_thing(tmp_path: Path) -> None:
    cupboard = Cupboard.at(tmp_path / "kept")
    for _ in range(stress(4)):
        fill(cupboard)
        argv = [sys.executable, "-c", CLEAN, str(tmp_path / "kept")]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, env=dict(os.environ)) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(random.uniform(0, 0.03))
            process.send_signal(signal.SIGKILL)

        assert list(halves(cupboard)) == []

    tidied = tidy(cupboard.house, InUse(), Bounds(size=0, age=0), time.time())
    left = [path for path in cupboard.house.place.rglob("*") if path.is_file() and path.name != "lock"]
    assert (left, tidied.problems) == ([], ())
