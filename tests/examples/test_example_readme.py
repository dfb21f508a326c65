from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from reader import free_port, processes_below
from wanted import needed

sys.path.append(str(Path(__file__).resolve().parents[1] / "docs"))  # for how pages are read

import markdown_pages
from typed_in import type_in

if TYPE_CHECKING:
    from conftest import Sealed

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.timeout(600)
def test_the_readme_of_the_backend_does_what_it_says(
    tmp_path: Path, sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in ("curl", "setsid", "flock"):
        needed(program)
    sources = tmp_path / "hookci"
    shutil.copytree(EXAMPLES, sources / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    changes = {"8001": str(free_port()), "8002": str(free_port()), 'stable = "10s"': 'stable = "1s"'}
    page = sources / "examples" / "backend" / "README.md"
    for file in (page, page.with_name("hookci.toml")):
        for old, new in changes.items():
            file.write_text(file.read_text().replace(old, new))
    monkeypatch.setattr(markdown_pages, "ROOT", sources)

    try:
        done = type_in(page, sources, sealed)

        assert done > 20
        deadline = time.monotonic() + 30
        while (left := processes_below(sealed.home / "deployed")) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left == []
    finally:
        for process in processes_below(sealed.home / "deployed"):
            process.kill()
