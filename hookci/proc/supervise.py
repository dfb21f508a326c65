"""One job's process: started in a session of its own, followed, and ended with all it has started."""

from __future__ import annotations

import contextlib
import functools
import os
import select
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import HookciError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Cancel", "Ended", "Supervised", "end_group", "exit_text", "supervise"]

_CHUNK = 65_536
_GRACE = 1.0
"""Seconds between SIGTERM and SIGKILL; a deadline or Ctrl-C is over within 3 s (issue: the gate)."""
_DRAIN_FIRST = 0.05
"""Seconds for the last output after the shell has ended; whoever holds the pipe open longer is ended."""
_DRAIN = 0.5
"""Seconds to wait for what is in the pipe when all are ended."""
_PIPE = 1024 * 1024
"""Bytes that can be in a pipe (pipe(7), pipe-max-size)."""
_FIRST = 0.003
"""Seconds for which the first output may gather: many commands are over by then, and woke us but once."""
_POLL = 0.02
_IDLE = 0.1
"""Seconds after which output without a line end is shown."""
_LONGEST = 86_400.0
"""Seconds to wait at a time: poll(2) takes no more than 24 days."""


_SPARE: list[tuple[int, int]] = []
"""Pipes through which nobody was woken; the next one takes them."""
_MOST_SPARE = 4


class Cancel:
    """A request to end, that may come from any thread or a signal handler and wakes whoever waits for it too."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._ends: tuple[int, int] | None = None
        self._reason: str | None = None

    @property
    def reason(self) -> str | None:
        """Why the end was asked for, or None while nobody did."""
        return self._reason

    def request(self, reason: str) -> None:
        """Ask for the end; the first reason stays."""
        with self._lock:
            if self._reason is None:
                self._reason = reason
                self._wake()

    def fileno(self) -> int:
        """A descriptor that is readable once the end was asked for; made for the first who waits for it."""
        with self._lock:
            if self._ends is None:
                try:
                    self._ends = _SPARE.pop()
                except IndexError:
                    self._ends = os.pipe()
                if self._reason is not None:
                    self._wake()
            return self._ends[0]

    def _wake(self) -> None:
        if self._ends is not None:
            os.write(self._ends[1], b"x")

    def close(self) -> None:
        """Give the descriptors back; nobody waits any more."""
        with self._lock:
            ends, self._ends = self._ends, None
            used = self._reason is not None
        if ends is None:
            return
        if not used and len(_SPARE) < _MOST_SPARE:
            _SPARE.append(ends)
            return
        for descriptor in ends:
            os.close(descriptor)


class Ended(Struct, frozen=True):
    """How a supervised process ended: ``why`` is ``exit``, ``timeout`` or ``cancel``."""

    why: str
    returncode: int
    seconds: float


class Supervised(Struct, frozen=True, kw_only=True):
    """What to start: the program, where, with which whole environment, and for how many seconds at most.

    ``token`` marks its processes (see `hookci.proc.tree`), ``directory`` is the workspace they live in.  ``errors`` is
    a new file for its standard error, None for one stream with its output.  With ``lasting``, what the program has
    put into the background stays when it ends by itself, and what has a session of its own stays in any case: that is
    how a deployment starts what it deploys.
    """

    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str]
    timeout: float
    token: str
    directory: str
    errors: Path | None = None
    lasting: bool = False


class _Follower:
    """Reads a pipe and waits for a process, a deadline and a request to cancel, all at once."""

    def __init__(
        self, child: subprocess.Popen[bytes], pipe: int, sink: Callable[[bytes], None], cancel: Cancel
    ) -> None:
        self._child = child
        self._pipe = pipe
        self._sink = sink
        self._cancel = cancel
        self._open = True
        self._pidfd = self._watch_child()
        self._all = select.poll()
        for watched in (cancel, self._pidfd):
            if watched is not None:
                self._all.register(watched, select.POLLIN)

    def _watch_child(self) -> int | None:
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                return os.pidfd_open(self._child.pid)
        return None

    def close(self) -> None:
        if self._pidfd is not None:
            os.close(self._pidfd)
        os.close(self._pipe)

    def _read(self) -> int:
        data = os.read(self._pipe, _CHUNK)
        if data:
            self._sink(data)
        else:
            self._open = False
            self._all.unregister(self._pipe)
        return len(data)

    def until(self, deadline: float) -> str:
        """Pass output on until the process ends (``exit``), it is time (``timeout``), or ``cancel``."""
        show_at: float | None = None
        if self._pidfd is not None:
            self._all.poll(_FIRST * 1000)
        self._all.register(self._pipe, select.POLLIN)
        while True:
            now = time.monotonic()
            if self._cancel.reason is not None:
                return "cancel"
            if now >= deadline:
                return "timeout"
            if show_at is not None and now >= show_at:
                self._sink(b"")
                show_at = None
            next_look = min(deadline, now + (_IDLE if self._pidfd is None else _LONGEST))
            ready = {descriptor for descriptor, _ in self._all.poll((min(next_look, show_at or deadline) - now) * 1000)}
            if self._pipe in ready and self._read():
                show_at = show_at or time.monotonic() + _IDLE
            if (self._pidfd is None or self._pidfd in ready) and self._child.poll() is not None:
                return "exit"

    def drain(self, seconds: float) -> None:
        """Pass on what is in the pipe; waits ``seconds`` for more at most should somebody hold the pipe open."""
        if not self._open:
            return
        left = _PIPE
        pipe = select.poll()
        pipe.register(self._pipe, select.POLLIN)
        # only waiting counts, not the time that passing it on takes: nothing that was written may be lost
        while self._open and left > 0 and seconds > 0:
            asked = time.monotonic()
            ready = pipe.poll(seconds * 1000)
            seconds -= time.monotonic() - asked
            left -= self._read() if ready else 0


@functools.cache
def _nothing() -> int:
    """What has nothing to read: opened once, as all jobs share it."""
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


def _start(what: Supervised, output: int) -> subprocess.Popen[bytes]:
    try:
        with what.errors.open("xb") if what.errors else contextlib.nullcontext(subprocess.STDOUT) as errors:
            return subprocess.Popen(
                what.argv,
                cwd=what.cwd,
                env=what.env,
                stdin=_nothing(),
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
    except OSError as error:
        raise HookciError(f"`{what.argv[0]}` could not be started: {error.strerror}") from error


def _start_piped(what: Supervised) -> tuple[subprocess.Popen[bytes], int]:
    """Start the program; also the end of a pipe from which its output is read."""
    pipe, output = os.pipe()
    try:
        return _start(what, output), pipe
    except BaseException:
        os.close(pipe)
        raise
    finally:
        os.close(output)


def supervise(what: Supervised, sink: Callable[[bytes], None], cancel: Cancel, started: Callable[[], None]) -> Ended:
    """Run a job's program and end everything it has started.

    Args:
        what: the program and its surroundings.
        sink: gets the output (standard output and error in one stream, in order) as it comes, and an empty
            chunk a moment later: time to show what has no line end.
        cancel: ends it early.
        started: called once the process runs.

    Raises:
        HookciError: the program could not be started.
    """
    begun, clock = time.time(), time.monotonic()
    cancel.fileno()  # there should be no room for another descriptor, that is found out before the process runs
    child, pipe = _start_piped(what)
    follower = _Follower(child, pipe, sink, cancel)
    try:
        started()
        why = follower.until(clock + what.timeout)
        if why == "exit":
            follower.drain(_DRAIN_FIRST)
        _end(what, child, begun, why)
        follower.drain(_DRAIN)
    finally:
        if child.poll() is None:
            _end(what, child, begun, "cancel")
        follower.close()
    return Ended(why, child.wait(), time.monotonic() - clock)


def _end(what: Supervised, child: subprocess.Popen[bytes], begun: float, why: str) -> None:
    if not what.lasting:
        _end_all(what, child, begun)
    elif why != "exit":
        end_group(child.pid, child.poll)


def end_group(leader: int, ended: Callable[[], object]) -> None:
    """End a process group: asked first, then killed; ``ended`` says something but None once its leader is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while ended() is None and time.monotonic() < deadline:
        time.sleep(_POLL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _end_all(what: Supervised, child: subprocess.Popen[bytes], begun: float) -> None:
    from hookci.proc.tree import end_tree  # noqa: PLC0415 (psutil is imported while the first job runs, not before)

    # One second of slack: create_time is the kernel's, in ticks since boot.
    end_tree(what.token, what.directory, root=child.pid, since=begun - 1, grace=_GRACE)
    if child.poll() is None:
        child.kill()
        child.wait()


def exit_text(returncode: int) -> str:
    """What a person calls an exit status: ``exit status 2`` or ``ended by SIGKILL``."""
    if returncode >= 0:
        return f"exit status {returncode}"
    with contextlib.suppress(ValueError):
        return f"ended by {signal.Signals(-returncode).name}"
    return f"ended by signal {-returncode}"
