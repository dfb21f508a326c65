"""Nothing in a repository or around it changes what bandit is, or what it finds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from bandit_samples import SHELL, places, scan_files

if TYPE_CHECKING:
    from pathlib import Path

FOUND = {("a.py", "B404", 1), ("a.py", "B602", 2)}
MODULES = ("copy", "ast", "json", "bandit", "stevedore", "rich", "yaml", "sitecustomize", "usercustomize")


def hostile(marker: Path) -> str:
    """A module that leaves a mark and ends the process."""
    return f"import os\nopen({str(marker)!r}, 'w').close()\nos._exit(0)\n"


def test_modules_in_the_repository_are_scanned_and_never_imported(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    files = {f"{name}.py": hostile(marker) for name in MODULES}

    scanned = scan_files(tmp_path, {"a.py": SHELL, **files})

    assert places(scanned) >= FOUND
    assert scanned.files == len(MODULES) + 1
    assert not marker.exists()


def test_modules_around_bandits_process_are_never_imported(tmp_path: Path) -> None:
    marker, directory = tmp_path / "marker", tmp_path / "desk"
    directory.mkdir()
    for name in MODULES:
        (directory / f"{name}.py").write_text(hostile(marker))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(directory), "PYTHONSTARTUP": f"{directory}/copy.py"}
    environment |= {"PYTHONHOME": str(directory), "PYTHONOPTIMIZE": "2", "HOME": str(directory)}

    scanned = scan_files(tmp_path, {"a.py": SHELL}, directory=directory, environment=environment)

    assert places(scanned) == FOUND
    assert not marker.exists()


@pytest.mark.parametrize("name", [".bandit", "bandit.yaml", "setup.cfg", "tox.ini", "deep/pyproject.toml"])
def test_a_settings_file_that_bandit_looks_for_silences_nothing(tmp_path: Path, name: str) -> None:
    settings = "[bandit]\nskips: B404,B602\nexclude: a.py\n[tool.bandit]\nskips = ['B602']\n"

    scanned = scan_files(tmp_path, {"a.py": SHELL, name: settings, f"docs/deep/{name}": settings})

    assert places(scanned) == FOUND


def test_two_settings_files_are_no_error(tmp_path: Path) -> None:
    settings = "[bandit]\nskips: B404,B602\n"

    assert places(scan_files(tmp_path, {"a.py": SHELL, "x/.bandit": settings, "y/.bandit": settings})) == FOUND


def test_a_path_may_be_anything_git_allows(tmp_path: Path) -> None:
    paths = [
        "-a.py",
        "a b\n.py",
        "日本/é.py",
        "a\udcff.py",
        "deep/" * 200 + "a.py",
        "x" * 300 + ".py",
        "../../a.py",
        "/a.py",
    ]

    scanned = scan_files(tmp_path, dict.fromkeys(paths, SHELL))

    assert {path for path, rule, _ in places(scanned) if rule == "B602"} == set(paths)
    assert [entry.name for entry in tmp_path.iterdir() if entry.suffix == ".py"] == []


def test_the_contents_are_for_nobody_else_to_read(tmp_path: Path) -> None:
    scan_files(tmp_path, {"a.py": SHELL})

    (place,) = (tmp_path / "desk").iterdir()
    assert place.stat().st_mode & 0o077 == 0
