"""What it costs to run many jobs, to end few of them early, and to run none that need not run."""

from __future__ import annotations

import functools
import itertools
import re
import shutil
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks import rivals
from benchmarks.driven import driven
from benchmarks.figures import OURS, Bound, Found, Part, Table
from benchmarks.graphs import WORK, graph, lower_bound
from benchmarks.harness import BenchmarkError, Scene, act
from benchmarks.managers import LEFTHOOK, MANAGERS, PREK
from benchmarks.repositories import add_remote, commit, repository, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.harness import Bench, Effort

__all__ = ["scenes"]

_RUN = (OURS, "run", "--no-memory")
_CORES = 2


def scenes(effort: Effort) -> list[Scene]:
    """One for each kind of pipeline."""
    return [_many(effort), _mixed(effort), _failing(effort), _monorepo(effort), _planned(effort)]


# -- many jobs that do nothing


def _many(effort: Effort) -> Scene:
    count = effort.pick(1_000, 200)
    what = f"{count:,} `true` jobs, two at a time, with logs and own sessions, without workspaces"
    bound = Bound(what=what, against="`make -j2`", at_most=2.0)

    def measure(bench: Bench) -> dict[str, Found]:
        place = bench.directory()
        names = " ".join(f"job{number}" for number in range(count))
        text = f".PHONY: all {names}\nall: {names}\n{names}:\n\t@true\n"
        write(place, {"Makefile": text})
        program = shutil.which("true")
        with driven(bench.environment) as driver:

            def scheduled(program: str | None) -> float:
                return float(driver.ask("jobs", place=str(bench.directory()), count=count, program=program)["ms"])

            samples = bench.rounds(
                [
                    act("scheduled", lambda: scheduled(program)),
                    act("nothing", lambda: scheduled(None)),
                    act("processes", lambda: float(driver.ask("processes", count=count, program=program)["ms"])),
                    act("make", lambda: bench.run(["make", "-s", "-j2"], place)),
                ],
                11,
            )
        parts = [
            Part("the scheduler with jobs that start no process", statistics.median(samples.of("nothing"))),
            Part("as many processes started from Python, two at a time", statistics.median(samples.of("processes"))),
        ]
        return {"jobs": Found(ours=samples.of("scheduled"), theirs=samples.of("make"), parts=parts)}

    return Scene(f"{count:,} jobs", {"jobs": bound}, measure)


# -- jobs that take time


def _mixed(effort: Effort) -> Scene:
    nodes = graph(20, seconds=effort.pick(0.5, 0.15))
    least = lower_bound(nodes, _CORES)
    what = f"a 20-job graph of sleeps and processor work, {_CORES} at a time"
    bound = Bound(what=what, against="its lower bound (longest chain, all work shared)", at_most=1.1)

    def measure(bench: Bench) -> dict[str, Found]:
        config = "".join(
            f'[jobs.{node.name}]\nscript = ["{node.command}"]\nneeds = {list(node.needs)}\n' for node in nodes
        )
        path = repository(bench.directory(), {**WORK, "hookci.toml": config}, bench.environment)
        samples = bench.rounds([act("graph", lambda: bench.run([*_RUN, "-j", str(_CORES)], path))], 7)
        bare = bench.rounds([act("one", lambda: bench.run([*_RUN, "none"], _trivial(bench)))], 3)
        parts = [Part("a run of one trivial job", statistics.median(bare.of("one")))]
        return {"graph": Found(ours=samples.of("graph"), theirs=samples.constant(least * 1000), parts=parts)}

    return Scene("a graph", {"graph": bound}, measure)


def _trivial(bench: Bench) -> Path:
    """A repository with one job that does nothing."""
    path = bench.place / "trivial"
    if not path.exists():
        repository(path, {"hookci.toml": '[jobs.none]\nscript = ["true"]\n'}, bench.environment)
    return path


# -- a failure

_FAILS, _SLOW = 0.2, 2
_SHOWN = re.compile(r"^fast\b.*\bfailed\b")


def _failing(effort: Effort) -> Scene:
    bounds = {
        "over": Bound(what=f"a failure at {_FAILS} s beside two {_SLOW} s jobs", against=f"{_FAILS} s", at_most=2.5),
        "shown": Bound(what="that failure on the screen, after it has happened", against="0.3 s", at_most=1.0),
    }

    def measure(bench: Bench) -> dict[str, Found]:
        bench.add_programs(rivals.python_rivals())
        failed = bench.directory() / "failed"
        others = {PREK: ["prek", "run", "--all-files"], LEFTHOOK: ["lefthook", "run", "pre-commit", "--force"]}
        others = effort.pick(others, {})  # they wait for all jobs
        places = {name: _failing_repository(name, failed, bench) for name in (OURS, *others)}
        samples = bench.rounds(
            [
                lambda: _fail(places[OURS], failed, bench),
                *(
                    act(name, functools.partial(bench.run, argv, places[name], expected=(1,)))
                    for name, argv in others.items()
                ),
            ],
            7,
        )
        title = f"A failure at {_FAILS} s beside two {_SLOW} s jobs: until the command ends, ms"
        rows = [[name, f"{statistics.median(samples.of(name)):,.0f}"] for name in places]
        bench.tables.append(Table(title, ["", "ms"], rows))
        ours = samples.of(OURS)
        parts = [Part("the job that fails", _FAILS * 1000)]
        return {
            "over": Found(ours=ours, theirs=samples.constant(_FAILS * 1000), parts=parts),
            "shown": Found(ours=samples.of("shown"), theirs=samples.constant(300.0)),
        }

    return Scene("a failure", bounds, measure)


def _failing_repository(name: str, failed: Path, bench: Bench) -> Path:
    manager = MANAGERS[name]
    script = f"sleep {_FAILS}\n: > '{failed}'\nexit 1\n"
    slow = f"sleep {_SLOW}"
    config = manager.config(fast="sh fail.sh", slow1=slow, slow2=slow)
    return repository(bench.directory(), {"fail.sh": script, manager.config_name: config}, bench.environment)


def _fail(path: Path, failed: Path, bench: Bench) -> dict[str, float]:
    """How long the run takes, and how long after the failure it is shown, in milliseconds."""
    failed.unlink(missing_ok=True)
    begun, shown = time.perf_counter(), None
    with subprocess.Popen(
        [*_RUN, "-j", "3"], cwd=path, env=bench.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            if shown is None and _SHOWN.search(line):
                shown = time.time()
    taken = (time.perf_counter() - begun) * 1000
    if process.returncode != 1 or shown is None:
        raise BenchmarkError(f"hookci run ended in {process.returncode}, and did not tell of the failure")
    return {OURS: taken, "shown": (shown - failed.stat().st_mtime) * 1000}


# -- jobs that need not run


def _monorepo(effort: Effort) -> Scene:
    packages, pushes = effort.pick(200, 30), effort.pick(8, 2)
    what = f"{pushes} pushes that differ in one leaf package of a monorepo of {packages}, each"
    bound = Bound(what=what, against="running everything", at_most=0.05)

    def measure(bench: Bench) -> dict[str, Found]:
        path = bench.directory() / "monorepo"
        repository(path, _packages(packages), bench.environment)
        add_remote(path, bench.environment)
        bench.run([OURS, "install"], path)
        bench.run([OURS, "run"], path)
        numbers = itertools.count()

        def push_some() -> float:
            taken = [_push_one(path, f"packages/p{number}", next(numbers), bench) for number in range(pushes)]
            return statistics.mean(taken)

        everything = act("everything", lambda: bench.run(_RUN, path))
        samples = bench.rounds([act("push", push_some), everything], 3, 1)
        plan = statistics.median(bench.run([OURS, "plan"], path) for _ in range(3))
        parts = [Part(f"`{OURS} plan` there", plan)]
        return {"push": Found(ours=samples.of("push"), theirs=samples.of("everything"), parts=parts)}

    return Scene("a monorepo", {"push": bound}, measure)


def _packages(count: int) -> dict[str, str]:
    """So many packages with a test each, and a job for each that has it for its input."""
    test = "import unittest\n\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertTrue(True)\n"
    contents = {f"packages/p{number}/test_it.py": test for number in range(count)}
    contents |= {f"packages/p{number}/it.py": f"x = {number}\n" for number in range(count)}
    jobs = (
        f'[jobs.p{number}]\ninputs = ["packages/p{number}/**"]\n'
        f'script = ["cd packages/p{number} && {sys.executable} -m unittest -q"]\n'
        for number in range(count)
    )
    return {**contents, "hookci.toml": "".join(jobs)}


def _push_one(path: Path, package: str, number: int, bench: Bench) -> float:
    write(path, {f"{package}/it.py": f"y = {number}\n"})
    commit(path, bench.environment)
    return bench.run(["git", "push", "-q", "origin", "main"], path)


def _planned(effort: Effort) -> Scene:
    count = effort.pick(1_000, 100)
    bound = Bound(what=f"`{OURS} plan` of {count:,} jobs of which 3 are affected", against="1 s", at_most=0.5)

    def measure(bench: Bench) -> dict[str, Found]:
        jobs = (f'[jobs.j{n}]\ninputs = ["part{n}/**"]\nscript = ["true"]\n' for n in range(count))
        contents = {f"part{n}/file": f"{n}\n" for n in range(count)} | {"hookci.toml": "".join(jobs)}
        path = repository(bench.directory(), contents, bench.environment)
        bench.run([OURS, "run"], path)
        write(path, {f"part{n}/file": "changed\n" for n in range(3)})
        commit(path, bench.environment)
        samples = bench.rounds([act("plan", lambda: bench.run([OURS, "plan"], path))], 11)
        parts = [Part(f"`{OURS} --version`", statistics.median(_starts(bench, path)))]
        return {"plan": Found(ours=samples.of("plan"), theirs=samples.constant(1000.0), parts=parts)}

    return Scene(f"a plan of {count:,} jobs", {"plan": bound}, measure)


def _starts(bench: Bench, path: Path) -> Iterator[float]:
    """What it takes to start hookci at all."""
    return (bench.run([OURS, "--version"], path) for _ in range(3))
