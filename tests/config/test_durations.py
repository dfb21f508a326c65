from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookci.model.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15m", 900.0),
        ("1h 30m", 5400.0),
        ("1h30m", 5400.0),
        ("90s", 90.0),
        ("500ms", 0.5),
        ("2 minutes", 120.0),
        ("1 hour, 1 minute", 3660.0),
        ("1.5 hours", 5400.0),
        ("1 day", 86400.0),
        ("3 hrs 2 mins 1 sec", 10921.0),
        (" 10s ", 10.0),
        ("0s", 0.0),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", " ", "15", "soon", "-1s", "1s2", "1 fortnight", "m", "1,5h", "\u0661s", "1m s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r'^expected a duration such as "15m" or "1h 30m"$'):
        parse_duration(text)


@pytest.mark.parametrize("text", ["367 days", "9" * 400 + "h"])
def test_more_than_a_year_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a duration of at most a year$"):
        parse_duration(text)


@given(st.integers(0, 1000), st.integers(0, 59), st.integers(0, 59))
def test_the_parts_of_a_duration_add_up(hours: int, minutes: int, seconds: int) -> None:
    text = f"{hours}h {minutes}min {seconds} seconds"

    assert parse_duration(text) == hours * 3600 + minutes * 60 + seconds
