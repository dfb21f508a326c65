"""Short programs that hookci itself needs, such as git: started, waited for, their output returned."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

__all__ = ["Done", "Started", "run", "run_attached", "run_here", "start", "start_detached"]

_LONGEST = 86_400.0
"""Seconds to wait at a time: poll(2) takes no more than 24 days."""


class Done(Struct, frozen=True):
    """How a program ended: its exit status (negative: the signal that ended it) and what it wrote."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes

    @property
    def complaint(self) -> str:
        """The last line the program wrote to its standard error, or its exit status."""
        lines = self.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit status {self.returncode}"


class Started(Struct, frozen=True):
    """A program that is running; ``stdin`` is what it has not been given yet."""

    argv: tuple[str, ...]
    child: subprocess.Popen[bytes]
    stdin: bytes

    def done(self, timeout: float) -> Done:
        """Wait for its end for ``timeout`` seconds, then kill it; to be called once.

        Raises:
            GitError: it did not end in time.
        """
        try:
            with self.child as child:
                try:
                    stdout, stderr = child.communicate(self.stdin or None, timeout)
                except BaseException:
                    child.kill()
                    raise
        except subprocess.TimeoutExpired as error:
            raise GitError(f"`{' '.join(self.argv)}` did not end within {timeout:g} s") from error
        except OSError as error:
            raise GitError(f"`{self.argv[0]}` cannot be followed: {error.strerror}") from error
        return Done(self.argv, child.returncode, stdout, stderr)


def start(argv: Sequence[str], *, cwd: str | PathLike[str], env: Mapping[str, str], stdin: bytes = b"") -> Started:
    """Start a program whose output is asked for later.

    Args:
        argv: the program and its arguments; no shell is involved.
        cwd: where it starts.
        env: its whole environment.
        stdin: what it can read; when it is little, at once.

    Raises:
        GitError: the program is not there.
    """
    try:
        child = _Child(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is told to us alone: a checkout cut short would be made anew
        )
    except FileNotFoundError as error:
        raise GitError(f"`{argv[0]}` could not be started: {error.strerror}: {error.filename}") from error
    except OSError as error:
        raise GitError(f"`{argv[0]}` could not be started: {error.strerror}") from error
    if child.stdin and len(stdin) <= select.PIPE_BUF:
        with contextlib.suppress(BrokenPipeError), child.stdin as pipe:
            pipe.write(stdin)
        child.stdin, stdin = None, b""
    return Started(tuple(argv), child, stdin)


def run(
    argv: Sequence[str], *, cwd: str | PathLike[str], env: Mapping[str, str], stdin: bytes = b"", timeout: float
) -> Done:
    """Run a program to its end, which is waited for ``timeout`` seconds; the rest is as for `start`.

    Raises:
        GitError: the program is not there, or did not end in time.
    """
    return start(argv, cwd=cwd, env=env, stdin=stdin).done(timeout)


class _Child(subprocess.Popen[bytes]):
    """A process whose end wakes who waits for it."""

    def wait(self, timeout: float | None = None) -> int:
        """See `subprocess.Popen.wait`, where `communicate` waits too.

        Given a timeout it sleeps for 0.5 ms, 1 ms, and so on between two looks: as long as most of git takes.
        """
        if timeout is not None and self.returncode is None and hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):  # not everywhere
                descriptor = os.pidfd_open(self.pid)
                try:
                    end = select.poll()
                    end.register(descriptor, select.POLLIN)
                    end.poll(min(max(timeout, 0), _LONGEST) * 1000)
                finally:
                    os.close(descriptor)
        return super().wait(timeout)


def run_attached(argv: Sequence[str], *, cwd: str | PathLike[str], env: Mapping[str, str], stdin: bytes | None) -> int:
    """Run a program that talks to the person itself (a pager, say); the result is its exit status."""
    return subprocess.run(argv, cwd=cwd, env=env, input=stdin, check=False).returncode


def run_here(argv: Sequence[str], *, cwd: str | PathLike[str], env: Mapping[str, str]) -> Done:
    """Run a program that may ask the person something on the terminal; what it writes is kept.

    Raises:
        GitError: it could not be started.
    """
    try:
        done = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        raise GitError(f"`{argv[0]}` could not be started: {error.strerror}") from error
    return Done(tuple(argv), done.returncode, done.stdout, done.stderr)


def start_detached(argv: Sequence[str], *, cwd: str | PathLike[str], env: Mapping[str, str], output: int) -> None:
    """Start a program that outlives us: in a session of its own, with nothing of ours but the descriptor ``output``.

    Raises:
        GitError: it could not be started.
    """
    try:
        child = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    except OSError as error:
        raise GitError(f"`{argv[0]}` could not be started: {error.strerror}") from error
    # nobody waits for it, which Popen would warn of
    child.returncode = 0
