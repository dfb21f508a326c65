"""What has to be known of the machine to read the figures."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ROOT", "Watch", "is_busy", "load", "machine_facts", "measured_commit", "version"]

ROOT = Path(__file__).resolve().parent.parent
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_QUIET = 0.25
"""The load of a core above which a machine does something else."""


def machine_facts(place: Path) -> dict[str, str]:
    """Name and value of each fact; ``place`` is where everything is measured."""
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "file system": _file_system(place),
        "python": platform.python_version(),
        "git": version(["git", "version"]),
    }


def load() -> str:
    """How many processes were running or waiting to run in the last minute."""
    return f"{os.getloadavg()[0]:.2f}"


def is_busy() -> bool:
    """Whether the machine does something else, so that nothing it measures is worth much."""
    return os.getloadavg()[0] > _QUIET * (os.cpu_count() or 1)


def measured_commit() -> str:
    """The commit that is measured."""
    changed = " with changes" if _said("git", "status", "--porcelain", "--", "hookci", "hooks") else ""
    return _said("git", "rev-parse", "--short", "HEAD") + changed


def version(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """What a program says its version is."""
    found = _VERSION.search(_said(*argv, environment=environment))
    return found[0] if found else "unknown"


@dataclass(frozen=True, slots=True)
class Watch:
    """How busy the machine was since something began."""

    load: str
    began: float
    total: float
    own: float

    @classmethod
    def begin(cls) -> Watch:
        """From now on."""
        return cls(load(), time.monotonic(), _busy_seconds(), _own_seconds())

    def facts(self) -> dict[str, str]:
        """When this was, how long it took, how much the machine did, and what of it was done by others."""
        taken = time.monotonic() - self.began
        others = (_busy_seconds() - self.total) - (_own_seconds() - self.own)
        found = {
            "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M"),
            "hookci": measured_commit(),
            "took": f"{taken:.0f} s",
            "load before": self.load,
            "load after": load(),
        }
        if self.total and taken:
            found["cores used by others"] = f"{max(0.0, others / taken):.2f}"
        return found


def _busy_seconds() -> float:
    """Seconds that all cores together have worked since the machine was started; 0 where that is not told."""
    try:
        words = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
    except OSError:
        return 0.0
    # proc(5): user, nice, system, idle, iowait, irq, softirq, steal, ...
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, words[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    """Seconds of these that this benchmark and what it started have taken."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _processor() -> str:
    if sys.platform == "darwin":
        return _said("sysctl", "-n", "machdep.cpu.brand_string")
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _file_system(place: Path) -> str:
    """The kind of file system that ``place`` is on: that of the longest mount point above it."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    mounts = {line.split()[1]: line.split()[2] for line in lines}
    above = [point for point in mounts if place.is_relative_to(point)]
    return mounts[max(above, key=len)] if above else "unknown"


def _said(*argv: str, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()
