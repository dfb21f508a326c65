"""Programs and powers that not every machine has."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

__all__ = ["needed", "unconnected"]


def needed(program: str) -> str:
    """The path of a program that not every machine has; without it the test is skipped, or fails if it must not be."""
    path = shutil.which(program)
    if path is None:
        tell = pytest.fail if os.environ.get("TEST_HOOKCI_COMPLETE") == "1" else pytest.skip
        tell(f"no {program} on the PATH")
    return path


def unconnected() -> list[str]:
    """What to put before a command to run it where there is no network at all, not even loopback.

    Without the power to do so the test is skipped.
    """
    unshare, refusals = needed("unshare"), []
    for options in ("-rn", "-n"):
        tried = subprocess.run([unshare, options, "true"], capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return [unshare, options]
        refusals.append(tried.stderr.strip())
    pytest.skip(f"no network namespace to be had here: {'; '.join(refusals)}")
