"""Caches that are stored by their key alone, as on GitLab: what is there, for whom, and what stays in place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hookci.workspace.cache import UNTRACKED, CachePlace, CacheStore

if TYPE_CHECKING:
    from pathlib import Path


class Bench:
    """A store, and one workspace."""

    def __init__(self, top: Path) -> None:
        self.store = CacheStore(top / "caches", {"PATH": os.environ["PATH"]})
        self.slot, self.work = top / "slot", top / "work"
        self.slot.mkdir()
        self.work.mkdir()

    def save(self, *patterns: str, key: str = "k") -> int:
        """How many caches were stored anew."""
        return len(self.store.save(self.slot, bytes(self.work), bytes(self.work), places(*patterns, key=key)))

    def in_place(self, *patterns: str) -> set[bytes]:
        return self.store.in_place(self.slot, bytes(self.work), places(*patterns))

    def write(self, path: str, text: str = "x") -> None:
        place = self.work / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def places(*patterns: str, key: str = "k", fallbacks: tuple[str, ...] = ()) -> list[CachePlace]:
    return [CachePlace(key, pattern, fallbacks, patterns) for pattern in patterns]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_what_is_stored_with_other_paths_is_not_what_a_job_has_stored(bench: Bench) -> None:
    bench.write("c/x")
    bench.write("d/y")
    bench.save("c")
    assert all(map(bench.store.has, places("c")))

    bench.save("d")

    assert not any(map(bench.store.has, places("c")))
    assert all(map(bench.store.has, places("d")))


def test_all_of_a_cache_is_in_place_for_any_paths_until_something_of_it_changes(bench: Bench) -> None:
    bench.write("c/x")
    bench.write("d/y")
    bench.save("c", "d", UNTRACKED)

    assert bench.in_place("e") == bench.in_place("c", "d") == {b"c", b"d"}
    bench.write("d/y", "other")
    assert bench.in_place("e") == set()


def test_a_cache_of_which_nothing_has_changed_is_not_stored_again(bench: Bench) -> None:
    bench.write("c/x")
    bench.write("d/y")

    assert [bench.save("c", "d"), bench.save("c", "d"), bench.save("d"), bench.save("c/**/*")] == [1, 0, 0, 0]
    bench.write("d/y", "other")
    assert [bench.save("c"), bench.save("d")] == [0, 1]


def test_what_an_older_version_has_stored_is_left_alone(bench: Bench) -> None:
    bench.write("c/x")
    bench.store.save(bench.slot, bytes(bench.work), bytes(bench.work), [CachePlace("k", "c")])

    assert not any(map(bench.store.has, places("c")))
    assert bench.in_place("c") == set()
    assert bench.save("c") == 1
    assert bench.store.has(CachePlace("k", "c"))
