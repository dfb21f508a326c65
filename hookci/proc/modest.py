"""Work that nobody waits for: it steps back for whatever else the machine has to do."""

from __future__ import annotations

import os
from contextlib import suppress

import psutil

__all__ = ["step_back"]

_NICE = 10


def step_back() -> int:
    """Leave the terminal's session, and take half of the processors at most, and those when others leave them.

    All that is started from now on does so too.  What the system does not know, or does not allow, is left out.

    Returns:
        How many processors there are to be used, one at least.
    """
    with suppress(OSError):  # it leads one already
        os.setsid()
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    with suppress(AttributeError, ValueError, OSError, psutil.Error):  # Linux only
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    with suppress(AttributeError, ValueError, OSError):  # the same
        mine = sorted(os.sched_getaffinity(0))
        ours = mine[-max(1, len(mine) // 2) :]
        os.sched_setaffinity(0, ours)
        return len(ours)
    return max(1, (os.cpu_count() or 1) // 2)
