"""Repositories that verify their commits in the background, with jobs that wait for a word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from guarded import guard, workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conftest import Ran, Repo

__all__ = ["Bench", "Pushing", "benched", "is_gone", "until"]

CONFIG = """\
[jobs.unit]
script = [
  "echo ran >>'{place}/ran'", "echo hello from unit", "until test -e '{place}/go'; do sleep 0.05; done", "{more}",
]
"""


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something to come true; a test in which it does not has failed."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def is_gone(process: psutil.Process) -> bool:
    """Whether a process has ended, be it that nobody has asked how."""
    with suppress(psutil.Error):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


@dataclass
class Bench:
    """A repository, and a directory where its jobs say that they run, and are told to go on."""

    repo: Repo
    place: Path

    @property
    def ran(self) -> int:
        """How often the job was run."""
        marks = self.place / "ran"
        return len(marks.read_text().splitlines()) if marks.exists() else 0

    def config(self, more: str = "test ! -e BAD") -> str:
        return CONFIG.format(place=self.place, more=more)

    def go(self) -> None:
        """Let jobs end, now and later."""
        (self.place / "go").touch()

    def wait(self) -> None:
        """Let jobs that begin from now on wait."""
        (self.place / "go").unlink()

    def commit(self, files: Mapping[str, str] | None = None, message: str = "a change") -> str:
        """Commit through the hooks; the commit."""
        self.repo.write_files(files or {})
        self.repo.git("add", "-A")
        self.repo.git("commit", "-q", "--allow-empty", "-m", message)
        return self.repo.out("rev-parse", "HEAD")

    def quietly(self, name: str) -> str:
        """Commit one file without any hook; the commit."""
        self.repo.write_files({name: "x"})
        self.repo.git("add", "-A")
        self.repo.git("-c", "core.hooksPath=/dev/null", "commit", "-qm", name)
        return self.repo.out("rev-parse", "HEAD")

    def push(self, *arguments: str) -> Ran:
        return self.repo.git("push", "-q", *(arguments or ("origin", "main")), check=False)

    def pushing(self, *command: str) -> Pushing:
        """A push that goes on beside the test."""
        return Pushing.start(self, *(command or ("git", "push", "-q", "origin", "main")))

    @property
    def log(self) -> str:
        """What was said in the background."""
        log = self.repo.path / ".git/hookci/background/log"
        return log.read_text() if log.exists() else ""

    @property
    def begun(self) -> list[str]:
        """The commits of which a background run came to its turn, oldest first."""
        return [line.rpartition(" ")[2] for line in self.log.splitlines() if " is at " in line]

    @property
    def verified(self) -> str:
        """What `hookci status` says of the last one."""
        lines = self.repo.hookci("status", "--no-probe").stdout.splitlines()
        return next((line.partition("  ")[2] for line in lines if line.startswith("background ")), "")

    @property
    def processes(self) -> list[psutil.Process]:
        """The background runs that are going on."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                line = process.cmdline()
                # its working directory tells it from those of other tests
                if line[-2:] == ["hook", "background"] and process.cwd().startswith(str(self.repo.path.parent)):
                    found.append(process)
        return found

    @property
    def jobs(self) -> list[psutil.Process]:
        """The processes of jobs."""
        return workers(Path(self.repo.env["HOME"]))

    def kill(self) -> None:
        """End the background runs at once, without a word, and nothing else."""
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
        until(lambda: not self.processes)

    def rest(self) -> None:
        """Wait until nothing goes on in the background any more."""
        until(lambda: not self.processes)


@contextmanager
def benched(repo: Repo, tmp_path: Path) -> Iterator[Bench]:
    """A repository with one job that waits, whose first commit is on the remote, and whose hooks verify the next."""
    place = tmp_path / "place"
    place.mkdir()
    made = Bench(repo, place)
    guard(repo, made.config())
    repo.hookci("install", "--background")
    yield made
    made.go()
    made.rest()


@dataclass
class Pushing:
    """A push that was started and not waited for."""

    process: subprocess.Popen[bytes]
    said_to: Path

    @classmethod
    def start(cls, bench: Bench, *command: str) -> Pushing:
        said_to = bench.place / f"push-{os.urandom(4).hex()}"
        argv = [sys.executable, "-I", "-m", *command] if command[0] == "hookci" else [*command]
        with said_to.open("wb") as file:
            process = subprocess.Popen(
                argv, cwd=bench.repo.path, env=bench.repo.env, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        return cls(process, said_to)

    @property
    def said(self) -> str:
        return self.said_to.read_text()

    def end(self) -> int:
        """Its exit status, once it is over."""
        return self.process.wait(60)
