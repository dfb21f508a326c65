"""What is said of a push that takes long while git holds its connection open."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hookci.model.event import Notice, RunStarted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.model.event import Event, Observer

__all__ = ["saying_that_it_takes_long"]

_LONG = 30.0
"""Seconds; servers and what is between begin to end idle connections after a minute."""
_INSTEAD = (
    ", and git holds its connection open all the while, which may not last: "
    "`hookci push` connects when all is judged, `hookci install --background` begins with the commit"
)


@contextmanager
def saying_that_it_takes_long(tell: Observer, *, unless: bool = False, long: float = _LONG) -> Iterator[Observer]:
    """Tell what ``tell`` is told, and once what to do instead of a push that takes longer than ``long`` seconds.

    That is said at once where it can be known, and else when the time is over; and not at all with ``unless``.
    """
    if unless:
        yield tell
        return
    telling = _Telling(tell, long)
    try:
        yield telling
    finally:
        telling.close()


class _Telling:
    def __init__(self, tell: Observer, long: float) -> None:
        self._tell = tell
        self._long = long
        self._timer: threading.Timer | None = None
        self._said = False

    def __call__(self, event: Event) -> None:
        self._tell(event)
        if not isinstance(event, RunStarted):
            return
        if event.expected is not None and event.expected > self._long:
            from hookci.report.words import rough  # noqa: PLC0415 (few runs are long)

            self._say(f"this takes about {rough(event.expected)}")
        elif self._timer is None:
            self._timer = threading.Timer(self._long, self._say, [f"this takes longer than {self._long:g}s"])
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def _say(self, words: str) -> None:
        if not self._said:
            self._said = True
            self._tell(Notice(words + _INSTEAD))
