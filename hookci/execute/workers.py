"""Threads that do one piece of work after the other."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Workers"]


class Workers:
    """As many threads as there was ever work at once; a thousand short jobs need no thousand threads.

    Whoever gives out work says when a piece of it is `done`.  One thread at a time.
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads = 0
        self._busy = 0

    def do(self, work: Callable[[], None]) -> None:
        """Have ``work`` done at once; it must not raise."""
        self._busy += 1
        self._work.put(work)
        if self._busy > self._threads:
            self._threads += 1
            threading.Thread(target=self._take, name=f"jobs {self._threads}", daemon=True).start()

    def done(self) -> None:
        """One piece of work is over; its thread is free, or will be at once."""
        self._busy -= 1

    def close(self) -> None:
        """Let the threads end when there is nothing left to do."""
        for _ in range(self._threads):
            self._work.put(None)

    def _take(self) -> None:
        while (work := self._work.get()) is not None:
            work()
