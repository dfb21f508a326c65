from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hookci.errors import StateError
from hookci.store.logs import Logs, log_name
from hookci.store.private import private_directory

if TYPE_CHECKING:
    from pathlib import Path

names = st.text(st.characters(exclude_categories=()), min_size=1, max_size=300)
look_alikes = st.text("aA-_.~/ :\u00e9e\u0301\u212a\ud800", min_size=1, max_size=6)


def as_a_careless_file_system_sees(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


@given(first=names | look_alikes, second=names | look_alikes)
@example(first="Unit", second="unit")
@example(first="a/b", second="a-b")
@example(first="caf\u00e9", second="cafe\u0301")
@example(first="x" * 299 + "a", second="x" * 299 + "b")
@example(first="a/b", second=log_name("a/b"))
@example(first="\U0001f600", second="\ud83d\ude00")
def test_two_names_never_share_a_log(first: str, second: str) -> None:
    assume(first != second)

    shown = [as_a_careless_file_system_sees(log_name(name)) for name in (first, second)]

    assert shown[0] != shown[1]


@given(names | look_alikes)
@example("..")
@example(".")
@example("-rf")
@example("/etc/passwd")
@example("a\0b")
def test_a_log_name_is_a_short_plain_file_name(name: str) -> None:
    shown = log_name(name)

    assert set(shown) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-~")
    assert 1 <= len(shown) <= 120
    assert shown[0] not in ".-"


def test_a_plain_name_stands_for_itself() -> None:
    shown = [log_name(name) for name in ("unit", "py3.12-lint", "build_all")]

    assert shown == ["unit", "py3.12-lint", "build_all"]


def test_an_odd_name_stays_readable() -> None:
    shown = log_name("unit: [1, py/3]")

    assert shown == "unit-1-py-3~9c99bfd7981dfaaea467ea4de59c93c1"


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(private_directory(tmp_path / "hookci"))


def test_a_line_of_a_log_is_on_disk_as_soon_as_it_was_written(logs: Logs) -> None:
    with logs.open(1, "unit") as log:
        log.write(b"line\n")

        content = logs.path(1, "unit").read_bytes()

    assert content == b"line\n"


def test_logs_of_a_name_as_long_as_people_write_them_and_of_its_neighbour_are_two_files(logs: Logs) -> None:
    names = ["\u6d4b\u8bd5: [/x]" * 40 + end for end in ("a", "b")]

    for name in names:
        with logs.open(1, name) as log:
            log.write(name.encode())

    assert [logs.path(1, name).read_text() for name in names] == names


def test_a_symlinked_log_is_refused_and_its_target_untouched(logs: Logs, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    logs.prepare(1)
    logs.path(1, "unit").symlink_to(tmp_path / "victim")

    with pytest.raises(StateError, match=r"unit\.log is a symlink"):
        logs.open(1, "unit")

    assert (tmp_path / "victim").read_text() == "precious"


def test_a_symlinked_directory_of_a_run_is_refused_and_its_target_untouched(logs: Logs, tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    logs.prepare(1).rmdir()
    logs.path(1, "unit").parent.symlink_to(tmp_path / "victim")

    with pytest.raises(StateError, match="1 is a symlink"):
        logs.open(1, "unit")

    assert list((tmp_path / "victim").iterdir()) == []


def test_only_directories_with_the_number_of_a_run_count_as_logs(logs: Logs) -> None:
    for name in ("7", "12", "007", "0", "x", "7~"):
        (logs.prepare(7).parent / name).mkdir(exist_ok=True)

    numbers = logs.numbers()

    assert numbers == {7, 12}


def test_removing_logs_that_are_gone_already_is_fine(logs: Logs) -> None:
    logs.prepare(1)

    logs.remove(1)
    logs.remove(1)

    assert logs.numbers() == frozenset()
