"""What a commit's hook of hookci's spends its time on, seen from outside."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import OURS, Part
from benchmarks.harness import BenchmarkError
from benchmarks.repositories import git

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.harness import Bench

__all__ = ["Split", "split_commit"]

_TIMES, _MOST = 7, 12
_IMPORT = re.compile(r"^import time: +(\d+) \| +\d+ \| *(\w+)", re.MULTILINE)
_PYTHON = re.compile(r"^python='(.*)'$", re.MULTILINE)
# What hookci fixes for every call, and where the repository is.
_FIXED = re.compile(r"-c \S+ |--(?:git-dir|work-tree)=\S+ |--path-format=\S+ ")
_OF_GIT = {"commit", "maintenance", "gc"}


@dataclass(frozen=True, slots=True)
class Split:
    """The parts in milliseconds; packages and what they take to import; git processes and what they take inside."""

    parts: Sequence[Part]
    packages: Sequence[Sequence[str]]
    asked: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Watched:
    """A repository with hookci's hooks; each `commit` is made after ``prepare``, with ``words``."""

    path: Path
    bench: Bench
    prepare: Callable[[], None]
    words: tuple[str, ...]

    @property
    def hook(self) -> Path:
        return self.path / ".git" / "hooks" / "pre-commit"

    def commit(self, **environment: str) -> str:
        """Commit; what was written to the standard error."""
        self.prepare()
        argv = ["git", "commit", "-q", *(self.words or ("-m", "a change"))]
        env = {**self.bench.environment, **environment}
        done = subprocess.run(argv, cwd=self.path, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchmarkError(f"a commit was refused: {done.stderr[-500:]}")
        return done.stderr

    def python(self) -> str:
        found = _PYTHON.search(self.hook.read_text(encoding="utf-8"))
        if not found:
            raise BenchmarkError("the hook does not say any more which Python it starts")
        return found[1]

    def under(self, options: str) -> str:
        """What a commit writes to the standard error whose hook starts Python with ``options``."""
        text, python = self.hook.read_text(encoding="utf-8"), self.python()
        wrapper = self.bench.directory() / "python"
        wrapper.write_text(f"#!/bin/sh\nexec '{python}' {options} \"$@\"\n", encoding="utf-8")
        wrapper.chmod(0o755)
        self.hook.write_text(text.replace(f"python='{python}'", f"python='{wrapper}'"), encoding="utf-8")
        try:
            return self.commit()
        finally:
            self.hook.write_text(text, encoding="utf-8")


def split_commit(path: Path, bench: Bench, prepare: Callable[[], None], *words: str) -> Split:
    """Where the time of a commit's hook goes.

    Args:
        path: the repository, with hookci's hooks.
        bench: what to work with.
        prepare: makes ready what is committed.
        words: what ``git commit`` is told so that it commits the same again; none for a new commit.
    """
    watched = _Watched(path, bench, prepare, words)
    watched.commit()
    asked = _git_processes(watched)
    parts = [Part(f"git processes ({len(asked)})", sum(taken for _words, taken in asked))]
    imports: list[tuple[str, float]] = []
    if words:
        # another hook than the one that is remembered for would answer in another way
        parts.append(_start_of(["sh", "-c", ":"], watched))
    else:
        found = _IMPORT.findall(watched.under("-X importtime"))
        imports = [(package, int(microseconds) / 1000) for microseconds, package in found]
        parts.append(_start_of([watched.python(), "-I", "-S", "-c", "pass"], watched))
        # what no program can do without that starts others, names files and keeps records
        least = [watched.python(), "-I", "-S", "-c", "import subprocess, pathlib, sqlite3"]
        parts.append(_start_of(least, watched, "python that imports subprocess, pathlib and sqlite3"))
        parts.append(Part(f"imports ({len(imports)} modules)", sum(taken for _package, taken in imports)))
        parts += _of_the_run(watched)
    return Split(parts, _by_package(imports), [[words, f"{taken:.1f}"] for words, taken in asked])


def _start_of(argv: list[str], watched: _Watched, name: str = "") -> Part:
    taken = statistics.median(watched.bench.run(argv, watched.path) for _ in range(_TIMES))
    return Part(f"start of {name or Path(argv[0]).name}", taken)


def _of_the_run(watched: _Watched) -> list[Part]:
    """What a run of as much says of itself."""
    watched.prepare()
    git(watched.path, watched.bench.environment, "commit", "-q", "--no-verify", "-m", "a change")
    argv, env = [OURS, "run", "--no-memory", "--hook", "pre-commit", "--json"], watched.bench.environment
    done = subprocess.run(argv, cwd=watched.path, env=env, capture_output=True, text=True, check=True)
    run = json.loads(done.stdout)["run"]
    jobs = sum(job["seconds"] for job in run["jobs"]) * 1000
    around = run["seconds"] * 1000 - jobs
    return [Part("workspace and log", around), Part("the job with its shell", jobs)]


def _by_package(found: Sequence[tuple[str, float]]) -> list[list[str]]:
    """The packages that take longest."""
    taken: dict[str, float] = defaultdict(float)
    for package, milliseconds in found:
        taken[package] += milliseconds
    longest = sorted(taken.items(), key=lambda item: item[1], reverse=True)[:_MOST]
    return [[package, f"{milliseconds:.1f}"] for package, milliseconds in longest]


def _git_processes(watched: _Watched) -> list[tuple[str, float]]:
    """What each git process was asked, and how long it took inside (api-trace2(7), event format)."""
    trace = watched.bench.directory() / "trace"
    watched.commit(GIT_TRACE2_EVENT=str(trace))
    asked: dict[str, str] = {}
    taken: dict[str, float] = {}
    for line in trace.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["event"] == "start":
            asked[event["sid"]] = _FIXED.sub("", " ".join(event["argv"][1:]))
        elif event["event"] == "atexit":
            taken[event["sid"]] = event["t_abs"] * 1000
    return [(words[:90], taken.get(sid, 0.0)) for sid, words in asked.items() if words.partition(" ")[0] not in _OF_GIT]
