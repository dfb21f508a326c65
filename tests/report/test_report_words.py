from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scan_samples import make_finding, make_judged, make_report, unreadable

from hookci.model.finding import State
from hookci.model.result import JobResult, Outcome
from hookci.report.words import STYLES, ago, counted, detail, duration, exit_words, mark, told

if TYPE_CHECKING:
    from hookci.model.finding import ScanReport


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0s"),
        (0.34, "0.3s"),
        (12.3, "12.3s"),
        (59.94, "59.9s"),
        (59.96, "1m 00s"),
        (125, "2m 05s"),
        (3599.6, "1h 00m"),
        (3725, "1h 02m"),
        (90000, "25h 00m"),
    ],
)
def test_a_duration_is_told_in_the_units_that_matter(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (9.9, "just now"),
        (42.7, "42s ago"),
        (61, "1m ago"),
        (3600 * 3, "3h ago"),
        (86400 * 2.5, "2d ago"),
    ],
)
def test_a_time_past_is_told_in_one_unit(seconds: float, text: str) -> None:
    assert ago(seconds) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (1, "exit status 1"),
        (127, "exit status 127"),
        (128, "exit status 128"),
        (137, "exit status 137 (SIGKILL)"),
        (143, "exit status 143 (SIGTERM)"),
        (255, "exit status 255"),
        (-9, "ended by SIGKILL"),
        (-99, "ended by signal 99"),
    ],
)
def test_an_exit_status_names_its_signal(code: int, text: str) -> None:
    assert exit_words(code) == text


@pytest.mark.parametrize(
    ("code", "reason", "text"),
    [
        (None, "no rule matches", "no rule matches"),
        (0, "", ""),
        (1, "", "exit status 1"),
        (1, "ended with exit status 1", "ended with exit status 1"),
        (-9, "out of memory\n at \x1b[2Jlast", "ended by SIGKILL, out of memory at last"),
    ],
)
def test_a_detail_is_one_line_that_says_nothing_twice(code: int | None, reason: str, text: str) -> None:
    result = JobResult(name="unit", stage="test", outcome=Outcome.FAILED, exit_code=code, reason=reason)

    assert detail(result) == text


def test_a_detail_of_a_scan_says_what_was_looked_at_and_what_was_not() -> None:
    def told(report: ScanReport) -> str:
        return detail(JobResult(name="code", stage="security", outcome=Outcome.PASSED, scan=report))

    silenced = make_judged(make_finding(in_source=True))
    old = make_judged(state=State.UNCHANGED)

    assert told(make_report(silenced, old, make_judged(suppressed="fine"))) == "no new findings (120 files)"
    assert told(make_report(make_judged(), scanned=1)) == "1 new finding below the threshold (1 file)"
    assert told(make_report(unreadable(blocks=False))) == "no new findings, 1 file not scanned (120 files)"
    assert told(make_report(what="8 added lines", scanned=2)) == "no new findings (8 added lines)"
    assert told(make_report(unscanned=("no database",), scanned=0)) == "not scanned"


def test_every_outcome_has_a_colour_a_word_and_marks_one_cell_wide() -> None:
    for outcome in Outcome:
        assert outcome in STYLES
        assert told(outcome)
        assert len(mark(outcome, unicode=True)) == 1
        assert mark(outcome, unicode=False).isascii()


def test_words_agree_with_their_number() -> None:
    assert [counted(count, "job") for count in (0, 1, 2)] == ["0 jobs", "1 job", "2 jobs"]
    assert [told(Outcome.MANUAL, count) for count in (1, 2)] == ["waits for a person", "wait for a person"]
