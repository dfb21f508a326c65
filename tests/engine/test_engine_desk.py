"""What is done beside the rest."""

from __future__ import annotations

import threading

import pytest

from hookci.engine.desk import meanwhile
from hookci.errors import HookciError


def test_what_is_done_meanwhile_is_waited_for() -> None:
    may, done = threading.Event(), threading.Event()

    def work() -> None:
        may.wait()
        done.set()

    wait = meanwhile(work)
    was_done = done.is_set()
    may.set()
    wait()

    assert (was_done, done.is_set()) == (False, True)


def test_what_went_wrong_meanwhile_is_said_to_each_that_waits() -> None:
    def work() -> None:
        raise HookciError("the engine is gone")

    wait = meanwhile(work)

    for _ in range(2):
        with pytest.raises(HookciError, match="the engine is gone"):
            wait()
