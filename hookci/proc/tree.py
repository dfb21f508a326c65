"""Ending whole process trees, also those parts that try to get away.

A job's processes are found by four marks, because each alone can be shed: the process group, descent
from the job's shell, a token in the environment, and the working directory.  On Linux hookci is also
a child subreaper (prctl(2), PR_SET_CHILD_SUBREAPER), so that a process whose parents have ended stays
a descendant of hookci instead of going to init.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TOKEN_VARIABLE", "adopt_orphans", "end_orphans", "end_tree", "leftovers", "release_orphans"]

TOKEN_VARIABLE = "HOOKCI_JOB_TOKEN"  # noqa: S105 (the name of a variable, no secret)

_PR_SET_CHILD_SUBREAPER = 36
_POLL = 0.02


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent ends (Linux only)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def release_orphans() -> None:
    """Be no such parent any more: what a deployment starts is to outlive us, and goes to init as anywhere else."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _candidates(root: int | None) -> list[int]:
    """The pids that can be a descendant's: on Linux those after ``root``, and what came to us when pids start anew."""
    pids = psutil.pids()
    if root is None or sys.platform != "linux":
        return pids
    return [pid for pid in pids if pid >= root or _parent(pid) == os.getpid()]


def _parent(pid: int) -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        # proc_pid_stat(5): pid (name) state ppid ...; the name may hold anything
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
    return None


def _belongs(process: psutil.Process, token: str, directory: str, root: int | None) -> bool:
    if process.pid == root:
        return True
    with contextlib.suppress(psutil.Error, OSError):
        if root and os.getpgid(process.pid) == root:
            return True
    with contextlib.suppress(psutil.Error, OSError):
        if process.environ().get(TOKEN_VARIABLE) == token:
            return True
    with contextlib.suppress(psutil.Error, OSError):
        # Only an orphan that came to us: a person may have opened a shell in the workspace.
        return process.ppid() == os.getpid() and _is_within(process.cwd(), directory)
    return False


def _is_within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory + os.sep)


def _with_descendants(roots: Iterable[psutil.Process]) -> dict[int, psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for root in roots:
        found[root.pid] = root
        with contextlib.suppress(psutil.Error):
            found.update((child.pid, child) for child in root.children(recursive=True))
    return found


def leftovers(token: str, directory: str, *, root: int | None = None, since: float = 0.0) -> list[psutil.Process]:
    """The living processes of a job.

    Args:
        token: the value of `TOKEN_VARIABLE` in the job's environment.
        directory: the job's workspace; an orphan that works in it belongs to the job.
        root: the pid of the job's shell; its process group and descendants belong to the job.
        since: unix time before which a process was started that cannot be the job's.
    """
    me = os.getpid()
    roots = []
    for pid in _candidates(root):
        with contextlib.suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            if pid != me and process.create_time() >= since and _belongs(process, token, directory, root):
                roots.append(process)
    found = _with_descendants(roots)
    found.pop(me, None)
    return [process for process in found.values() if _is_alive(process)]


def _is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            process.send_signal(number)  # psutil compares the start time first: a reused pid is never hit


def end_tree(token: str, directory: str, *, root: int | None, since: float, grace: float) -> int:
    """End all processes of a job: SIGTERM, up to ``grace`` seconds, then SIGKILL until none is left.

    Returns:
        How many processes were found at first.
    """
    found = leftovers(token, directory, root=root, since=since)
    if not found:
        return 0
    _send(found, signal.SIGTERM)
    _send(found, signal.SIGCONT)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and any(_is_alive(process) for process in found):
        time.sleep(_POLL)
    for _ in range(50):  # a process may fork while the list is made; each round can only find fewer
        rest = leftovers(token, directory, root=root, since=since)
        if not rest:
            break
        _send(rest, signal.SIGKILL)
        time.sleep(_POLL)
    return len(found)


def end_orphans() -> None:
    """Kill every descendant of this process; to be called when no job runs any more."""
    for _ in range(50):
        with contextlib.suppress(psutil.Error):
            rest = [child for child in psutil.Process().children(recursive=True) if _is_alive(child)]
            if not rest:
                return
            _send(rest, signal.SIGKILL)
        time.sleep(_POLL)
