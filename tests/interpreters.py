"""Interpreters that have imported nothing yet."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["python"]


def python(code: str, *packages: Path) -> str:
    """What a new interpreter says that finds ``packages`` before all others."""
    begin = f"import sys; sys.path[:0] = {[str(path) for path in packages]!r}"
    argv = [sys.executable, "-I", "-c", f"{begin}\n{textwrap.dedent(code)}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
