"""What the tests of real runs share: reading what a run said of itself, and finding processes."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conftest import Ran, Repo

_COLUMNS = re.compile(r"\s{2,}")
_counter = itertools.count()


def marker() -> str:
    """An argument for ``sleep`` that no other process of this machine has."""
    return f"{300 + next(_counter)}.{os.getpid()}{time.monotonic_ns() % 1_000_000:06}"


def running(mark: str) -> list[str]:
    """The command lines of all living processes that have ``mark`` as an argument or in one."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and int(place.name) != os.getpid():
            with contextlib.suppress(OSError):
                words = (place / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if any(mark in word for word in words):
                    found.append(" ".join(words))
    return found


def wait_until(condition: Callable[[], object], seconds: float = 15.0) -> bool:
    """Whether ``condition`` came to hold within ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def outcomes(repo: Repo, run: int | None = None) -> dict[str, str]:
    """How each job of a run (the last one by default) ended, as ``hookci log`` tells it."""
    shown = repo.hookci("log", *([str(run)] if run else [])).stdout
    table = shown.split("\n\n")[1].splitlines()
    rows = [_COLUMNS.split(line.strip()) for line in table]
    return {row[1]: row[2] for row in rows}


def output(repo: Repo, job: str) -> str:
    """The whole output of one job of the last run, as ``hookci log`` tells it."""
    number = repo.hookci("log").stdout.split()[1]
    return repo.hookci("log", number, job).stdout


def said(ran: Ran, job: str) -> list[str]:
    """The lines a run showed of one job's output, without the commands."""
    lines = [line.partition(" | ") for line in ran.stdout.splitlines()]
    return [text for name, sign, text in lines if sign and name.strip() == job and not text.startswith("$ ")]


def seconds(ran: Ran) -> float:
    """How long a run took, as its last line tells."""
    found = re.search(r" in ([0-9.]+)s \[run [0-9]+\]\n\Z", ran.stdout)
    assert found, ran.output
    return float(found[1])


def run(repo: Repo, *arguments: str, check: bool = True, env: Mapping[str, str] | None = None, stdin: str = "") -> Ran:
    """``hookci run`` that runs also what has passed before."""
    return repo.hookci("run", "--no-memory", *arguments, check=check, env=env, stdin=stdin)


def on_terminal(repo: Repo) -> pexpect.spawn[str]:
    """``hookci run`` on a terminal of 24 lines and 100 columns."""
    return pexpect.spawn(
        sys.executable,
        ["-I", "-m", "hookci", "run", "--no-memory"],
        cwd=str(repo.path),
        env={**repo.env, "TERM": "xterm-256color"},
        dimensions=(24, 100),
        timeout=60,
        encoding="utf-8",
    )


def next_number(screen: pexpect.spawn[str], pattern: str) -> float | None:
    """The number that ``pattern`` catches next on a screen; None when the program has ended instead."""
    if screen.expect([pattern, pexpect.EOF]) == 1:
        return None
    assert isinstance(screen.match, re.Match)
    return float(screen.match[1])


def rest_of(screen: pexpect.spawn[str]) -> str:
    """All that is still shown until the program has ended."""
    screen.expect(pexpect.EOF)
    shown = screen.before
    screen.close()
    assert isinstance(shown, str)
    return shown


@contextmanager
def hookci_started(
    repo: Repo, *arguments: str, env: Mapping[str, str] | None = None, stdout: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[bytes]]:
    """A ``hookci`` that runs beside the test; it is killed in the end if it still lives."""
    argv = [sys.executable, "-I", "-m", "hookci", *arguments]
    everything = {**repo.env, **(env or {})}
    with subprocess.Popen(argv, cwd=repo.path, env=everything, stdout=stdout, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            process.kill()
