"""The deploy script of examples/backend by itself, under load and under kill -9: what hookci's promise rests on."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import stress
from reader import Reader, free_port, get, processes_below
from wanted import needed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Sealed

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "backend"
SICK = ('OK, "well"', 'INTERNAL_SERVER_ERROR, "sick"')
DEAD = ("def main() -> None:", 'def main() -> None:\n    raise SystemExit("no way")')
SLOW = (
    ("import argparse\n", "import argparse\nimport time\n"),
    ('if path == "/health"', 'time.sleep(path == "/slow")\n    if path == "/health"'),
)


@dataclass(frozen=True)
class Place:
    """A machine to deploy to; ``build`` makes workspaces of versions, ``deploy`` runs their script."""

    top: Path
    port: int
    env: dict[str, str]

    @property
    def root(self) -> Path:
        return self.top / "deployed" / "staging"

    def build(self, version: str, *changes: tuple[str, str]) -> Path:
        """The workspace of ``version``, the example with ``changes`` to its application."""
        workspace = self.top / version
        shutil.copytree(EXAMPLE, workspace)
        app = workspace / "app.py"
        text = app.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        app.write_text(text)
        (workspace / "build").mkdir()
        shutil.copy(app, workspace / "build")
        zipapp = [sys.executable, "-m", "zipapp", "build", "--main", "app:main", "--output", "app.pyz"]
        subprocess.run(zipapp, cwd=workspace, check=True)
        return workspace

    def begin(self, workspace: Path, **more: str) -> subprocess.Popen[str]:
        """Start the script of a workspace, as a process group of its own."""
        return subprocess.Popen(
            [workspace / "deploy.sh", "staging"],
            env={**self.env, "HOOKCI_COMMIT": workspace.name, "HOOKCI_RELEASE": "7", **more},
            cwd=workspace,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def deploy(self, workspace: Path, **more: str) -> tuple[int, str]:
        """Run it to its end; exit status and output."""
        with self.begin(workspace, **more) as script:
            output, _ = script.communicate(timeout=60)
        return script.returncode, output

    def is_tidy(self) -> bool:
        """Whether nothing is there but one release, its process and the proxy."""
        return len(list((self.root / "releases").iterdir())) == 1 and len(processes_below(self.root)) == 2


@pytest.fixture
def place(sealed: Sealed, tmp_path: Path) -> Iterator[Place]:
    for program in ("curl", "setsid", "flock"):
        needed(program)
    port = free_port()
    env = {**sealed.env, "DEPLOY_ROOT": str(tmp_path / "deployed"), "PORT": str(port), "LINGER": "0.3"}
    made = Place(tmp_path, port, env)
    yield made
    for process in processes_below(tmp_path):
        process.kill()


def test_the_first_version_goes_live(place: Place) -> None:
    status, output = place.deploy(place.build("one"))

    assert (status, output) == (0, "")
    assert get(place.port) == "one"
    assert place.is_tidy()


def test_no_request_is_lost_while_versions_follow_each_other(place: Place) -> None:
    versions = [place.build(f"version-{number}") for number in range(4)]
    place.deploy(versions[0])

    with Reader(place.port, threads=8) as reader:
        ended = [place.deploy(version) for version in [*versions, versions[0]]]

    assert ended == [(0, "")] * 5
    assert set(reader.seen) == {"version-0", "version-1", "version-2", "version-3"}
    assert get(place.port) == "version-0"
    assert place.is_tidy()


@pytest.mark.parametrize(("change", "said"), [(SICK, "error: 500"), (DEAD, "no way")], ids=["sick", "dead"])
def test_a_version_that_is_not_healthy_is_not_let_in(place: Place, change: tuple[str, str], said: str) -> None:
    good, bad = place.build("good"), place.build("bad", change)
    place.deploy(good)

    with Reader(place.port) as reader:
        status, output = place.deploy(bad, START_WITHIN="2")

    assert status == 1
    assert said in output
    assert set(reader.seen) == {"good"}
    assert place.is_tidy()


def test_a_first_version_that_is_not_healthy_leaves_nothing(place: Place) -> None:
    status, _ = place.deploy(place.build("bad", DEAD))

    assert status == 1
    assert list((place.root / "releases").iterdir()) == []
    assert processes_below(place.root) == []


def test_what_the_old_version_has_begun_it_ends(place: Place) -> None:
    slow, next_one = place.build("slow", *SLOW), place.build("next")
    place.deploy(slow)
    answers: list[str] = []
    asking = [threading.Thread(target=lambda: answers.append(get(place.port, "/slow"))) for _ in range(4)]

    for thread in asking:
        thread.start()
    status, _ = place.deploy(next_one)
    for thread in asking:
        thread.join()

    assert status == 0
    assert answers == ["hello slow"] * 4
    assert get(place.port) == "next"


def test_the_file_with_the_port_is_locked_while_somebody_is_answered(place: Place) -> None:
    place.deploy(place.build("slow", *SLOW))
    asking = threading.Thread(target=get, args=(place.port, "/slow"))

    def is_locked() -> bool:
        with (place.root / "current" / "port").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    while is_locked():  # until nobody is told any more how well it is
        time.sleep(0.01)
    asking.start()
    seen = False
    while asking.is_alive() and not seen:
        seen = is_locked()
        time.sleep(0.01)
    asking.join()
    while is_locked():  # until the proxy has closed both its ends
        time.sleep(0.01)

    assert seen


def test_two_at_once_follow_each_other(place: Place) -> None:
    first, second = place.build("first"), place.build("second")
    place.deploy(first)

    with Reader(place.port) as reader, place.begin(first) as one, place.begin(second) as other:
        assert (one.wait(60), other.wait(60)) == (0, 0)

    assert set(reader.seen) <= {"first", "second"}
    assert place.is_tidy()


def test_a_proxy_that_died_is_started_again(place: Place) -> None:
    one = place.build("one")
    place.deploy(one)
    os.kill(int((place.root / f"proxy.{place.port}" / "pid").read_text()), signal.SIGKILL)

    place.deploy(one)

    assert get(place.port) == "one"
    assert place.is_tidy()


def test_a_pid_that_is_another_programs_by_now_is_left_alone(place: Place) -> None:
    one, two = place.build("one"), place.build("two")
    place.deploy(one)
    release = (place.root / "current").resolve()
    os.kill(int((release / "pid").read_text()), signal.SIGKILL)
    (release / "pid").write_text(str(os.getpid()))

    status, _ = place.deploy(two)

    assert status == 0
    assert get(place.port) == "two"


@pytest.mark.timeout(1800)
def test_kill_9_before_any_command_leaves_one_version_live_and_the_next_run_repairs(place: Place) -> None:
    """A trap of bash counts the commands and kills the script in front of one of them."""
    trap = place.top / "trap.sh"
    trap.write_text(
        "set -T\n"
        """trap 'printf . >>"$STEPS"; [ "$((++commands))" != "$CRASH_AT" ] || kill -9 $$ $BASHPID' DEBUG\n"""
    )
    steps = place.top / "steps"
    tracing = {"BASH_ENV": str(trap), "STEPS": str(steps)}
    versions = [place.build("a"), place.build("b")]
    place.deploy(versions[0])
    place.deploy(versions[1], **tracing, CRASH_AT="0")
    count = len(steps.read_text())
    chosen = random.sample(range(1, count + 1), min(count, stress(8)))

    with Reader(place.port) as reader:
        for at in chosen:
            versions.reverse()
            killed, _ = place.deploy(versions[1], **tracing, CRASH_AT=str(at))
            assert killed in {-signal.SIGKILL, 0}  # a loop may have turned more often when they were counted
            repaired = place.deploy(versions[1])
            assert (repaired, get(place.port)) == ((0, ""), versions[1].name), at
            assert place.is_tidy(), at

    assert set(reader.seen) == {"a", "b"}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_signal_to_all_of_it_at_any_moment_leaves_one_version_live(place: Place, ending: signal.Signals) -> None:
    versions = [place.build("a"), place.build("b")]
    begun = time.monotonic()
    place.deploy(versions[0])
    place.deploy(versions[1])
    took = (time.monotonic() - begun) / 2

    with Reader(place.port) as reader:
        for _ in range(stress(5)):
            versions.reverse()
            with place.begin(versions[1]) as script:
                time.sleep(random.uniform(0, took * 1.2))
                os.killpg(script.pid, ending)  # a process that has not been waited for keeps its group
                script.communicate(timeout=60)
            if random.random() < 0.5:
                continue  # the next one finds what two have left
            assert place.deploy(versions[1]) == (0, "")
            assert get(place.port) == versions[1].name
            assert place.is_tidy()

    assert set(reader.seen) <= {"a", "b"}
