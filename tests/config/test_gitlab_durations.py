"""Spans of time in every form that GitLab's reference names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookci.config.gitlab.durations import parse_period

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("42", 42.0),
        ("42 seconds", 42.0),
        ("2 seconds", 2.0),
        ("1 sec", 1.0),
        ("3 mins 4 sec", 3 * MINUTE + 4),
        ("2 hrs 20 min", 2 * HOUR + 20 * MINUTE),
        ("2h20min", 2 * HOUR + 20 * MINUTE),
        ("1h 30m", 1.5 * HOUR),
        ("3 hours 30 minutes", 3.5 * HOUR),
        ("3h 30m 12s", 3.5 * HOUR + 12),
        ("1.5 hours", 1.5 * HOUR),
        ("10 minute", 10 * MINUTE),
        ("6 mos 1 day", 181 * DAY),
        ("47 yrs 6 mos and 4d", 47 * 365.25 * DAY + 184 * DAY),
        ("3 weeks and 2 days", 23 * DAY),
        ("1 week, 2 days", 9 * DAY),
        ("one week", 7 * DAY),
        ("Two Hours", 2 * HOUR),
        ("1:30", 90.0),
        ("2:00:05", 2 * HOUR + 5),
        (" 5 m ", 300.0),
    ],
)
def test_a_period_is_read_as_gitlab_does(text: str, seconds: float) -> None:
    assert parse_period(text) == seconds


@pytest.mark.parametrize("text", ["", " ", "soon", "5 parsecs", "h", "minutes 5", "-5", "1h-2m", "1,5.x", "and"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="should be a duration"):
        parse_period(text)


@given(st.integers(0, 40), st.integers(0, 70), st.integers(0, 90))
def test_the_parts_of_a_period_add_up(hours: int, minutes: int, seconds: int) -> None:
    expected = hours * HOUR + minutes * MINUTE + seconds

    assert parse_period(f"{hours}h {minutes}min and {seconds} secs") == expected
    assert parse_period(f"{hours} hrs, {minutes}m{seconds}s") == expected


@given(st.text(alphabet="0123456789 .:,hmsdwyandone", max_size=20))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        assert parse_period(text) >= 0.0
    except ValueError as error:
        assert str(error) == "should be a duration"  # noqa: PT017 (either way out is fine)
