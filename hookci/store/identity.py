"""Which process is meant by a process id, also after the number was given to another one."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

__all__ = ["ProcessIdentity", "identify", "is_alive"]

_PROC = Path("/proc")
_STATE = 0
_START_TIME = 19
_DEAD = ("Z", "X")


class ProcessIdentity(Struct, frozen=True):
    """A process: its ``pid``, and a ``start`` token that no other process with that pid has."""

    pid: int
    start: str


def identify(pid: int, *, proc: Path = _PROC) -> ProcessIdentity | None:
    """Say who ``pid`` is now; None when no such process runs (a zombie does not run).

    On Linux the token is the boot id and the start time in clock ticks, proc(5), ``/proc/pid/stat``
    field 22; both stay the same when the wall clock is set.  Elsewhere it is psutil's create time.
    """
    boot = _read(proc / "sys/kernel/random/boot_id")
    if boot is None:
        return _identify_elsewhere(pid)
    line = _read(proc / str(pid) / "stat")
    if line is None:
        return None
    # field 2 is the program's name in parentheses and may hold blanks and parentheses
    fields = line.rpartition(")")[2].split()
    if fields[_STATE] in _DEAD:
        return None
    return ProcessIdentity(pid, f"{boot.strip()}:{fields[_START_TIME]}")


def is_alive(identity: ProcessIdentity, *, proc: Path = _PROC) -> bool:
    """Whether exactly this process still runs."""
    return identify(identity.pid, proc=proc) == identity


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _identify_elsewhere(pid: int) -> ProcessIdentity | None:
    import psutil  # noqa: PLC0415 -- dear, and needed only where there is no /proc

    try:
        process = psutil.Process(pid)
        if process.status() in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}:
            return None
        return ProcessIdentity(pid, repr(process.create_time()))
    except psutil.NoSuchProcess:
        return None
