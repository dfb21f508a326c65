"""Following one process: its output, its end, and the end of all it has started."""

from __future__ import annotations

import os
import secrets
import select
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
import pytest
from conftest import stress

from hookci.errors import HookciError
from hookci.proc.supervise import Cancel, Supervised, exit_text, supervise
from hookci.proc.tree import TOKEN_VARIABLE, adopt_orphans, end_orphans, end_tree, leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hookci.proc.supervise import Ended


@dataclass
class Watched:
    """One supervised shell script: what it wrote, in which pieces, and how it ended."""

    place: Path
    pieces: list[bytes] = field(default_factory=list)
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    slowness: float = 0.0

    def sink(self, data: bytes) -> None:
        self.pieces.append(data)
        time.sleep(self.slowness)

    def run(self, script: str, *, timeout: float = 30.0, cancel: Cancel | None = None) -> Ended:
        what = Supervised(
            argv=["sh", "-c", script],
            cwd=str(self.place),
            env={"PATH": os.environ["PATH"], TOKEN_VARIABLE: self.token},
            timeout=timeout,
            token=self.token,
            directory=str(self.place),
        )
        return supervise(what, self.sink, cancel or Cancel(), lambda: None)

    @property
    def output(self) -> bytes:
        return b"".join(self.pieces)

    def alive(self) -> list[psutil.Process]:
        return leftovers(self.token, str(self.place))


@pytest.fixture(autouse=True)
def _adopted() -> Iterator[None]:
    """The tests' own process takes the part of hookci's."""
    adopt_orphans()
    yield
    end_orphans()


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        ("true", 0, "exit status 0"),
        ("exit 7", 7, "exit status 7"),
        ("kill -TERM $$", -15, "ended by SIGTERM"),
        ("kill -KILL $$", -9, "ended by SIGKILL"),
    ],
)
def test_the_exit_status_is_that_of_the_process(tmp_path: Path, script: str, status: int, words: str) -> None:
    ended = Watched(tmp_path).run(script)

    assert (ended.why, ended.returncode) == ("exit", status)
    assert exit_text(ended.returncode) == words


def test_an_unknown_signal_is_told_by_its_number() -> None:
    assert exit_text(-63) in {"ended by signal 63", "ended by SIGRTMAX-1"}
    assert exit_text(-200) == "ended by signal 200"


def test_both_streams_come_in_the_order_they_were_written(tmp_path: Path) -> None:
    watched = Watched(tmp_path)

    watched.run("for i in 1 2 3 4 5; do echo out$i; echo err$i >&2; done")

    assert watched.output == b"".join(b"out%d\nerr%d\n" % (number, number) for number in range(1, 6))


def test_nothing_that_was_written_is_lost_however_slowly_it_is_taken(tmp_path: Path) -> None:
    for _ in range(stress(2)):
        watched = Watched(tmp_path, slowness=0.1)

        ended = watched.run("head -c 1000000 /dev/zero; echo end")

        assert ended.why == "exit"
        assert watched.output == b"\0" * 1_000_000 + b"end\n"


def test_what_has_no_line_end_is_asked_for_while_more_keeps_coming(tmp_path: Path) -> None:
    watched = Watched(tmp_path)

    watched.run("for i in $(seq 40); do printf .; sleep 0.02; done")

    assert watched.output == b"." * 40
    assert 3 <= watched.pieces.count(b"") <= 15  # 0.8 s, at most every 0.1 s


def test_silence_costs_nothing(tmp_path: Path) -> None:
    watched = Watched(tmp_path)

    watched.run("echo one; sleep 1")

    assert watched.pieces.count(b"") == 1


def test_a_pipe_that_somebody_holds_open_does_not_hold_us(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    begun = time.monotonic()

    ended = watched.run(
        "(setsid sh -c 'trap \"\" TERM; while :; do echo again; sleep 0.02; done' &) ; sleep 0.2; exit 3"
    )

    assert ended.returncode == 3
    assert time.monotonic() - begun < 8
    assert watched.alive() == []


def test_a_writer_nobody_can_find_does_not_hold_us(tmp_path: Path) -> None:
    program = "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\nos.chdir('/')\n"
    (tmp_path / "hide.py").write_text(program + "os.execvpe('yes', ['yes'], {'PATH': os.environ['PATH']})\n")
    begun = time.monotonic()

    ended = Watched(tmp_path).run(f"{sys.executable} hide.py; sleep 0.3")

    # without token, group, session and directory it is nobody's, and ends with the run
    assert ended.returncode == 0
    assert time.monotonic() - begun < 8
    end_orphans()
    assert [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.parametrize(
    "script",
    [
        "sleep 300",
        "setsid sleep 300 & nohup sleep 300 >/dev/null 2>&1 & sleep 300",
        "trap '' TERM; while :; do sleep 300; done",
        "(env -i sleep 300 &) ; sleep 300",
        "sleep 300 & kill -STOP $!; sleep 300",
    ],
)
@pytest.mark.parametrize("how", ["timeout", "cancel"])
def test_a_deadline_or_a_request_ends_the_whole_tree_within_three_seconds(
    tmp_path: Path, script: str, how: str
) -> None:
    watched, cancel = Watched(tmp_path), Cancel()
    timer = threading.Timer(0.3, cancel.request, ["enough"])
    if how == "cancel":
        timer.start()
    begun = time.monotonic()

    ended = watched.run(script, timeout=0.3 if how == "timeout" else 60, cancel=cancel)

    assert ended.why == how
    assert ended.returncode != 0
    assert watched.alive() == []
    assert time.monotonic() - begun < 0.3 + 3 + 3  # 3 s, and a loaded machine


def test_the_last_words_before_a_deadline_are_heard(tmp_path: Path) -> None:
    watched = Watched(tmp_path)

    ended = watched.run("trap 'echo tidy; exit 0' TERM; printf begun; sleep 60 & wait", timeout=0.4)

    assert ended.why == "timeout"
    assert watched.output == b"beguntidy\n"


def test_a_request_made_before_the_start_ends_it_at_once(tmp_path: Path) -> None:
    cancel = Cancel()
    cancel.request("first")
    cancel.request("second")

    ended = Watched(tmp_path).run("sleep 60", cancel=cancel)

    assert ended.why == "cancel"
    assert cancel.reason == "first"


def test_a_request_wakes_whoever_waits_whether_it_comes_before_or_after() -> None:
    before, after, closed = Cancel(), Cancel(), Cancel()

    before.request("x")
    waiting = [select.select([cancel], [], [], 0)[0] for cancel in (before, after)]
    after.request("x")
    waiting += [select.select([cancel], [], [], 0)[0] for cancel in (before, after)]
    closed.fileno()
    for cancel in (before, after, closed):
        cancel.close()
    closed.request("too late")

    assert waiting == [[before], [], [before], [after]]
    assert closed.reason == "too late"


def test_a_deadline_in_a_month_is_one_too(tmp_path: Path) -> None:
    ended = Watched(tmp_path).run("sleep 0.1", timeout=31 * 86_400.0)

    assert (ended.why, ended.returncode) == ("exit", 0)


def test_a_program_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    what = Supervised(argv=["/no/such/shell"], cwd=str(tmp_path), env={}, timeout=1, token="t", directory=str(tmp_path))

    with pytest.raises(HookciError, match="`/no/such/shell` could not be started: No such file or directory"):
        supervise(what, lambda _data: None, Cancel(), lambda: None)


def test_what_another_one_has_started_does_not_belong_to_a_job(tmp_path: Path) -> None:
    mine, others = Watched(tmp_path / "a"), Watched(tmp_path / "b")
    for watched in (mine, others):
        watched.place.mkdir()
    thread = threading.Thread(target=others.run, args=("setsid sleep 1.5; echo whole",))
    thread.start()
    time.sleep(0.3)

    mine.run("sleep 300 & exit 0")
    still = others.alive()
    thread.join()

    assert len(still) >= 1
    assert others.output == b"whole\n"


def test_what_a_job_of_any_thread_has_left_is_ended(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    script = "setsid sleep 300 & (setsid sh -c 'sleep 300 & wait' >/dev/null &) ; sleep 0.2"
    thread = threading.Thread(target=watched.run, args=(script,))

    thread.start()
    thread.join()

    assert watched.alive() == []


ALONE = f"""
import os, subprocess, sys, threading, time
from hookci.proc.held import hold
from hookci.proc.supervise import Cancel, Supervised, supervise
from hookci.proc.tree import adopt_orphans

def job(token, script):
    env = {{"PATH": os.environ["PATH"], "{TOKEN_VARIABLE}": token}}
    what = Supervised(argv=["sh", "-c", script], cwd="/", env=env, timeout=30, token=token, directory="/nowhere")
    supervise(what, lambda data: None, Cancel(), lambda: None)

adopt_orphans()
BESIDE
job("mine", "true")
print("psutil" in sys.modules, flush=True)
os._exit(0)
"""


@pytest.mark.parametrize(
    "beside",
    [
        "",
        "hold(['sleep', '2'], cwd='/', env={})",
        "threading.Thread(target=job, args=('other', 'sleep 2')).start(); time.sleep(0.3)",
        "threading.Thread(target=job, args=('other', '(setsid sleep 2 &) ; sleep 2')).start(); time.sleep(0.3)",
        "threading.Thread(target=subprocess.run, args=(['sleep', '2'],)).start(); time.sleep(0.3)",
        "subprocess.run(['sh', '-c', '(sleep 0.1 &)']); time.sleep(0.3)",
    ],
    ids=["nothing", "a helper", "another job", "another job's orphan", "a program of another thread", "a dead orphan"],
)
def test_a_job_that_leaves_nothing_costs_no_look_at_all_processes(beside: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE.replace("BESIDE", beside)], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"


def test_ending_a_tree_tells_how_many_it_was(tmp_path: Path) -> None:
    child = psutil.Popen(
        ["sh", "-c", "sleep 300 & sleep 300 & wait"], start_new_session=True, env={**os.environ, TOKEN_VARIABLE: "x1"}
    )
    time.sleep(0.3)

    found = end_tree("x1", str(tmp_path), root=child.pid, since=0.0, grace=1.0)
    again = end_tree("x1", str(tmp_path), root=child.pid, since=0.0, grace=1.0)

    assert (found, again) == (3, 0)
    assert child.wait() != 0


def test_pids_that_start_anew_do_not_hide_an_orphan(tmp_path: Path) -> None:
    token = secrets.token_hex(8)
    script = "(setsid sleep 300 &)"
    with psutil.Popen(["sh", "-c", script], env={**os.environ, TOKEN_VARIABLE: token}) as shell:
        shell.wait()
    deadline = time.monotonic() + 5
    while not leftovers(token, str(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.02)

    # every pid is lower than that of this job's shell, as after the counter has begun again
    found = leftovers(token, str(tmp_path), root=2**30)

    assert len(found) == 1
