from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookci.model.text import clean, plain

PIECES = ["\x1b", "\x1b[", "\x1b]", "\x9b", "\x9d", "\x1bP", "\x07", "\x1b\\", "\x9c", "\r", "\n", "\t", "\x00", "\x7f"]
PIECES += ["\x1b[31m", "\x1b[0m", "0;", "31", "m", "H", "?", ">", "(", "B", "x", "é", "漢", "\u202e", "\u2066", "\x18"]
hostile = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("plain text, ünïcode 漢字", "plain text, ünïcode 漢字", id="text"),
        pytest.param(
            "\x1b[1;31mred\x1b[0m \x1b[38:2::1:2:3mrgb\x1b[m",
            "\x1b[1;31mred\x1b[0m \x1b[38:2::1:2:3mrgb\x1b[m",
            id="colour",
        ),
        pytest.param("a\x1b[2J\x1b[1;1H\x1b[?25lb", "ab", id="cursor"),
        pytest.param("a\x1b[>4;2mb", "ab", id="private sequence that only looks like colour"),
        pytest.param("a\x9b2Jb\x9b31mc", "abc", id="8-bit sequences"),
        pytest.param("a\x1b]0;title\x07b\x1b]52;c;ZXZpbA==\x1b\\c\x9d0;t\x9cd", "abcd", id="title and clipboard"),
        pytest.param("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link", id="hyperlink"),
        pytest.param("a\x1bPq#0;2\x1b\\b\x1b_apc\x1b\\c\x1b^pm\x1b\\d\x1bXsos\x1b\\e", "abcde", id="control strings"),
        pytest.param("a\x1bcb\x1b7c\x1b(Bd\x1b#8e", "abcde", id="escape codes"),
        pytest.param("a\x00b\x07c\x08d\x0be\x0cf\x7fg\x85h", "abcdefgh", id="single controls"),
        pytest.param("a\tb\nc", "a\tb\nc", id="tab and line feed stay"),
        pytest.param("a\x1b", "a", id="lone escape"),
        pytest.param("a\x1b[31", "a", id="cut sequence"),
        pytest.param("a\x1b[3\x1b[31mb", "a\x1b[31mb", id="sequence cut by another"),
        pytest.param("a\x1b]0;never ended\nnext line", "a\nnext line", id="string ends with its line"),
        pytest.param("a\x1b]0;t\x1b[31mb", "a\x1b[31mb", id="string cut by a sequence"),
        pytest.param("a\u202eb\u2066c\u2069d\u200fe", "abcd\u200fe", id="bidi overrides"),
        pytest.param("10%\r50%\r100%", "100%", id="progress"),
        pytest.param("done\r\nnext\r\n", "done\nnext\n", id="line ends of Windows"),
        pytest.param("50%\r\x1b[2K100%\r\x1b[0m", "100%", id="colour alone is nothing written"),
    ],
)
def test_clean_leaves_text_and_colour(text: str, left: str) -> None:
    assert clean(text) == left


def test_plain_takes_the_colour_too() -> None:
    assert plain("\x1b[1;31mred\x1b[0m\x1b[2J and\r\x1b[32mgreen\x1b[0m") == "green"


@given(hostile)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean(text)

    assert clean(once) == once


@given(hostile)
def test_every_escape_left_begins_a_colour(text: str) -> None:
    left = re.sub(r"\x1b\[[0-9;:]*m", "", clean(text))

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", left)


@given(hostile)
def test_plain_text_has_no_control_but_tab_and_line_feed(text: str) -> None:
    left = plain(text)

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", left)
    assert plain(left) == left
