"""A short program whose output is too much to be held at once: read piece by piece while it runs."""

from __future__ import annotations

import os
import selectors
import subprocess
from typing import TYPE_CHECKING

from hookci.errors import GitError
from hookci.proc.run import Done

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from os import PathLike

__all__ = ["stream"]

_CHUNK = 65_536
_COMPLAINT = 65_536
"""Bytes that are kept of the standard error, the last ones."""


def stream(
    argv: Sequence[str], *, cwd: str | PathLike[str], env: Mapping[str, str], stdin: bytes = b"", timeout: float
) -> Generator[bytes, None, None]:
    """What a program writes to its standard output, in pieces; it is killed when the iterator is closed before the end.

    Args:
        argv: the program and its arguments; no shell is involved.
        cwd: where it starts.
        env: its whole environment.
        stdin: what it can read.
        timeout: seconds without output after which it is killed; the time its reader takes does not count.

    Raises:
        GitError: the program is not there, was silent for too long, or failed.
    """
    try:
        child = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # as in run()
        )
    except OSError as error:
        raise GitError(f"`{argv[0]}` could not be started: {error.strerror}") from error
    with child:
        pipes = _Pipes(child, stdin)
        try:
            yield from pipes.output(timeout)
        finally:
            pipes.close()
            if not pipes.ended:
                child.kill()
        done = Done(tuple(argv), child.wait(), b"", bytes(pipes.complaint))
    if not pipes.ended:
        raise GitError(f"`{' '.join(argv)}` was silent for {timeout:g} s")
    if done.returncode != 0:
        raise GitError(f"`{' '.join(argv)}` failed: {done.complaint}")


class _Pipes:
    """Feeds a process and reads what it says, whichever it is ready for."""

    def __init__(self, child: subprocess.Popen[bytes], stdin: bytes) -> None:
        self.ended = False
        self.complaint = bytearray()
        self._rest = memoryview(stdin)
        self._selector = selectors.DefaultSelector()
        for name, pipe in (("in", child.stdin), ("out", child.stdout), ("err", child.stderr)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                event = selectors.EVENT_WRITE if name == "in" else selectors.EVENT_READ
                self._selector.register(pipe, event, name)

    def close(self) -> None:
        self._selector.close()

    def output(self, timeout: float) -> Iterator[bytes]:
        """What comes on standard output, until both pipes end or nothing moves for ``timeout`` seconds."""
        while any(key.data != "in" for key in self._selector.get_map().values()):
            ready = self._selector.select(timeout)
            if not ready:
                return
            for key, _events in ready:
                if key.data == "in":
                    self._write(key)
                elif data := self._read(key):
                    yield data
        self.ended = True

    def _read(self, key: selectors.SelectorKey) -> bytes:
        data = os.read(key.fd, _CHUNK)
        if not data:
            self._selector.unregister(key.fileobj)
        elif key.data == "err":
            self.complaint = (self.complaint + data)[-_COMPLAINT:]
            return b""
        return data

    def _write(self, key: selectors.SelectorKey) -> None:
        try:
            self._rest = self._rest[os.write(key.fd, self._rest[:_CHUNK]) :] if self._rest else self._rest
        except BrokenPipeError:  # it has ended without reading all
            self._rest = self._rest[:0]
        if not self._rest:
            self._selector.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]  # a pipe of Popen's
