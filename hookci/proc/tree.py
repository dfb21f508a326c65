"""Ending whole process trees, also those parts that try to get away.

A job's processes are found by four marks, because each alone can be shed: the process group, descent
from the job's shell, a token in the environment, and the working directory.  On Linux hookci is also
a child subreaper (prctl(2), PR_SET_CHILD_SUBREAPER), so that a process whose parents have ended stays
a descendant of hookci instead of going to init.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psutil

__all__ = ["TOKEN_VARIABLE", "adopt_orphans", "end_orphans", "end_tree", "leftovers", "release_orphans"]

TOKEN_VARIABLE = "HOOKCI_JOB_TOKEN"  # noqa: S105 (the name of a variable, no secret)

_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_CHILD_SUBREAPER = 37
_POLL = 0.02
_PIECE = 65_536
_LOOKS, _MOMENT = 3, 0.0005
"""A child that is about to become a job's shell, or git, is soon marked, or gone."""


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent ends (Linux only)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            _libc().prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _adopts_orphans.cache_clear()


def release_orphans() -> None:
    """Be no such parent any more: what a deployment starts is to outlive us, and goes to init as anywhere else."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            _libc().prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    _adopts_orphans.cache_clear()


@functools.cache
def _adopts_orphans() -> bool:
    if sys.platform != "linux":
        return False
    answer = ctypes.c_int(0)
    with contextlib.suppress(OSError, AttributeError):
        _libc().prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0)
    return answer.value == 1


def _children() -> set[bytes] | None:
    """The pids of this process's children, those that came to it too; None where the kernel does not tell."""
    if not _adopts_orphans():
        return None
    try:
        # names are all that is needed; a thread that ends leaves its children to another one, so all are read twice
        threads = os.listdir("/proc/self/task") * 2  # noqa: PTH208
        return {child for thread in threads for child in _children_of(f"self/task/{thread}")}
    except OSError:
        return None


def _newcomers() -> set[bytes] | None:
    """Those of them among which are the orphans of what this thread has started; None where the kernel does not tell.

    A process without parents becomes a child of our first thread (Linux, kernel/exit.c, find_new_reaper), before
    Linux 3.19 of the thread that has started its forefathers.  What the other threads have started is not looked at.
    """
    if not _adopts_orphans():
        return None
    try:
        found = _children_of(f"self/task/{os.getpid()}")
        return found if _first_adopts() else found | _children_of("thread-self")
    except OSError:
        return None


@functools.cache
def _first_adopts() -> bool:
    """Whether orphans go to the first thread whichever has started them."""
    release = os.uname().release.split(".")
    numbers = [int(digits) for digits in release[:2] if digits.isdigit()]
    return numbers >= [3, 19]


def _children_of(thread: str) -> set[bytes]:
    """The pids in a thread's list of children.

    One may be missing behind another one that ends while it is read (proc_pid_children(5)), so a list that is not
    empty is read twice.
    """
    path = f"/proc/{thread}/children"
    first = _read(path).split()
    return {*first, *_read(path).split()} if first else set()


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(descriptor, _PIECE):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def _has_left_nothing(token: str) -> bool:
    """Whether every child that can have come to this process says to be another job's, or has ended.

    What a job has started, and whose parents have ended, is a child of hookci (prctl(2)).  No is no certain answer.
    To be asked by the thread that has started the job.
    """
    over: set[bytes] = set()  # before the children are listed, so that what they have left is listed too
    for _ in range(_LOOKS):
        children = _newcomers()
        if children is None:
            return False
        unknown = {child for child in children - over if not _is_of_another(os.fsdecode(child), token)}
        if not unknown:
            return True
        ended = {child for child in unknown if _has_ended(int(child))}
        over |= ended
        if ended != unknown:
            time.sleep(_MOMENT)
    return False


def _is_of_another(child: str, token: str) -> bool:
    mark = b"\0" + TOKEN_VARIABLE.encode() + b"="
    with contextlib.suppress(OSError):
        environment = b"\0" + _read(f"/proc/{child}/environ")
        return mark in environment and mark + token.encode() + b"\0" not in environment
    return False


def _has_ended(child: int) -> bool:
    """Whether a child of this process waits for its end to be noticed; it is left to who has started it."""
    try:
        return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True  # it was noticed meanwhile


def _candidates(root: int | None) -> list[int]:
    """The pids that can be a descendant's: on Linux those after ``root``, and what came to us when pids start anew."""
    import psutil  # noqa: PLC0415 (dear, and most jobs leave nothing behind)

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
    import psutil  # noqa: PLC0415 (as above)

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
    import psutil  # noqa: PLC0415 (as above)

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
    import psutil  # noqa: PLC0415 (as above)

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
    import psutil  # noqa: PLC0415 (as above)

    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    import psutil  # noqa: PLC0415 (as above)

    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            process.send_signal(number)  # psutil compares the start time first: a reused pid is never hit


def end_tree(token: str, directory: str, *, root: int | None, since: float, grace: float) -> int:
    """End all processes of a job: SIGTERM, up to ``grace`` seconds, then SIGKILL until none is left.

    Returns:
        How many processes were found at first.
    """
    if root is not None and _has_left_nothing(token):
        return 0
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
    if _children() == set():
        return
    import psutil  # noqa: PLC0415 (as above)

    for _ in range(50):
        with contextlib.suppress(psutil.Error):
            rest = [child for child in psutil.Process().children(recursive=True) if _is_alive(child)]
            if not rest:
                return
            _send(rest, signal.SIGKILL)
        time.sleep(_POLL)
