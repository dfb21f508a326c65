"""What a job has started is over when the job is: after a deadline, Ctrl-C, SIGTERM, and also when it passes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pexpect
import pytest
from conftest import stress
from execute_tools import hookci_started, marker, outcomes, run, running, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

pytestmark = pytest.mark.executors

DAEMON = """
import os, sys
for _ in range(2):
    if os.fork():
        os._exit(0)
    os.setsid()
os.chdir("/")
if sys.argv[2] == "quiet":
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
os.execvpe("sleep", ["sleep", sys.argv[1]], {"PATH": os.environ["PATH"]} if sys.argv[3:] else dict(os.environ))
"""
"""Gets away from its parent, session and directory; with ``bare`` also from its environment."""

STUBBORN = "trap '' TERM INT HUP; while :; do sleep MARK & wait; done"

LITTERS = {
    "sessions": ["setsid sleep MARK & nohup sleep MARK >nohup.out & sleep MARK"],
    "a pipe held open": ["(setsid sh -c 'sleep MARK' &)", "sleep MARK"],
    "daemons": ["python3 daemon.py MARK loud", "python3 daemon.py MARK quiet", "sleep MARK"],
    "without environment": ["env -i $(command -v setsid) $(command -v sleep) MARK &", "sleep MARK"],
    "bare daemons": ["python3 daemon.py MARK loud bare", "python3 daemon.py MARK quiet bare", "sleep MARK"],
    "deaf to signals": [STUBBORN],
    "a deaf child": [f'sh -c "{STUBBORN}" & sleep MARK'],
    "stopped": ["sleep MARK & kill -STOP $!", "sleep MARK"],
    "many": ["for i in $(seq 40); do sleep MARK & done", "wait"],
}  # fmt: skip
"""Scripts that leave processes about and do not end by themselves."""


def commit_litter(repo: Repo, kind: str, mark: str, *, timeout: str = "1h", more: str = "") -> None:
    script = [command.replace("MARK", mark) for command in LITTERS[kind]]
    repo.commit({
        "daemon.py": DAEMON,
        "hookci.toml": f"""
            [jobs.litter]
            timeout = "{timeout}"
            script = ["touch $MARKS/begun", {", ".join(f"'''{command}'''" for command in script)}]
            pass_env = ["MARKS"]
            {more}
        """,
    })  # fmt: skip


@pytest.mark.parametrize("kind", LITTERS)
def test_a_deadline_ends_a_job_with_all_it_has_started(repo: Repo, tmp_path: Path, kind: str) -> None:
    mark = marker()
    commit_litter(repo, kind, mark, timeout="1s")
    begun = time.monotonic()

    ran = run(repo, env={"MARKS": str(tmp_path)}, check=False)

    assert ran.returncode == 1
    assert "did not end within 1 s" in ran.stdout
    assert running(mark) == []
    assert time.monotonic() - begun < 10  # 1 s, up to 3 s to end them, and a loaded machine


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (signal.SIGINT, "sessions"),
        (signal.SIGINT, "a pipe held open"),
        (signal.SIGINT, "deaf to signals"),
        (signal.SIGINT, "bare daemons"),
        (signal.SIGTERM, "sessions"),
        (signal.SIGTERM, "daemons"),
        (signal.SIGHUP, "a deaf child"),
    ],
)
def test_a_signal_ends_the_run_with_all_it_has_started(
    repo: Repo, tmp_path: Path, number: signal.Signals, kind: str
) -> None:
    mark = marker()
    commit_litter(repo, kind, mark, more='[jobs.later]\nstage = "security"\nscript = ["true"]')

    with hookci_started(repo, "run", "--no-memory", env={"MARKS": str(tmp_path)}) as process:
        assert wait_until(lambda: running(mark) and (tmp_path / "begun").exists())
        time.sleep(0.3)  # the last of them are being started
        process.send_signal(number)
        asked = time.monotonic()
        shown = process.communicate(timeout=20)[0].decode()
        took = time.monotonic() - asked

    assert process.returncode == 130
    assert running(mark) == []
    assert took < 6  # 3 s, and a loaded machine
    assert f"interrupted by {number.name}" in shown
    assert "main was interrupted, there is no verdict" in shown
    assert outcomes(repo) == {"litter": "cancelled", "later": "cancelled"}
    assert "interrupted" in repo.hookci("runs", "-n", "1").stdout


def test_ctrl_c_in_a_push_stops_it_and_leaves_nothing_running(repo: Repo) -> None:
    mark = marker()
    repo.commit({"hookci.toml": f'[jobs.a]\nscript = ["setsid sleep {mark} & sleep {mark}"]\n'})
    repo.hookci("install")
    environment = {**repo.env, "TERM": "xterm-256color"}

    screen = pexpect.spawn("git", ["push", "origin", "main"], cwd=str(repo.path), env=environment, timeout=60)
    begun = wait_until(lambda: len(running(mark)) >= 2)
    screen.sendintr()
    screen.expect(pexpect.EOF)
    screen.close()

    assert begun
    assert screen.exitstatus != 0
    assert wait_until(lambda: running(mark) == [], 6)  # git itself does not wait for its hook
    assert repo.remote_refs() == {}
    assert wait_until(lambda: "interrupted" in repo.hookci("runs", "-n", "1").stdout)


def test_more_signals_than_one_change_nothing(repo: Repo, tmp_path: Path) -> None:
    mark = marker()
    commit_litter(repo, "deaf to signals", mark)

    with hookci_started(repo, "run", "--no-memory", env={"MARKS": str(tmp_path)}) as process:
        assert wait_until(lambda: running(mark))
        for _ in range(8):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        shown = process.communicate(timeout=20)[0].decode()

    assert process.returncode == 130
    assert running(mark) == []
    assert "Traceback" not in shown
    assert outcomes(repo) == {"litter": "cancelled"}


def test_a_signal_at_any_moment_ends_the_run_and_the_next_one_is_right(repo: Repo, tmp_path: Path) -> None:
    mark = marker()
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        script = ["sleep 0.1", "setsid sleep {mark} &", "true"]
        cache = [{{ paths = ["kept"] }}]
        [jobs.b]
        script = ["sleep 0.2"]
        [jobs.c]
        stage = "security"
        script = ["sleep {mark}"]
    """})  # fmt: skip
    count = stress(6)

    for number in range(count):
        with hookci_started(repo, "run", "--no-memory", "-j", "2", env={"MARKS": str(tmp_path)}) as process:
            time.sleep(0.05 + 1.2 * number / count)
            process.send_signal(signal.SIGINT)
            shown = process.communicate(timeout=20)[0].decode()
        assert process.returncode in {130, -signal.SIGINT}, shown  # before Python has begun it is the signal itself
        assert running(mark) == []
        assert "internal error" not in shown

    ran = run(repo, "test")
    assert "2 jobs passed (a, b)" in ran.stdout


def test_what_a_job_left_running_is_ended_when_it_passes(repo: Repo) -> None:
    mark = marker()
    repo.commit({"daemon.py": DAEMON, "hookci.toml": f"""
        [jobs.litter]
        script = [
            "python3 daemon.py {mark} loud",
            "setsid sleep {mark} & nohup sleep {mark} > /dev/null 2>&1 & (sleep {mark} &)",
            "echo passed",
        ]
        [jobs.after]
        stage = "security"
        script = ["! grep -a {mark} /proc/[0-9]*/cmdline 2> /dev/null | grep -av grep | grep ."]
    """})  # fmt: skip
    begun = time.monotonic()

    ran = run(repo)

    assert "2 jobs passed (litter, after)" in ran.stdout
    assert running(mark) == []
    assert time.monotonic() - begun < 10


def test_another_job_is_left_alone_when_one_is_ended(repo: Repo) -> None:
    mark = marker()
    repo.commit({"hookci.toml": f"""
        [jobs.short]
        script = ["sleep {mark} &", "sleep 0.2"]
        [jobs.long]
        script = ["setsid sleep 0.8 &", "wait", "sleep 0.6 & wait $!", "echo whole"]
    """})  # fmt: skip

    ran = run(repo, "-j", "2")

    assert "2 jobs passed (short, long)" in ran.stdout
    assert "long        | whole\n" in ran.stdout
    assert running(mark) == []


@pytest.mark.executors("local")  # nobody else is in a container
def test_a_persons_own_processes_are_left_alone_also_in_a_workspace(repo: Repo, tmp_path: Path) -> None:
    ours, theirs = marker(), marker()
    commit_litter(repo, "daemons", ours, timeout="500ms", more=f'[jobs.where]\nscript = ["pwd > {tmp_path}/where"]')
    run(repo, "where", env={"MARKS": str(tmp_path)})
    workspace = (tmp_path / "where").read_text().strip()

    with subprocess.Popen(["sleep", theirs], cwd=workspace, env=repo.env) as other:
        run(repo, "-j", "1", check=False, env={"MARKS": str(tmp_path)})
        still = other.poll()
        other.kill()

    assert still is None
    assert running(ours) == []


def test_what_a_killed_hookci_left_running_is_ended_by_the_next_run(repo: Repo, tmp_path: Path) -> None:
    mark = marker()
    commit_litter(repo, "sessions", mark)
    with hookci_started(repo, "run", "--no-memory", env={"MARKS": str(tmp_path)}) as process:
        assert wait_until(lambda: len(running(mark)) >= 3)
        process.kill()
        process.wait()
    assert running(mark) != []
    repo.commit({"hookci.toml": '[jobs.litter]\nscript = ["true"]\n'})

    ran = run(repo)

    assert "1 job passed" in ran.stdout
    assert running(mark) == []
    assert "interrupted" in repo.hookci("log", "1").stdout


def test_a_job_has_no_terminal_and_a_session_of_its_own(repo: Repo) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        script = ["! (echo hidden > /dev/tty)", "test $(ps -o sid= -p $$) != {os.getsid(0)}"]
    """})  # fmt: skip

    ran = run(repo)

    assert "1 job passed" in ran.stdout
