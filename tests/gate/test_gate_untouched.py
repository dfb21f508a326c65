"""Whatever happens to a run, what is the user's stays as it was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from conftest import stress
from guarded import guard, picture, workers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Repo

TWO_JOBS = """\
[jobs.one]
script = ["echo x > a.txt; rm -f b.txt; (setsid sleep 300 &); sleep 0.1", "test ! -e BAD"]

[jobs.two]
script = ["nohup sleep 300 > out & sleep 0.2"]

[hooks]
pre-commit = ["test"]
"""
FOR_EVER = """\
[jobs.one]
script = ["touch '{place}/started'; (setsid sleep 300 &); sleep 300"]

[hooks]
pre-commit = ["one"]
"""


def furnish(repo: Repo, config: str) -> Repo:
    """A repository with something of everything in it, and the branches ``good`` and ``bad``."""
    guard(repo, config)
    repo.commit({"a.txt": "one\n", "b.txt": "one\n", "sub/c.txt": "one\n", ".gitignore": "*.log\n"})
    repo.git("tag", "-a", "-m", "x", "v1")
    repo.git("branch", "good")
    repo.git("checkout", "-q", "-b", "bad")
    repo.commit({"BAD": "x"})
    repo.git("checkout", "-q", "main")
    repo.write_files({"a.txt": "stashed\n"})
    repo.git("stash", "-q")
    repo.git("worktree", "add", "-q", "-b", "side", str(repo.path.parent / "linked"))
    repo.write_files({"a.txt": "staged\n", "new.txt": "staged\n"})
    repo.git("add", "a.txt", "new.txt")
    repo.write_files({"a.txt": "edited\n", "b.txt": "edited\n", "untracked.txt": "x", "x.log": "ignored"})
    repo.write_files({"intended.txt": "x"})
    repo.git("add", "--intent-to-add", "intended.txt")
    (repo.path / "sub" / "c.txt").chmod(0o600)
    repo.git("config", "gc.auto", "1")
    return repo


def hook(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-m", "hookci", "hook", name, "--", *arguments]


RUNS = {
    "a push that lands": ["git", "push", "-q", "../project.git", "good:landed"],
    "a push that is refused": ["git", "push", "-q", "../project.git", "good:landed", "bad"],
    "a good index": hook("pre-commit"),
    "a run": [sys.executable, "-I", "-m", "hookci", "run", "--rev", "good"],
    "a red run": [sys.executable, "-I", "-m", "hookci", "run", "--rev", "bad"],
    "a plan": [sys.executable, "-I", "-m", "hookci", "plan", "--staged"],
    "a look around": [sys.executable, "-I", "-m", "hookci", "status"],
    "a run without a verdict": [sys.executable, "-I", "-m", "hookci", "run", "nonsense"],
}


@pytest.mark.parametrize("what", RUNS)
def test_nothing_is_touched_by(repo: Repo, tmp_path: Path, what: str) -> None:
    furnish(repo, TWO_JOBS)
    before = picture(repo)

    repo.run(*RUNS[what], check=False)

    assert picture(repo) == before
    assert workers(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("what", ["push", "index"])
def test_nothing_is_touched_by_a_run_that_is_interrupted(
    repo: Repo, tmp_path: Path, number: signal.Signals, what: str
) -> None:
    furnish(repo, FOR_EVER.format(place=tmp_path))
    before = picture(repo)
    argv = ["git", "push", "-q", "../project.git", "good:landed"] if what == "push" else hook("pre-commit")

    with running(repo, argv) as process:
        wait_for(tmp_path / "started")
        os.killpg(process.pid, number)
        process.wait(10)
        wait_until_quiet(tmp_path)

    assert process.returncode != 0
    assert picture(repo) == before
    assert "landed" not in repo.remote_branches()
    assert "interrupted" in repo.hookci("runs").stdout


def test_an_edit_made_meanwhile_survives(repo: Repo, tmp_path: Path) -> None:
    furnish(repo, f"[jobs.one]\nscript = [\"touch '{tmp_path}/started'; sleep 0.5\"]\n")
    before = picture(repo)

    with running(repo, ["git", "push", "-q", "../project.git", "good:landed"]) as process:
        wait_for(tmp_path / "started")
        repo.write_files({"a.txt": "edited again\n", "brand-new.txt": "x"})
        repo.git("add", "brand-new.txt")
        process.wait(10)

    after = picture(repo)
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert {path for path in changed if not path.startswith(".git/objects")} == {"a.txt", "brand-new.txt", ".git/index"}
    assert (repo.path / "a.txt").read_text() == "edited again\n"
    assert repo.remote_refs()["refs/heads/landed"] == repo.out("rev-parse", "good")


@pytest.mark.parametrize("what", ["push", "index"])
def test_a_kill_at_any_instant_touches_nothing_and_the_next_run_is_right(repo: Repo, tmp_path: Path, what: str) -> None:
    furnish(repo, TWO_JOBS)
    chance = random.Random(what)

    for number in range(stress(5)):
        argv = ["git", "push", "-q", "../project.git", f"{never_judged(repo, 'good')}:refs/heads/landed-{number}"]
        if what == "index":
            argv = hook("pre-commit")
            repo.write_files({"new.txt": str(number)})
            repo.git("add", "new.txt")
        name, right = [("good", 0), ("bad", 1)][number % 2]
        following = never_judged(repo, name)
        before = picture(repo)
        delay = chance.uniform(0.0, 1.2)
        with running(repo, argv) as process:
            time.sleep(delay)
            os.killpg(process.pid, signal.SIGKILL)

        told = f"killed after {delay:.3f} s"
        assert picture(repo) == before, told
        assert repo.hookci("runs", check=False).returncode == 0, told
        ran = repo.hookci("run", "--rev", following, check=False)
        assert ran.returncode == right, f"{told}\n{ran.output}"
        assert workers(tmp_path) == [], told
        assert picture(repo) == before, told


def never_judged(repo: Repo, name: str) -> str:
    """A commit like the one at ``name`` whose tree has no verdict yet."""
    env = {"GIT_INDEX_FILE": str(repo.path.parent / "index")}
    salt = repo.run("git", "hash-object", "-w", "--stdin", stdin=str(time.monotonic_ns())).stdout.strip()
    repo.git("read-tree", name, env=env)
    repo.git("update-index", "--add", "--cacheinfo", f"100644,{salt},salt", env=env)
    tree = repo.git("write-tree", env=env).stdout.strip()
    return repo.out("commit-tree", "-p", name, "-m", "never judged", tree)


class running:  # noqa: N801 (reads as a statement)
    """A program in a process group of its own; nothing of it is left afterwards."""

    def __init__(self, repo: Repo, argv: list[str]) -> None:
        self._process = subprocess.Popen(
            argv, cwd=repo.path, env=repo.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self._process

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.01)


def wait_until_quiet(place: Path) -> None:
    """A hook may outlive the git that started it by the time it takes to end its jobs: at most 3 seconds."""
    deadline = time.monotonic() + 5
    while workers(place):
        assert time.monotonic() < deadline, "jobs of an interrupted run are still there"
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def _no_leftovers(tmp_path: Path) -> Iterator[None]:
    yield
    for process in workers(tmp_path):
        process.kill()
