"""What is mounted somewhere belongs to somebody else, whatever it is mounted on."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["is_mounted"]

_MOUNTS = Path("/proc/self/mountinfo")
_TARGET = 4
"""The field of a line that is the mount point (proc_pid_mountinfo(5))."""
_OCTAL = re.compile(rb"\\([0-7]{3})")


def is_mounted(paths: Iterable[Path], *, mounts: Path = _MOUNTS) -> bool:
    """Whether something is mounted on one of ``paths``, or anywhere below."""
    places = [os.path.realpath(path.parent) + os.sep + path.name for path in paths]
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return any(os.path.ismount(place) for place in places)
    targets = [os.fsdecode(_OCTAL.sub(_byte, line.split(b" ")[_TARGET])) for line in lines]
    return any(target == place or target.startswith(place + os.sep) for target in targets for place in places)


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 8)])
