from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookci.model.size import parse_size, size_text


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("12", 12), ("12B", 12), ("1k", 1024), ("5GiB", 5 << 30), ("5 g", 5 << 30), (" 2TIB ", 2 << 40)],
)
def test_a_size_has_the_units_of_gits_own_settings(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "5GB", "1.5G", "much", "G", "5 GiB more"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a size such as `5GiB`"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (12 << 20, "12 MiB"),
        (5 << 30, "5.0 GiB"),
    ],
)
def test_a_size_is_told_in_the_largest_unit_it_has(size: int, text: str) -> None:
    assert size_text(size) == text


@given(st.integers(min_value=0, max_value=1 << 50))
def test_every_size_can_be_told(size: int) -> None:
    assert size_text(size).partition(" ")[0].replace(".", "").isdigit()
