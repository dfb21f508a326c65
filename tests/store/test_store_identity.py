from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hookci.store.identity import ProcessIdentity, identify, is_alive

if TYPE_CHECKING:
    from pathlib import Path

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the /proc of Linux")


def test_this_process_is_alive_and_keeps_its_identity() -> None:
    first, second = identify(os.getpid()), identify(os.getpid())

    assert first is not None
    assert first == second
    assert is_alive(first)


def test_a_process_that_took_over_the_pid_of_another_is_not_taken_for_it() -> None:
    identity = identify(os.getpid())
    assert identity is not None

    earlier = ProcessIdentity(identity.pid, identity.start + "1")

    assert not is_alive(earlier)


def test_a_process_is_dead_from_its_end_on_even_before_its_parent_has_asked() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        identity = identify(child.pid)
        assert identity is not None
        before = is_alive(identity)
        child.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

        as_zombie = is_alive(identity)
    after = is_alive(identity)

    assert (before, as_zombie, after) == (True, False, False)


@linux_only
def test_a_program_name_with_blanks_and_parentheses_does_not_confuse(tmp_path: Path) -> None:
    program = tmp_path / "a) Z 1 (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as child:
        identity = identify(child.pid)
        child.kill()

    assert identity is not None
    assert identity.start.rpartition(":")[2].isdigit()


@linux_only
def test_without_proc_a_process_is_told_by_its_creation_time(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        identity = identify(child.pid, proc=tmp_path)
        assert identity is not None
        before = is_alive(identity, proc=tmp_path)
        child.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        as_zombie = is_alive(identity, proc=tmp_path)
    after = is_alive(identity, proc=tmp_path)

    assert float(identity.start) > 0
    assert (before, as_zombie, after) == (True, False, False)
