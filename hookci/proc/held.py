"""A program that runs beside us for as long as we do: it ends when its standard input does."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
import time
from typing import IO, TYPE_CHECKING

from msgspec import Struct

from hookci.errors import HookciError
from hookci.proc.tree import TOKEN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Held", "hold"]

_GRACE = 1.0
_MOST = 65_536
_NO_JOB = "none"
"""The mark of what no job has started, so that none that ends has to wonder."""


class Held(Struct, frozen=True):
    """A program that was started by `hold`."""

    child: subprocess.Popen[bytes]
    errors: IO[bytes]

    def says(self, line: bytes, within: float) -> bool:
        """Wait for it to write ``line``; False when it ends, writes something else, or ``within`` seconds are over."""
        said = b""
        deadline = time.monotonic() + within
        with selectors.DefaultSelector() as selector:
            output = self.child.stdout.fileno() if self.child.stdout else -1
            selector.register(output, selectors.EVENT_READ)
            while len(said) < _MOST and (left := deadline - time.monotonic()) > 0 and selector.select(left):
                chunk = os.read(output, _MOST)
                said += chunk
                if line + b"\n" in said:
                    return True
                if not chunk:
                    break
        return False

    @property
    def complaint(self) -> str:
        """The last line it wrote to its standard error, empty if none."""
        self.errors.seek(0)
        lines = self.errors.read(_MOST).decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def close(self) -> None:
        """End it and what it started: it is let go, then told, then killed."""
        for stream in (self.child.stdin, self.child.stdout):
            with contextlib.suppress(OSError):
                if stream:
                    stream.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(_GRACE)
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child.pid, number)
        self.child.wait()
        self.errors.close()


def hold(argv: Sequence[str], *, cwd: str, env: Mapping[str, str]) -> Held:
    """Start a program whose standard input stays open until `Held.close`, or until we end, whichever way.

    Raises:
        HookciError: it could not be started.
    """
    errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the program)
    try:
        child = subprocess.Popen(
            argv,
            cwd=cwd,
            env={**env, TOKEN_VARIABLE: _NO_JOB},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is told to us alone
        )
    except OSError as error:
        errors.close()
        raise HookciError(f"`{argv[0]}` could not be started: {(error.strerror or str(error)).lower()}") from error
    return Held(child, errors)
