from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from benchmark_samples import FACTS, FAILED, MISSED, REACHED, figure, results

from benchmarks.picture import picture
from benchmarks.report import BEGIN, END, docs_region, documented, markdown, page, table, terminal

SVG = "{http://www.w3.org/2000/svg}"


def test_a_table_puts_numbers_to_the_right() -> None:
    text = table(["", "files"], [["commit", "100"], ["push", "5,000"]])

    assert text == "        files\ncommit    100\npush    5,000"


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert markdown(["a"], [["x | y"]]).splitlines()[-1] == r"| x \| y |"


def test_the_terminal_gets_every_figure_and_what_the_missed_ones_are_made_of() -> None:
    text = terminal(results(REACHED, MISSED, FAILED))

    assert text == (
        "hooks\n"
        "\n"
        "what      against   hookci  the other       ratio (95 %)  at most\n"
        "a commit  prek     10.0 ms     100 ms  0.10x (0.10-0.10)     0.5x  reached\n"
        "a push    prek     80.0 ms     100 ms  0.80x (0.80-0.80)     0.5x  not reached\n"
        "a box     docker         -          -                  -    1.15x  failed: no engine | no box\n"
        "  a push: 80.0 ms; beside it were measured: imports 20.0 ms, git processes (4) 8.50 ms\n"
        "\n"
        "3 figures: 1 reached, 1 not reached, 1 failed.\n"
        "\n"
        "cores: 2\n"
        "git: 2.39.5\n"
    )


def test_what_was_measured_with_little_effort_says_so_everywhere() -> None:
    quick = results(quick=True)

    assert all(
        "no more than a first look" in text for text in (terminal(quick), page(quick, "x.svg"), docs_region(quick))
    )


def test_what_was_measured_on_a_busy_machine_says_so_everywhere() -> None:
    quiet = results()
    group = replace(quiet.groups[0], facts={**FACTS, "load before": "0.60"})
    busy = replace(quiet, groups=[group])

    texts = [(terminal(one), page(one, "x.svg"), docs_region(one)) for one in (quiet, busy)]

    assert ["did something else" in text for text in texts[0]] == [False] * 3
    assert ["did something else" in text for text in texts[1]] == [True] * 3


def test_the_page_has_the_picture_the_tables_and_the_machine() -> None:
    text = page(results(), "latest.svg")

    assert "![Each ratio beside its bound](latest.svg)" in text
    assert "What each adds\n\n|  | ms |\n| --- | --: |\n| prek | 14.0 |\n" in text
    assert "| git | 2.39.5 |\n" in text
    assert "load before: 0.10" in text


def test_two_figures_of_one_thing_tell_its_parts_once() -> None:
    twice = results(MISSED, figure("a push", [80.0], [100.0], at_most=0.1))

    assert docs_region(twice).count("beside it were measured") == 1


def test_a_page_gets_the_region_anew_and_keeps_all_else() -> None:
    old = f"# Speed\n\n{BEGIN}\n\nold\n\n{END}\n\nmore\n"

    new = documented(old, results())

    assert new == f"# Speed\n\n{docs_region(results())}\nmore\n"
    assert documented(new, results()) == new


def test_a_page_without_a_region_is_not_written() -> None:
    with pytest.raises(ValueError, match="no region"):
        documented(f"# Speed\n\n{BEGIN}\n", results())


def test_the_picture_has_a_bar_for_each_ratio_and_those_over_the_bound_end_behind_the_line() -> None:
    root = ET.fromstring(picture(results(REACHED, MISSED, FAILED)))

    bars = list(root.iter(f"{SVG}rect"))
    bound = next(float(line.get("x1", "")) for line in root.iter(f"{SVG}line") if line.get("class") == "bound")
    ends = [float(bar.get("x", "")) + float(bar.get("width", "")) for bar in bars]
    assert [bar.get("class") for bar in bars] == [None, "over"]
    assert ends[0] < bound < ends[1]
    assert "failed" in [text.text for text in root.iter(f"{SVG}text")]
