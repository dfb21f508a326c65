from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.agreement import Agreement, Place, agreement

EVAL, SHELL, ASSERT = ("a.py", "B307", 3), ("a.py", "B602", 9), ("tests/b.py", "B101", 1)
PLACES = st.lists(st.sampled_from([EVAL, SHELL, ASSERT]))


def test_findings_are_counted_and_those_left_out_in_tests_are_no_difference() -> None:
    found = agreement([EVAL, EVAL, SHELL, ASSERT], [EVAL, SHELL, SHELL], [ASSERT])

    assert found == Agreement(both=2, only_bandit=(EVAL,), only_hookci=(SHELL,), tests=1)


@given(PLACES, PLACES)
def test_every_finding_is_in_one_of_the_sums(bandit: list[Place], hookci: list[Place]) -> None:
    found = agreement(bandit, hookci, [one for one in bandit if one == ASSERT])

    assert found.both + len(found.only_bandit) + found.tests == len(bandit)
    assert found.both + len(found.only_hookci) == len(hookci)


def test_what_only_one_finds_is_named_as_far_as_there_is_room() -> None:
    table = agreement([SHELL], [EVAL] * 6, []).table()

    assert table.rows[2:] == [
        ["of bandit alone", "a.py:9 B602"],
        ["of hookci alone", "a.py:3 B307, a.py:3 B307, a.py:3 B307, a.py:3 B307, a.py:3 B307 and 1 more"],
    ]
