from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Spread, Time
from benchmarks.scanfigures import (
    ADVISORIES,
    BANDIT,
    DIFF,
    FIRST,
    PUSH,
    SMALL,
    Agreement,
    Place,
    ScanResults,
    agreement,
    scan_json,
    scan_page,
    scan_terminal,
)

EVAL, SHELL, ASSERT = ("a.py", "B307", 3), ("a.py", "B602", 9), ("tests/b.py", "B101", 1)
PLACES = st.lists(st.sampled_from([EVAL, SHELL, ASSERT]))


def times(*walls: float) -> list[Time]:
    return [Time(wall, 2 * wall) for wall in walls]


def results(**changes: Agreement) -> ScanResults:
    return ScanResults(
        facts={"git": "2.39.5"},
        tree="some code, 2 Python files with 10 lines",
        agreement=changes.get("agreement", Agreement(both=7, tests=3)),
        times={
            BANDIT: times(1000, 2000, 4000),
            FIRST: times(600, 1000, 2000),
            PUSH: times(100, 400, 400),
            SMALL: times(500),
        },
        inside={DIFF: [12.4, 12.5, 13.2], ADVISORIES: [66]},
    )


def test_times_are_compared_within_each_round() -> None:
    ratio = results().of_bandit(PUSH)

    # 0.1, 0.2, 0.1; the ratio of the medians would be 0.2
    assert ratio == Spread(median=0.1, low=0.1, high=0.15000000000000002)


def test_what_a_job_took_itself_comes_before_what_the_command_took() -> None:
    measured = results()

    assert [measured.taken(DIFF).median, measured.taken(SMALL).median] == [12.5, 500]


def test_findings_are_counted_and_those_left_out_in_tests_are_no_difference() -> None:
    found = agreement([EVAL, EVAL, SHELL, ASSERT], [EVAL, SHELL, SHELL], [ASSERT])

    assert found == Agreement(both=2, only_bandit=(EVAL,), only_hookci=(SHELL,), tests=1)


@given(PLACES, PLACES)
def test_every_finding_is_in_one_of_the_sums(bandit: list[Place], hookci: list[Place]) -> None:
    found = agreement(bandit, hookci, [one for one in bandit if one == ASSERT])

    assert found.both + len(found.only_bandit) + found.tests == len(bandit)
    assert found.both + len(found.only_hookci) == len(hookci)


def test_the_terminal_gets_ratios_limits_and_what_only_one_finds() -> None:
    text = scan_terminal(results(agreement=Agreement(both=7, only_hookci=(EVAL,) * 6, tests=3)))

    assert text == (
        "some code, 2 Python files with 10 lines: median of 3 rounds (and quartiles)\n"
        "\n"
        "                               s  processor s            of bandit  of its processor time  limit\n"
        "bandit -r                   2.00         4.00                                                   \n"
        "the first full scan         1.00         2.00  0.500 (0.500-0.550)    0.500 (0.500-0.550)    1.0\n"
        "a push of one changed file  0.40         0.80  0.100 (0.100-0.150)    0.100 (0.100-0.150)    0.2\n"
        "\n"
        "What is small, in ms: median (and quartiles)\n"
        "\n"
        "                                            ms  limit                \n"
        "secrets in 400 added lines          12 (12-13)     50  inside the job\n"
        "advisories about 5 requirements     66 (66-66)    200  inside the job\n"
        "a small project, all scans       500 (500-500)   2000  the whole push\n"
        "\n"
        "findings with the same path, rule and line: 7\n"
        "findings of bandit in tests, of rules that hookci leaves out there: 3\n"
        "findings of bandit alone: none\n"
        "findings of hookci alone: a.py:3 B307, a.py:3 B307, a.py:3 B307, a.py:3 B307, a.py:3 B307 and 1 more\n"
        "\n"
        "git: 2.39.5\n"
    )


def test_the_page_has_the_same_tables() -> None:
    text = scan_page(results())

    assert "| the first full scan | 1.00 | 2.00 | 0.500 (0.500-0.550) | 0.500 (0.500-0.550) | 1.0 |\n" in text
    assert "| secrets in 400 added lines | 12 (12-13) | 50 | inside the job |\n" in text
    assert "| git | 2.39.5 |\n" in text


def test_the_json_holds_every_measurement() -> None:
    document = json.loads(json.dumps(scan_json(results(agreement=Agreement(both=7, only_bandit=(EVAL,))))))

    assert document["commands"][PUSH] == [
        {"wall": 100, "cpu": 200},
        {"wall": 400, "cpu": 800},
        {"wall": 400, "cpu": 800},
    ]
    assert document["jobs"][DIFF] == [12.4, 12.5, 13.2]
    assert document["agreement"] == {"both": 7, "only_bandit": [["a.py", "B307", 3]], "only_hookci": [], "tests": 0}
