"""What bandit is asked, what of the project's own settings counts, and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bandit_samples import SHELL, places, scan_files
from desk_samples import desk, tree
from msgspec.structs import replace

from hookci.model.scan import Scan
from hookci.scan.bandit.adapter import BanditScanner

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SCAN = Scan(tool="bandit")
ALL = {("a.py", "B404", 1), ("a.py", "B602", 2)}


def with_settings(tmp_path: Path, settings: str) -> tuple[set[tuple[str, str, int]], tuple[str, ...]]:
    """What is found in `SHELL` and what is told when the project's ``[tool.bandit]`` is ``settings``."""
    scanned = scan_files(tmp_path, {"a.py": SHELL, "pyproject.toml": f"[tool.bandit]\n{settings}"})
    return places(scanned), scanned.notes


def test_python_files_and_python_programs_are_asked_for() -> None:
    files = {
        "a.py": "",
        "gui/a.pyw": "",
        "a.pyi": "",
        "a.txt": "#!/usr/bin/python\n",
        "bin/plain": "#!/usr/bin/python3\n",
        "bin/env": "#!/usr/bin/env python3.11\n",
        "bin/options": "#! /usr/bin/env -S PYTHONPATH=x python -I\n",
        "bin/uv": "#!/usr/bin/env -S uv run --script\n",
        "bin/crlf": "#!/usr/bin/python\r\n",
        "bin/shell": "#!/bin/sh\n# python\n",
        "bin/other": "#!/opt/python/bin/bash\n",
        "bin/pythonic": "#!/usr/bin/pythonic\n",
        "bin/empty": "",
        "not-executable": "#!/usr/bin/python\n",
    }
    programs = {path for path in files if path.startswith("bin/")} | {"a.txt"}

    asked = BanditScanner().asks(tree(files, programs))

    assert asked == ["a.py", "bin/crlf", "bin/env", "bin/options", "bin/plain", "bin/uv", "gui/a.pyw"]


def test_only_programs_without_a_suffix_are_read() -> None:
    whole = tree({"a.py": SHELL, "b.sh": "#!/bin/sh\n", "c": "#!/bin/sh\necho\n", "d": ""}, {"b.sh", "c"})
    read: list[str] = []

    def watched(oids: Iterable[str]) -> Mapping[str, bytes]:
        read.extend(oids)
        return whole.read(read)

    assert BanditScanner().asks(replace(whole, read=watched)) == ["a.py"]
    assert read == [whole.oids["c"]]


@pytest.mark.parametrize(
    ("settings", "left", "notes"),
    [
        ('skips = ["B404"]', {("a.py", "B602", 2)}, ("skips B404",)),
        ('tests = ["B404", "B101"]', {("a.py", "B404", 1)}, ("tests B404, B101",)),
        ('skips = ["import_subprocess"]', {("a.py", "B602", 2)}, ("skips import_subprocess",)),
        ('skips = ["B999"]', ALL, ("skips B999", "skips: bandit has no rule B999")),
        (
            'tests = ["B999"]\nskips = ["B404"]',
            {("a.py", "B602", 2)},
            ("tests B999", "skips B404", "tests: bandit has no rule B999"),
        ),
        (
            'tests = ["B404"]\nskips = ["B404"]',
            ALL,
            ("tests B404", "skips B404", "tests and skips leave no rule, so all are used"),
        ),
        ('skips = "B404"', ALL, ("skips is no list of names, so it is not honoured",)),
        (
            'exclude_dirs = ["a.py"]\n[tool.bandit.assert_used]\nskips = ["*"]',
            ALL,
            ("assert_used, exclude_dirs are not honoured",),
        ),
        ("", ALL, ()),
    ],
)
def test_settings_count_where_they_name_rules_and_all_is_told(
    tmp_path: Path, settings: str, left: set[tuple[str, str, int]], notes: tuple[str, ...]
) -> None:
    found, told = with_settings(tmp_path, settings)

    assert found == left
    assert told == tuple(f"pyproject.toml [tool.bandit] {note}" for note in notes)


@pytest.mark.parametrize("text", ["tool = 'bandit'", "tool.bandit = 1", "[tool.bandit\n", b"bandit = '\xff'"])
def test_settings_that_cannot_be_read_narrow_nothing(tmp_path: Path, text: str | bytes) -> None:
    scanned = scan_files(tmp_path, {"a.py": SHELL, "pyproject.toml": text})

    assert places(scanned) == ALL
    assert len(scanned.notes) == 1
    assert scanned.notes[0].startswith("pyproject.toml ")


def test_a_rule_that_is_skipped_does_not_hide_another_one_in_the_same_import(tmp_path: Path) -> None:
    files = {"a.py": "import pickle, subprocess\n", "pyproject.toml": '[tool.bandit]\nskips = ["B403"]'}

    assert places(scan_files(tmp_path, files)) == {("a.py", "B404", 1)}


def test_the_rules_are_another_text_when_other_rules_are_named() -> None:
    scanner = BanditScanner()
    settings = ["", '[tool.bandit]\nskips = ["B101"]', '[tool.bandit]\ntests = ["B101"]', "[tool.ruff]"]

    none, skips, tests, other = (scanner.rules(tree({"pyproject.toml": text}), SCAN) for text in settings)

    assert len({none, skips, tests}) == 3
    assert other == none == scanner.rules(tree({}), SCAN)


def test_without_files_the_settings_are_told_all_the_same(tmp_path: Path) -> None:
    whole = tree({"pyproject.toml": '[tool.bandit]\nskips = ["B101"]'})

    scanned = BanditScanner().scan(whole, [], SCAN, desk(tmp_path))

    assert scanned.notes == ("pyproject.toml [tool.bandit] skips B101",)
    assert scanned.files == 0
