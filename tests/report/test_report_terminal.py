from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from hookci.report.terminal import aligned, encodable, paint, shown, supports_unicode, wants_color

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.mark.parametrize(
    ("env", "is_tty", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "False"}, True, True),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"CLICOLOR_FORCE": "0"}, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
    ],
)
def test_automatic_colour_follows_the_environment(env: Mapping[str, str], is_tty: bool, wanted: bool) -> None:
    assert wants_color("auto", is_tty=is_tty, env=env) is wanted


@pytest.mark.parametrize(("setting", "wanted"), [("always", True), ("never", False)])
def test_a_setting_beats_the_environment(setting: Literal["always", "never"], wanted: bool) -> None:
    env = {"NO_COLOR": "1"} if wanted else {"FORCE_COLOR": "1"}

    assert wants_color(setting, is_tty=not wanted, env=env) is wanted


@pytest.mark.parametrize(
    ("encoding", "supported"),
    [("utf-8", True), ("UTF8", True), ("ascii", False), ("latin-1", False), ("nonsense", False), (None, False)],
)
def test_marks_need_an_encoding_that_has_them(encoding: str | None, supported: bool) -> None:
    assert supports_unicode(encoding) is supported


def test_what_an_encoding_lacks_becomes_a_question_mark() -> None:
    assert encodable("Grün 漢", "latin-1") == "Grün ?"


def test_paint_is_only_there_with_colour() -> None:
    assert paint("red", "red", color=True) == "\x1b[31mred\x1b[0m"
    assert paint("red", "red", color=False) == "red"
    assert paint("", "red", color=True) == ""


def test_the_colour_of_an_output_line_ends_with_the_line() -> None:
    line = "\x1b[2J\x1b[31mred"

    assert shown(line, color=True) == "\x1b[31mred\x1b[0m"
    assert shown(line, color=False) == "red"
    assert shown("no colour", color=True) == "no colour"


def test_columns_are_aligned_by_what_is_seen() -> None:
    rows = [["unit", "\x1b[31mred\x1b[0m", "x"], ["integration", "green", ""]]

    assert aligned(rows, indent=" ") == [" unit         \x1b[31mred\x1b[0m    x", " integration  green"]
    assert aligned([]) == []
