"""Health checks of a deployment, from outside: all hold in time, and then all go on to hold."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, wait
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.deploy.probes import POLL, HealthDesk, Probe, in_thread, look, name, probe, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hookci.model.environment import Check

__all__ = ["Health", "HealthDesk", "Probe", "check_health", "probe"]


class Health(Struct, frozen=True, kw_only=True):
    """Whether all checks held.

    ``reason`` is one line: which check, what was expected, what was seen instead; or why the end was asked for, when
    it was ``cancelled``.  ``seconds`` is what it took.
    """

    is_healthy: bool
    reason: str = ""
    seconds: float = 0.0
    cancelled: bool = False


def check_health(checks: Sequence[Check], desk: HealthDesk) -> Health:
    """See whether all ``checks`` come to hold, each in its own time, and then go on to hold, each for its own time.

    They are made side by side, and the first that fails ends all.  No checks are healthy.  A command that runs is
    always waited for, so that none outlives the verdict: ``desk.run`` is to end it on a request to cancel.  Of a
    url's user and password nothing is ever shown; other secrets are for the caller to mask, here as in every line.

    Raises:
        HookciError: ``desk.run`` could not start a command.
    """
    begun = desk.clock()
    reason, cancelled = _verdict(checks, desk)
    return Health(is_healthy=not reason, reason=reason, seconds=desk.clock() - begun, cancelled=cancelled)


def _verdict(checks: Sequence[Check], desk: HealthDesk) -> tuple[str, bool]:
    """Why they are not healthy, if so, and whether that is because the end was asked for."""
    stop, lines = threading.Event(), SimpleQueue[str]()
    watchers = [_Watcher(check, desk, stop, lines.put) for check in checks]
    reason, cancelled = _side_by_side([one.comes_to_hold for one in watchers], desk, stop, lines)
    lasting = [one for one in watchers if one.check.stable > 0]
    if reason or not lasting:
        return reason, cancelled
    desk.say(f"every check holds; watching for {max(one.check.stable for one in lasting):g} s")
    return _side_by_side([one.goes_on_to_hold for one in lasting], desk, stop, lines)


def _side_by_side(
    duties: Sequence[Callable[[], str]], desk: HealthDesk, stop: threading.Event, lines: SimpleQueue[str]
) -> tuple[str, bool]:
    """Run ``duties`` in threads until one has a reason, all are through, or the end is asked for."""
    futures = [in_thread(duty) for duty in duties]
    pending = set(futures)
    reason = ""
    try:
        while pending and not reason:
            done, pending = wait(pending, timeout=POLL, return_when=FIRST_COMPLETED)
            why = desk.cancelled()  # first: a command that was ended for it has not failed
            if why is not None:
                return why or "cancelled", True
            _say_all(lines, desk)
            reason = next((found for one in futures if one in done and (found := one.result())), "")
    finally:
        if pending:
            stop.set()
            wait(futures)
    return reason, False


def _say_all(lines: SimpleQueue[str], desk: HealthDesk) -> None:
    """Say in the caller's thread what the others have put down."""
    while True:
        try:
            line = lines.get_nowait()
        except Empty:
            return
        desk.say(line)


class _Watcher:
    """One check, looked at again and again; both duties give the reason why it failed, empty when it did not."""

    def __init__(self, check: Check, desk: HealthDesk, stop: threading.Event, say: Callable[[str], None]) -> None:
        self.check = check
        self._desk, self._stop, self._say = desk, stop, say
        self._name = name(check, desk.variables)
        self._last: Probe | None = None

    def comes_to_hold(self) -> str:
        """Look until it was as wanted often enough in a row, or its time is over."""
        check, end = self.check, self._desk.clock() + self.check.within
        row = 0
        while (left := end - self._desk.clock()) > 0 and not self._stop.is_set():
            seen = self._look(min(check.timeout, left))
            # a look that was cut short by the end tells nothing, unless it is the only one
            if self._desk.clock() <= end or self._last is None:
                self._tell(seen)
                row = row + 1 if seen.ok else 0
            if row >= check.successes:
                return ""
            self._stop.wait(max(0.0, min(check.interval, end - self._desk.clock())))
        return self._failed(f"{self._times()}within {check.within:g} s, last saw")

    def goes_on_to_hold(self) -> str:
        """Look until ``stable`` seconds are over; the last look begins after them, and the first failure is one."""
        check, begun = self.check, self._desk.clock()
        is_over = False
        while not is_over:
            left = begun + check.stable - self._desk.clock()
            if self._stop.wait(max(0.0, min(check.interval, left))):
                break
            is_over = self._desk.clock() >= begun + check.stable
            seen = self._look(check.timeout)
            self._tell(seen)
            if not seen.ok:
                after = self._desk.clock() - begun
                return self._failed(f"to go on for {check.stable:g} s, after {after:.1f} s saw")
        return ""

    def _look(self, seconds: float) -> Probe:
        return look(self.check, self._desk, seconds, self._stop.is_set)

    def _tell(self, seen: Probe) -> None:
        """Say what was seen when it is not what was seen before; a healthy answer may change."""
        last, self._last = self._last, seen
        if not self._stop.is_set() and (last is None or last.ok != seen.ok or (last.seen != seen.seen and not seen.ok)):
            self._say(f"{self._name}: {seen.seen}{', as expected' if seen.ok else ''}")

    def _times(self) -> str:
        return f"{self.check.successes} times in a row " if self.check.successes > 1 else ""

    def _failed(self, how: str) -> str:
        seen = self._last.seen if self._last else "nothing"
        return f"{self._name}: expected {wanted(self.check, self._desk.variables)} {how} {seen}"
