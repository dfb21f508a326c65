"""From the bytes a job writes to lines that may be shown and stored."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from hookci.model.event import JobOutput
from hookci.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from hookci.execute.masking import Masker

__all__ = ["Output"]

_LONGEST_LINE = 65_536
"""Bytes; what is longer is broken, so that a job that never ends a line cannot fill the memory."""
_LARGEST_LOG = 256 * 1024 * 1024
_TAIL = 200


class Output:
    """One job's output: decoded, cleaned, masked, written to the log and told, line by line.

    A line is stored and told when it is complete.  What has no line end yet is told as partial once
    nothing has come for a moment, without what may be the beginning of a secret.
    """

    def __init__(self, job: str, log: BinaryIO, masker: Masker, tell: Callable[[JobOutput], None]) -> None:
        self._job = job
        self._log = log
        self._masker = masker
        self._tell = tell
        self._pending = b""
        self._shown = b""
        self._written = 0
        self._lock = threading.Lock()
        self.tail: deque[str] = deque(maxlen=_TAIL)

    def feed(self, data: bytes) -> None:
        """Take what the job has written; an empty chunk says that nothing came for a moment."""
        with self._lock:
            if not data:
                self._show_partial()
                return
            *lines, self._pending = (self._pending + data).split(b"\n")
            while len(self._pending) > _LONGEST_LINE:
                lines.append(self._break_line())
            self._put(lines)

    def _break_line(self) -> bytes:
        text = self._pending.decode(errors="surrogateescape")
        place = self._masker.place_to_break(text, len(text) * _LONGEST_LINE // len(self._pending))
        self._pending = text[place:].encode(errors="surrogateescape")
        return text[:place].encode(errors="surrogateescape")

    def say(self, text: str) -> None:
        """Add a line of hookci's own."""
        self.finish()
        with self._lock:
            self._put([text.encode(errors="surrogateescape")])

    def show(self, text: str, share: float) -> None:
        """Tell how far something is that the job waits for; that goes into no log."""
        self._tell(JobOutput(self._job, (self._masker.mask(clean(text)),), partial=True, share=share))

    def finish(self) -> None:
        """Take what has no line end as a line."""
        with self._lock:
            if self._pending:
                self._put([self._pending])
                self._pending = b""
            self._log.flush()

    def _put(self, raw: list[bytes]) -> None:
        if not raw:
            return
        lines = tuple(self._masker.mask(clean(line.decode(errors="replace"))) for line in raw)
        self.tail.extend(lines)
        content = "".join(f"{line}\n" for line in lines).encode(errors="replace")
        if self._written < _LARGEST_LOG:
            self._log.write(content)
            self._log.flush()
            self._written += len(content)
            if self._written >= _LARGEST_LOG:
                self._log.write(b"hookci: the log is full; what follows was not stored\n")
        self._shown = b""
        self._tell(JobOutput(self._job, lines))

    def _show_partial(self) -> None:
        if self._pending and self._pending != self._shown:
            self._shown = self._pending
            text = self._masker.mask(clean(self._pending.decode(errors="replace")))
            text = text[: self._masker.safe_length(text)]
            if text:
                self._tell(JobOutput(self._job, (text,), partial=True))
