from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import EMPTY, NO_HOOK, OURS, Results, Scene, Spread, Time, as_json, spread
from benchmarks.picture import picture
from benchmarks.report import page, table, terminal

NEW, AGAIN = Scene("commit", 100, again=False), Scene("commit", 100, again=True)


def times(*walls: float) -> list[Time]:
    return [Time(wall, wall / 2) for wall in walls]


def results() -> Results:
    return Results(
        facts={"git": "2.39.5", "load before": "0.10"},
        rounds=3,
        jobs={EMPTY: {"commit": (0, 0)}, "prek": {"commit": (1, 1)}, OURS: {"commit": (1, 0)}},
        times={
            AGAIN: {
                NO_HOOK: times(10, 20, 30),
                EMPTY: times(10, 20, 30),
                "prek": times(30, 40, 50),
                OURS: times(15, 25, 35),
            },
            NEW: {
                NO_HOOK: times(10, 20, 30),
                EMPTY: times(12, 22, 32),
                "prek": times(30, 40, 50),
                OURS: times(110, 140, 130),
            },
        },
    )


def test_the_spread_of_an_odd_number_of_values_is_the_middle_one_and_the_quartiles() -> None:
    assert spread([5, 1, 4, 2, 3]) == Spread(median=3, low=2, high=4)


def test_the_spread_of_one_value_is_that_value() -> None:
    assert spread([7.5]) == Spread(median=7.5, low=7.5, high=7.5)


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_quartiles_stand_on_both_sides_of_the_median_within_what_was_measured(values: list[float]) -> None:
    found = spread(values)

    slack = 1e-6
    assert min(values) - slack <= found.low <= found.median + slack
    assert found.median - slack <= found.high <= max(values) + slack


def test_what_a_hook_adds_is_compared_within_each_round() -> None:
    added = results().added(NEW, OURS)

    # the differences are 100, 120, 100; the difference of the medians would be 110
    assert added == Spread(median=100, low=100, high=110)


def test_there_is_no_ratio_to_what_may_be_nothing() -> None:
    measured = results()

    assert [measured.against(NEW, "prek"), measured.against(AGAIN, EMPTY)] == [5.0, None]


def test_scenes_where_hookci_adds_more_are_named() -> None:
    measured = results()

    assert measured.slower("prek") == [NEW]
    assert measured.slower(EMPTY) == [NEW, AGAIN]


def test_a_table_puts_numbers_to_the_right() -> None:
    text = table(["", "files"], [["commit", "100"], ["push", "5,000"]])

    assert text == "        files\ncommit    100\npush    5,000"


def test_the_terminal_gets_times_ratios_where_it_is_slower_and_the_machine() -> None:
    text = terminal(results())

    assert text == (
        "What a hook adds to the time without one, in ms: median of 3 rounds (and quartiles)\n"
        "\n"
        "                             files     no hook     empty hook        prek         hookci\n"
        "commit, a new tree             100  20 (15-25)  2.0 (2.0-2.0)  20 (20-20)  100 (100-110)\n"
        "commit, the same tree again    100  20 (15-25)  0.0 (0.0-0.0)  20 (20-20)  5.0 (5.0-5.0)\n"
        "\n"
        "What hookci adds, in times of what the others add (under 1 is less, - is noise)\n"
        "\n"
        "                             files  empty hook   prek\n"
        "commit, a new tree             100         50x  5.00x\n"
        "commit, the same tree again    100           -  0.25x\n"
        "\n"
        "hookci adds more than empty hook: everywhere\n"
        "hookci adds more than prek: commit, a new tree (100 files)\n"
        "\n"
        "git: 2.39.5\n"
        "load before: 0.10\n"
    )


def test_the_page_says_how_often_each_job_ran() -> None:
    text = page(results(), "latest.svg")

    rows = "| empty hook | 0 and 0 |\n| prek | 1 and 1 |\n| hookci | 1 and 0 |\n"
    assert f"|  | commit |\n| --- | --: |\n{rows}" in text
    assert "![What each hook adds](latest.svg)" in text


def test_the_picture_has_a_bar_for_each_hook_of_each_scene_on_one_scale() -> None:
    root = ET.fromstring(picture(results()))

    bars = [float(bar.get("width", "")) for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
    first, second = bars[:3], bars[3:]
    assert len(bars) == 6
    assert first[2] == pytest.approx(50 * first[0], rel=0.02)
    assert second[0] == 0
    assert second[1] == first[1]


def test_the_json_holds_every_measurement() -> None:
    document = json.loads(json.dumps(as_json(results())))

    ours = [row for row in document["scenes"] if row["hook"] == OURS and row["tree"] == "again"]
    assert ours == [
        {
            "act": "commit",
            "files": 100,
            "tree": "again",
            "hook": "hookci",
            "added": {"median": 5.0, "low": 5.0, "high": 5.0},
            "added_cpu": {"median": 2.5, "low": 2.5, "high": 2.5},
            "wall": [15, 25, 35],
            "cpu": [7.5, 12.5, 17.5],
        }
    ]
    assert document["jobs_run"]["hookci"] == {"commit": [1, 0]}
