"""Clearing away: what is in use stays, what resists is told, nothing outside is touched."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from kept import Cupboard, aged, picture

from hookci.errors import StateError
from hookci.housekeeping.mounts import is_mounted
from hookci.housekeeping.things import InUse
from hookci.housekeeping.tidy import tidy, would_tidy
from hookci.model.housekeeping import Bounds, Kind, Tidied
from hookci.store.locks import FileLock
from hookci.workspace.artifacts import ArtifactStore
from hookci.workspace.trash import set_aside

if TYPE_CHECKING:
    from pathlib import Path

A_MONTH = Bounds(size=1 << 40, age=30 * 86400.0)
NOTHING = Bounds(size=0, age=30 * 86400.0)


@pytest.fixture
def cupboard(tmp_path: Path) -> Cupboard:
    return Cupboard.at(tmp_path / "kept")


def clean(cupboard: Cupboard, bounds: Bounds = A_MONTH, in_use: InUse | None = None) -> Tidied:
    return tidy(cupboard.house, in_use or InUse(), bounds, time.time())


def counts(tidied: Tidied) -> dict[Kind, int]:
    return {each.kind: each.count for each in tidied.removed}


def test_what_was_not_used_for_a_month_goes_of_every_kind(cupboard: Cupboard) -> None:
    cupboard.object("ab" + "0" * 38, days=31)
    cupboard.logs(7, days=31)
    (cupboard.house.place / "index-123").touch()
    aged(cupboard.house.place / "index-123", 31)
    old = [cupboard.workspace(0, days=31), cupboard.cache("old", days=31), cupboard.artifacts(7, days=31)]
    new = [cupboard.workspace(1, days=29), cupboard.cache("new", days=29), cupboard.artifacts(8, days=29)]
    before = picture(*new)

    tidied = clean(cupboard)

    assert counts(tidied) == {
        Kind.WORKSPACE: 1,
        Kind.CACHE: 1,
        Kind.ARTIFACTS: 1,
        Kind.LOGS: 1,
        Kind.OBJECTS: 1,
        Kind.LEFTOVER: 1,
    }
    assert tidied.problems == ()
    assert picture(*new) == before
    # whoever waits for a lock may have it open
    assert [sorted(path.name for path in one.glob("*")) for one in old] == [["lock"], ["lock"], []]
    assert list((cupboard.house.place / "trash").iterdir()) == []


def test_of_too_much_the_least_recently_used_goes_until_it_is_enough(cupboard: Cupboard) -> None:
    cupboard.cache("a", days=9)
    cupboard.cache("b", days=5)
    cupboard.cache("c", days=2)

    tidied = clean(cupboard, Bounds(size=5 << 19, age=1e9))

    left = [path.parent.name for path in (cupboard.house.place / "caches").glob("*/meta.json")]
    assert sorted(left) == ["b", "c"]
    assert tidied.used <= 5 << 19


def test_a_dry_run_says_the_same_and_changes_nothing(cupboard: Cupboard) -> None:
    cupboard.workspace(0, days=31)
    cupboard.artifacts(3, days=5)
    before = picture(cupboard.house.place, cupboard.house.state)

    told = would_tidy(cupboard.house, InUse(), NOTHING, time.time())

    assert picture(cupboard.house.place, cupboard.house.state) == before
    assert clean(cupboard, NOTHING) == told


@pytest.mark.parametrize("what", ["workspace", "cache"])
def test_what_somebody_holds_the_lock_of_stays(cupboard: Cupboard, what: str) -> None:
    used = cupboard.workspace(0, days=31) if what == "workspace" else cupboard.cache("used", days=31)
    before = picture(used)

    with FileLock(used / "lock"):
        tidied = clean(cupboard, NOTHING)

    assert picture(used) == before
    assert tidied.removed == ()


def test_artifacts_and_logs_of_runs_that_go_on_stay(cupboard: Cupboard) -> None:
    kept = [cupboard.artifacts(3, days=31), cupboard.logs(3, days=31), cupboard.logs(2, days=31)]
    before = picture(*kept)

    clean(cupboard, NOTHING, InUse(running=frozenset({3}), shown=frozenset({2})))

    assert picture(*kept) == before


def test_artifacts_that_were_looked_for_since_a_run_began_stay_for_it(cupboard: Cupboard) -> None:
    artifacts = cupboard.artifacts(3, days=0.2)

    clean(cupboard, NOTHING, InUse(since=time.time() - 86400))
    assert artifacts.exists()

    clean(cupboard, NOTHING)
    assert not artifacts.exists()


def test_to_look_for_artifacts_is_to_use_them(cupboard: Cupboard) -> None:
    store = ArtifactStore(cupboard.house.place / "artifacts", {})
    place = store.place(3, "make")
    place.mkdir(parents=True, mode=0o700)
    (place / "meta.json").write_text("{}")
    aged(place.parent, 31)

    assert store.has(3, "make")

    assert clean(cupboard, NOTHING).removed == ()
    assert not store.has(4, "make")


def test_the_trash_of_one_that_was_killed_is_emptied(cupboard: Cupboard) -> None:
    aside = set_aside(cupboard.artifacts(3, days=0), cupboard.house.place / "trash")
    assert aside is not None

    clean(cupboard)

    assert not aside.exists()


def test_what_jobs_closed_or_wrote_protected_is_removed(cupboard: Cupboard) -> None:
    slot = cupboard.workspace(0, days=0)
    closed = slot / "project" / "closed" / "in"
    closed.mkdir(parents=True)
    (closed / "file").write_text("x")
    (closed / "file").chmod(0)
    for folder in (closed, closed.parent, slot / "project"):
        folder.chmod(0)
    artifacts = cupboard.artifacts(3, days=0)
    (artifacts / "job" / "data").chmod(0o500)
    aged(slot, 31)
    aged(artifacts, 31)

    tidied = clean(cupboard)

    assert tidied.problems == ()
    assert counts(tidied) == {Kind.WORKSPACE: 1, Kind.ARTIFACTS: 1}
    assert list((cupboard.house.place / "trash").iterdir()) == []


@pytest.mark.parametrize(
    "where", ["00/project", "caches/k/0123", "artifacts/3", "artifacts", "caches", "01", "objects"]
)
def test_links_are_never_followed(cupboard: Cupboard, tmp_path: Path, where: str) -> None:
    outside = tmp_path / "outside"
    for inside in ("file", "3/job/meta.json", "meta.json", "jobs.json", "ab/" + "0" * 38):
        (outside / inside).parent.mkdir(parents=True, exist_ok=True)
        (outside / inside).write_text("theirs")
    aged(outside, 99)
    link = cupboard.house.place / where
    link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    link.symlink_to(outside)
    aged(cupboard.house.place, 99)
    before = picture(outside)

    clean(cupboard, Bounds(size=0, age=0))

    assert picture(outside) == before


def test_a_file_of_two_names_counts_once(cupboard: Cupboard) -> None:
    first = cupboard.cache("a", days=1) / "0123"
    (first / "second").hardlink_to(first / "file")

    tidied = clean(cupboard)

    assert 1 << 20 <= tidied.used < 3 << 19


def test_two_do_not_clean_up_at_once(cupboard: Cupboard) -> None:
    with (
        FileLock(cupboard.house.state / "housekeeping.lock"),
        pytest.raises(StateError, match="is being cleaned up by another process"),
    ):
        clean(cupboard)


def test_a_directory_that_others_can_write_to_is_told_and_the_rest_goes(cupboard: Cupboard) -> None:
    open_slot, other = cupboard.workspace(0, days=31), cupboard.workspace(1, days=31)
    open_slot.chmod(0o777)

    tidied = clean(cupboard)

    assert len(tidied.problems) == 1
    assert "can be written by other users" in tidied.problems[0]
    assert not (other / "project").exists()


def test_what_is_mounted_is_found_whatever_its_name(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    place = tmp_path / "with space" / "00"
    escaped = os.fsencode(place / "project").replace(b" ", rb"\040")
    mounts.write_bytes(b"36 35 98:0 / " + escaped + b" rw - ext3 /dev/root rw\n")

    assert is_mounted([place], mounts=mounts)
    assert not is_mounted([tmp_path / "with space" / "0"], mounts=mounts)
