from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from hookci.errors import StateError
from hookci.store.locks import FileLock
from hookci.store.private import private_directory

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys, time
from pathlib import Path
from hookci.store.locks import FileLock
with FileLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
COUNT = """
import sys
from pathlib import Path
from hookci.store.locks import FileLock
counter = Path(sys.argv[2])
for _ in range(100):
    with FileLock(Path(sys.argv[1])):
        counter.write_text(str(int(counter.read_text()) + 1))
"""

FORK = """
import os, signal, sys
from pathlib import Path
from hookci.store.locks import FileLock
path = Path(sys.argv[1])
with FileLock(path):
    child = os.fork()
    if child == 0:
        signal.pause()
print(FileLock(path).try_acquire())
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
"""
START_AND_HOLD = """
import subprocess, sys, time
from pathlib import Path
from hookci.store.locks import FileLock
with FileLock(Path(sys.argv[1])):
    print(subprocess.Popen(["sleep", "60"], close_fds=False, stdout=subprocess.DEVNULL).pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return private_directory(tmp_path / "hookci") / "a.lock"


def python(script: str, *arguments: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-I", "-c", script, *map(str, arguments)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def test_a_lock_taken_by_another_process_is_free_again_right_after_its_holder_was_killed(path: Path) -> None:
    with python(HOLD, path) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        lock = FileLock(path)

        while_held = lock.try_acquire()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        afterwards = lock.try_acquire()
    lock.release()

    assert (while_held, afterwards) == (False, True)


def test_a_lock_excludes_another_lock_of_the_same_process_and_itself(path: Path) -> None:
    first, second = FileLock(path), FileLock(path)

    taken = first.try_acquire(), first.try_acquire(), second.try_acquire()
    first.release()
    taken_then = second.try_acquire()
    second.release()

    assert taken == (True, False, False)
    assert taken_then


def test_waiting_for_a_lock_ends_when_it_stays_taken(path: Path) -> None:
    with FileLock(path):
        waited = FileLock(path).acquire(timeout=0.02, poll=0.01)

    assert waited is False


def test_waiting_for_a_lock_ends_with_it_when_its_holder_lets_go(path: Path) -> None:
    holder, waiter = FileLock(path), FileLock(path)
    assert holder.try_acquire()
    timer = threading.Timer(0.05, holder.release)
    timer.start()

    waited = waiter.acquire(timeout=30, poll=0.01)
    timer.join()
    waiter.release()

    assert waited


def test_releasing_a_lock_that_is_not_held_does_nothing(path: Path) -> None:
    lock = FileLock(path)

    lock.release()

    assert lock.try_acquire()
    lock.release()


def test_the_file_of_a_lock_is_private_and_stays(path: Path) -> None:
    with FileLock(path):
        pass

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_waiter_on_a_removed_lock_file_does_not_share_the_lock_with_a_newcomer(path: Path) -> None:
    holder, waiter, newcomer = FileLock(path), FileLock(path), FileLock(path)
    assert holder.try_acquire()
    waiting = threading.Thread(target=waiter.__enter__)
    waiting.start()
    # the waiter has the old file open by now, or will find the new one; either must do
    waiting.join(0.1)
    path.unlink()
    assert newcomer.try_acquire()

    holder.release()
    waiting.join(0.2)
    still_waiting = waiting.is_alive()
    newcomer.release()
    waiting.join(30)

    assert still_waiting
    assert not FileLock(path).try_acquire()
    waiter.release()


def test_a_symlinked_lock_file_is_refused_and_its_target_not_made(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "target")

    with pytest.raises(StateError, match=r"a\.lock is a symlink"):
        FileLock(path).try_acquire()

    assert not (tmp_path / "target").exists()


def test_processes_that_count_under_the_lock_lose_no_count(path: Path, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    counting = [python(COUNT, path, counter) for _ in range(4)]
    codes = [process.wait() for process in counting]
    for process in counting:
        process.communicate()

    assert codes == [0] * 4
    assert counter.read_text() == "400"


def test_a_child_between_fork_and_exec_does_not_keep_a_released_lock(path: Path) -> None:
    with python(FORK, path) as process:
        answer, _ = process.communicate(timeout=60)

    assert answer == "True\n"


def test_a_started_program_does_not_keep_the_lock_of_a_holder_that_was_killed(path: Path) -> None:
    with python(START_AND_HOLD, path) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        holder.send_signal(signal.SIGKILL)
        holder.wait()

        lock = FileLock(path)
        taken = lock.try_acquire()
        lock.release()
        os.kill(child, signal.SIGKILL)

    assert taken


def test_what_is_noted_in_a_lock_takes_the_place_of_what_was_noted_before(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    assert lock.try_acquire()

    lock.note(b"a long note")
    lock.note(b"short")
    lock.release()
    lock.note(b"too late")

    assert lock.path.read_bytes() == b"short"
