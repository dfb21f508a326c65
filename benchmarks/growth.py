"""What hookci takes as there is more of everything, and the memory it needs."""

from __future__ import annotations

import functools
import itertools
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import rivals
from benchmarks.figures import OURS, Bound, Found, Part, Table
from benchmarks.gitlabjobs import RIVAL, RUN, gitlab_repository
from benchmarks.harness import BenchmarkError, Scene, act
from benchmarks.repositories import change, commit, files, repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.harness import Bench, Effort

__all__ = ["scenes"]

_LOOK = 0.05
_MIB = 1024
_AT_ONCE = 8


def scenes(effort: Effort) -> list[Scene]:
    """Memory, jobs, files."""
    return [_memory(effort), _jobs(effort), _files(effort)]


# -- memory


def _memory(effort: Effort) -> Scene:
    seconds = effort.pick(3, 1.5)
    pipeline = "".join(f"job{number}:\n  script: ['sleep {seconds}']\n" for number in range(_AT_ONCE))
    what = f"resident memory while {_AT_ONCE} jobs run"
    bound = Bound(what=what, against=RIVAL, at_most=0.5, unit="MiB")

    def measure(bench: Bench) -> dict[str, Found]:
        if not Path("/proc/self/environ").exists():
            raise BenchmarkError("the memory of processes can be read on Linux only")
        other = rivals.gitlab_ci_local()
        places = {name: gitlab_repository(pipeline, bench) for name in (OURS, RIVAL)}
        argvs = {OURS: [*RUN, "-j", str(_AT_ONCE)], RIVAL: [*other, "--concurrency", str(_AT_ONCE)]}
        samples = bench.rounds(
            [act(name, functools.partial(_most_memory, argvs[name], places[name], bench)) for name in places], 5, 1
        )
        return {"memory": Found(ours=samples.of(OURS), theirs=samples.of(RIVAL))}

    return Scene(what, {"memory": bound}, measure)


def _most_memory(argv: Sequence[str], place: Path, bench: Bench) -> float:
    """The most MiB that a program and what it starts have at once while all jobs run, without the jobs."""
    most = 0.0
    with subprocess.Popen(
        argv, cwd=place, env=bench.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            jobs, memory = _seen(process.pid)
            if jobs >= _AT_ONCE:
                most = max(most, memory)
            time.sleep(_LOOK)
    if process.returncode or not most:
        raise BenchmarkError(f"{argv[0]} ended in {process.returncode}, or never ran {_AT_ONCE} jobs at once")
    return most


def _seen(root: int) -> tuple[int, float]:
    """How many jobs sleep below a process, and the memory in MiB of it and all below that are no part of a job."""
    children: dict[int, list[int]] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                words = (place / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(words[1]), []).append(int(place.name))
    jobs, memory, pending = 0, 0.0, [root]
    while pending:
        pid = pending.pop()
        pending += children.get(pid, [])
        try:
            place = Path("/proc") / str(pid)
            environment = (place / "environ").read_bytes().split(b"\0")
            if any(entry.startswith(b"CI_JOB_NAME=") for entry in environment):
                jobs += (place / "comm").read_bytes().strip() == b"sleep"
            else:
                memory += _resident(place)
        except OSError:
            continue
    return jobs, memory / _MIB


def _resident(place: Path) -> float:
    """Kilobytes (proc(5), status)."""
    lines = (place / "status").read_text(encoding="utf-8").splitlines()
    return float(next((line.split()[1] for line in lines if line.startswith("VmRSS")), "0"))


# -- jobs


def _jobs(effort: Effort) -> Scene:
    few, some, many = counts = effort.pick((10, 100, 1_000), (5, 20, 80))
    bounds = {
        str(more): Bound(
            what=f"`{OURS} run` of {more:,} trivial jobs",
            against=f"{more // less} times `{OURS} run` of {less:,}",
            at_most=1.0,
        )
        for less, more in ((few, some), (some, many))
    }

    def measure(bench: Bench) -> dict[str, Found]:
        paths = {
            count: repository(
                bench.directory(),
                {"hookci.toml": "".join(f'[jobs.j{number}]\nscript = ["true"]\n' for number in range(count))},
                bench.environment,
            )
            for count in counts
        }
        acts = [act(str(count), functools.partial(bench.run, RUN, path)) for count, path in paths.items()]
        samples = bench.rounds(acts, 5)
        found = {}
        for less, more in itertools.pairwise(counts):
            each = statistics.median(samples.beyond(str(more), str(less))) / (more - less)
            parts = [Part(f"each further job from {less:,} on", each)]
            theirs = [more / less * value for value in samples.of(str(less))]
            found[str(more)] = Found(ours=samples.of(str(more)), theirs=theirs, parts=parts)
        return found

    return Scene("growth in jobs", bounds, measure)


# -- files


def _files(effort: Effort) -> Scene:
    counts = effort.pick((1_000, 20_000, 100_000), (500, 2_000, 5_000))
    least = counts[0]
    bounds = {
        str(count): Bound(
            what=f"growth of `{OURS} run` after a commit of one file, {least:,} to {count:,} files",
            against="growth of `git status`",
            at_most=1.0,
            unit="fold",
        )
        for count in counts[1:]
    }

    def measure(bench: Bench) -> dict[str, Found]:
        pipeline = {"hookci.toml": '[jobs.none]\nscript = ["true"]\n'}
        acts = []
        for count in counts:
            path = repository(bench.directory(), {**files(count), **pipeline}, bench.environment)
            acts.append(act(f"run {count}", functools.partial(_run, path, itertools.count(), bench)))
            acts.append(act(f"status {count}", functools.partial(bench.run, ["git", "status", "--porcelain"], path)))
        samples = bench.rounds(acts, 7)
        rows = [
            [f"{count:,}", *(f"{statistics.median(samples.of(f'{what} {count}')):.1f}" for what in ("run", "status"))]
            for count in counts
        ]
        bench.tables.append(Table("As files grow, ms", ["files", f"`{OURS} run`", "`git status`"], rows))
        found = {}
        for count in counts[1:]:
            ours, theirs = (
                [
                    more / less
                    for more, less in zip(samples.of(f"{what} {count}"), samples.of(f"{what} {least}"), strict=True)
                ]
                for what in ("run", "status")
            )
            found[str(count)] = Found(ours=ours, theirs=theirs)
        return found

    return Scene("growth in files", bounds, measure)


def _run(path: Path, numbers: Iterator[int], bench: Bench) -> float:
    """Judge a commit of one changed file."""
    change(path, next(numbers))
    commit(path, bench.environment)
    return bench.run(RUN, path)
