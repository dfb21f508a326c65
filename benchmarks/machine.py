"""What has to be known of the machine to read the figures."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import OURS
from benchmarks.managers import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["facts", "load"]

_VERSION = re.compile(r"\d+(?:\.\d+)+")


def facts(programs: Mapping[str, tuple[str, Sequence[Path]]], environment: Mapping[str, str]) -> dict[str, str]:
    """Name and value of each fact.

    Args:
        programs: by the name of each that is measured, the program that tells its version, and what comes first on
            its PATH; hookci among them.
        environment: what programs are started with, but for the PATH.
    """
    found = {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "nice": str(os.getpriority(os.PRIO_PROCESS, 0)),
        "git": _version("git", environment),
    }
    for name, (program, places) in programs.items():
        path = os.pathsep.join([*map(str, places), environment["PATH"]])
        found[name] = _version(program, {**environment, "PATH": path})
    found[OURS] += f" ({_checkout()})"
    return found


def load() -> str:
    """How many processes were running or waiting to run in the last minute."""
    return f"{os.getloadavg()[0]:.2f}"


def _processor() -> str:
    if sys.platform == "darwin":
        return _said("sysctl", "-n", "machdep.cpu.brand_string")
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _version(program: str, environment: Mapping[str, str]) -> str:
    # lefthook has a command where the others have an option
    words = ("version",) if program in {"git", "lefthook"} else ("--version",)
    found = _VERSION.search(_said("env", program, *words, environment=environment))
    return found[0] if found else "unknown"


def _checkout() -> str:
    """The commit that was measured."""
    changed = " with changes" if _said("git", "status", "--porcelain", "--", "hookci", "hooks") else ""
    return _said("git", "rev-parse", "--short", "HEAD") + changed


def _said(*argv: str, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()
