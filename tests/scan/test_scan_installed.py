"""What is installed, told without importing it."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from hookci.scan.installed import installed_directory, installed_version

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("package", "distribution"), [("bandit", "bandit"), ("pip_audit", "pip-audit")])
def test_the_version_is_the_one_that_is_recorded(package: str, distribution: str) -> None:
    assert installed_version(package) == metadata.version(distribution)


def test_of_what_is_not_there_there_is_no_version() -> None:
    assert installed_version("no_such_package") == ""
    assert installed_directory("no_such_package") == ""


def test_a_package_that_only_begins_alike_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "oddity").mkdir()
    (tmp_path / "oddity" / "__init__.py").touch()
    (tmp_path / "oddity_schemas-9.9.dist-info").mkdir()
    (tmp_path / "oddity_plus-8.8.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))

    before = installed_version("oddity")
    (tmp_path / "Oddity-1.2.dist-info").mkdir()

    assert (before, installed_version("oddity")) == ("", "1.2")
    assert installed_directory("oddity") == str(tmp_path)
    assert "oddity" not in sys.modules


def test_what_is_recorded_the_old_way_is_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elder").mkdir()
    (tmp_path / "elder" / "__init__.py").touch()
    (tmp_path / "elder.egg-info").write_text("Metadata-Version: 1.0\nName: elder\nVersion: 0.8\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert installed_version("elder") == "0.8"
