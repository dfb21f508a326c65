from __future__ import annotations

import json
import statistics

import pytest
from benchmark_samples import FAILED, MISSED, NOISE, REACHED, figure, results
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Ratio, Standing, as_json, from_json, ratio

MILLISECONDS = st.floats(0.1, 1e6)
ROUNDS = st.lists(st.tuples(MILLISECONDS, MILLISECONDS), min_size=1, max_size=30)


def test_a_ratio_is_that_of_the_medians() -> None:
    found = ratio([10, 30, 20], [100, 50, 200])

    assert found is not None
    assert found.value == 0.2


def test_one_round_is_an_interval_without_width() -> None:
    assert ratio([5], [10]) == Ratio(0.5, 0.5, 0.5)


def test_there_is_no_ratio_to_what_may_be_nothing() -> None:
    assert ratio([5, 5, 5], [-1, 0.5, -2]) is None
    assert ratio([5, 5, 5], [-1, 0.5, 2]) is None
    assert ratio([-5, -5, -5], [10, 10, 10]) is None


@given(ROUNDS)
def test_the_ratio_lies_in_its_interval_and_that_within_what_was_measured(pairs: list[tuple[float, float]]) -> None:
    ours, theirs = [one for one, _ in pairs], [other for _, other in pairs]

    found = ratio(ours, theirs)

    slack = 1 + 1e-9
    assert found is not None
    assert found.value == statistics.median(ours) / statistics.median(theirs)
    assert min(ours) / max(theirs) <= found.low * slack
    assert found.low <= found.high
    assert found.high <= max(ours) / min(theirs) * slack


@given(ROUNDS)
def test_the_same_rounds_give_the_same_interval(pairs: list[tuple[float, float]]) -> None:
    ours, theirs = [one for one, _ in pairs], [other for _, other in pairs]

    assert ratio(ours, theirs) == ratio(ours, theirs)


@pytest.mark.parametrize(
    ("ours", "standing"), [(50.0, Standing.REACHED), (50.1, Standing.MISSED)], ids=["at the bound", "above it"]
)
def test_a_bound_is_reached_by_as_much_as_it_says_and_not_by_more(ours: float, standing: Standing) -> None:
    assert figure("a commit", [ours], [100.0], at_most=0.5).standing is standing


def test_what_could_not_be_measured_and_what_is_noise_reach_nothing() -> None:
    assert [one.standing for one in (FAILED, NOISE)] == [Standing.FAILED, Standing.NOISE]


def test_figures_are_counted_by_how_they_stand() -> None:
    found = results(REACHED, MISSED, MISSED, FAILED)

    assert [found.count(standing) for standing in Standing] == [1, 2, 0, 1]


def test_results_come_back_from_their_file_as_they_were() -> None:
    document = json.loads(json.dumps(as_json(results())))

    again = from_json(document)

    assert as_json(again) == document
    assert [one.standing for one in again.figures] == [one.standing for one in results().figures]
    assert again.figures[3].failure == "no engine | no box"
