from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import pytest

from benchmarks.figures import Bound, Found, Standing
from benchmarks.harness import Bench, BenchmarkError, Effort, Samples, Scene, act, measured, timed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, {"PATH": os.environ["PATH"]}, Effort(quick=False))


def scene(title: str, found: Mapping[str, Found] | Exception) -> Scene:
    def measure(_bench: Bench) -> Mapping[str, Found]:
        if isinstance(found, Exception):
            raise found
        return found

    return Scene(title, {"a": Bound(what=title, against="b", at_most=1.0)}, measure)


def test_a_round_does_everything_once_and_the_first_does_not_count(bench: Bench) -> None:
    ones, tens = itertools.count(1), itertools.count(10, 10)

    samples = bench.rounds([act("one", lambda: next(ones)), act("ten", lambda: next(tens))], 3)

    assert samples == Samples([{"one": 2, "ten": 20}, {"one": 3, "ten": 30}, {"one": 4, "ten": 40}])


def test_what_is_added_is_the_difference_within_each_round() -> None:
    samples = Samples([{"ours": 15.0, "none": 10.0}, {"ours": 27.0, "none": 20.0}])

    assert samples.beyond("ours", "none") == [5.0, 7.0]


def test_a_scene_that_fails_does_not_end_the_others(bench: Bench) -> None:
    scenes = [
        scene("first", BenchmarkError("git push in x ended in 1:\nmuch\nno such remote")),
        scene("second", KeyError("seconds")),
        scene("third", {"a": Found(ours=[1.0], theirs=[2.0])}),
    ]

    figures = list(itertools.chain.from_iterable(measured(scenes, bench)))

    assert [figure.standing for figure in figures] == [Standing.FAILED, Standing.FAILED, Standing.REACHED]
    assert figures[0].failure == "git push in x ended in 1: no such remote"
    assert figures[1].failure == "KeyError: 'seconds'"


def test_an_interrupt_ends_them(bench: Bench) -> None:
    def interrupted(_bench: Bench) -> Mapping[str, Found]:
        raise KeyboardInterrupt

    scenes = [scene("first", {}), Scene("second", {}, interrupted), scene("third", {})]
    begun = measured(scenes, bench)

    assert len(next(begun)) == 1
    with pytest.raises(KeyboardInterrupt):
        next(begun)


def test_a_program_that_ends_in_another_way_than_expected_tells_why(bench: Bench) -> None:
    with pytest.raises(BenchmarkError, match=r"ended in 3:\nno luck"):
        timed(["sh", "-c", "echo no luck >&2; exit 3"], bench.place, bench.environment)

    assert timed(["sh", "-c", "exit 3"], bench.place, bench.environment, expected=(3,)) > 0
