"""Which scans a new config has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from detect_samples import jobs, look

from hookci.model.scan import Scan

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("files", "scans"),
    [
        pytest.param({}, ["secrets"], id="nothing"),
        pytest.param({"go.mod": "module x"}, ["secrets"], id="go"),
        pytest.param({"lib/tool.py": ""}, ["code", "secrets"], id="python"),
        pytest.param({"docs/conf.py": "", "vendor/six.py": ""}, ["secrets"], id="python-of-others"),
        pytest.param({"front/package-lock.json": "{}"}, ["dependencies", "secrets"], id="node-lock"),
        pytest.param({"package.json": "{}"}, ["secrets"], id="node-without-lock"),
    ],
)
def test_a_project_gets_the_scans_that_have_something_to_scan(
    tmp_path: Path, files: dict[str, str], scans: list[str]
) -> None:
    found = jobs(look(tmp_path, files))

    assert [name for name, job in found.items() if job.scan] == scans
    assert {job.stage for job in found.values() if job.scan} == {"security"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", ""),
        ("requirements-dev.txt", ""),
        ("test_requirements.txt", ""),
        ("requirements/base.txt", ""),
        ("back/uv.lock", ""),
        ("poetry.lock", ""),
        ("Pipfile.lock", ""),
        ("pyproject.toml", '[project]\nname = "x"\ndependencies = ["six"]\n'),
        ("pyproject.toml", '[project.optional-dependencies]\ndev = ["six"]\n'),
        ("back/pyproject.toml", '[dependency-groups]\ndev = ["six"]\n'),
        ("pyproject.toml", '[tool.poetry.group.dev.dependencies]\nsix = "*"\n'),
    ],
)
def test_whatever_declares_or_locks_dependencies_gets_them_looked_up(tmp_path: Path, path: str, text: str) -> None:
    found = jobs(look(tmp_path, {path: text}))

    assert found["dependencies"].scan == Scan(tool="dependencies", allow_unscanned=True)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", "[tool.ruff]\nline-length = 120\n"),
        ("pyproject.toml", '[build-system]\nrequires = ["setuptools"]\n[project]\ndependencies = []\n'),
        ("pyproject.toml", "[project\n"),
        ("notes.txt", ""),
    ],
)
def test_where_nothing_is_declared_nothing_is_looked_up(tmp_path: Path, path: str, text: str) -> None:
    assert "dependencies" not in jobs(look(tmp_path, {path: text}))
