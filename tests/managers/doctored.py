"""What `hookci doctor` says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import Repo


def examined(
    repo: Repo, check: str, *, status: int | None = None, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> list[str]:
    """The lines of one check, and what mends it."""
    ran = repo.run(sys.executable, "-I", "-m", "hookci", "doctor", check=False, cwd=cwd, env=env)
    assert ran.stderr == ""
    lines: list[str] = []
    belongs = False
    for line in ran.stdout.splitlines():
        belongs = line[9:].startswith(f"{check}: ") or (belongs and line.startswith("         mend: "))
        lines += [line] * belongs
    assert ran.returncode == any(line.startswith("problem") for line in ran.stdout.splitlines())
    assert status in {None, ran.returncode}, ran.output
    return lines
