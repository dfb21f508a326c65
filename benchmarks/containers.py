"""What a job in a container takes, beside `docker run` and gitlab-ci-local."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from typing import TYPE_CHECKING

from benchmarks import rivals
from benchmarks.figures import OURS, Bound, Found, Part
from benchmarks.gitlabjobs import RIVAL, RUN, gitlab_repository, trivial_jobs
from benchmarks.harness import BenchmarkError, Scene, act
from benchmarks.repositories import files, repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.harness import Act, Bench, Effort

__all__ = ["engine_facts", "scenes"]

_IMAGE = "hookci-test/busybox:1"
"""Made by `scripts/engine`."""
_SETTLE = 0.5
"""Seconds before each act: an engine goes on clearing away a container whose `docker run` has ended."""
_VERSION = ["docker", "version", "--format", "{{.Server.Version}}"]


def scenes(effort: Effort) -> list[Scene]:
    """Beside `docker run`, then beside gitlab-ci-local."""
    some = effort.pick(10, 3)
    return [_alone(1, 21), _alone(some, 7), _large(some, effort.pick(20_000, 500))]


def engine_facts() -> dict[str, str]:
    """The version of the engine; nothing where there is none."""
    if not shutil.which("docker"):
        return {}
    done = subprocess.run(_VERSION, capture_output=True, text=True, check=False)
    return {"container engine": done.stdout.strip()} if done.returncode == 0 else {}


def _check(bench: Bench) -> None:
    """An engine and the image have to be there."""
    if not engine_facts():
        raise BenchmarkError("no container engine answers the `docker` command")
    try:
        bench.run(["docker", "image", "inspect", _IMAGE], bench.place)
    except BenchmarkError as error:
        raise BenchmarkError(f"{_IMAGE} is not there: start scripts/engine") from error


def _alone(count: int, rounds: int) -> Scene:
    """So many jobs beside as many `docker run`, and gitlab-ci-local if they are several."""
    jobs = "one container job" if count == 1 else f"{count} container jobs side by side"
    runs = "`docker run --rm`" if count == 1 else f"{count} `docker run --rm` side by side"
    bounds = {"docker": Bound(what=f"{jobs}, beyond as many local ones", against=runs, at_most=1.15)}
    if count > 1:
        bounds[RIVAL] = Bound(what=jobs, against=RIVAL, at_most=1.0)

    def measure(bench: Bench) -> dict[str, Found]:
        _check(bench)
        run = [*RUN, "-j", str(count)]
        boxed, here = (
            repository(bench.directory(), {".gitlab-ci.yml": trivial_jobs(count, image=image)}, bench.environment)
            for image in (_IMAGE, "")
        )
        acts = [
            _settled("boxed", lambda: bench.run(run, boxed)),
            _settled("here", lambda: bench.run(run, here)),
            _settled("docker", lambda: _docker_run(count, boxed, bench)),
        ]
        if count > 1:
            acts.append(_rival(trivial_jobs(count, image=_IMAGE), {}, bench))
        samples = bench.rounds(acts, rounds, 1)
        parts = [Part("as many local jobs", statistics.median(samples.of("here")))]
        found = {"docker": Found(ours=samples.beyond("boxed", "here"), theirs=samples.of("docker"), parts=parts)}
        if count > 1:
            found[RIVAL] = Found(ours=samples.of("boxed"), theirs=samples.of(RIVAL), parts=parts)
        return found

    return Scene(jobs, bounds, measure)


def _settled(name: str, action: Callable[[], float]) -> Act:
    """An act, when the engine is done with what was before it."""

    def settled() -> float:
        time.sleep(_SETTLE)
        return action()

    return act(name, settled)


def _large(jobs: int, count: int) -> Scene:
    """So many jobs, of a repository of so many files."""
    what = f"{jobs} container jobs on {count:,} files"

    def measure(bench: Bench) -> dict[str, Found]:
        _check(bench)
        pipeline, contents = trivial_jobs(jobs, image=_IMAGE), files(count)
        path = repository(bench.directory(), {".gitlab-ci.yml": pipeline, **contents}, bench.environment)
        ours = act(OURS, lambda: bench.run([*RUN, "-j", str(jobs)], path))
        samples = bench.rounds([ours, _rival(pipeline, contents, bench)], 3, 1)
        docker = statistics.median(_docker_run(jobs, path, bench) for _ in range(bench.effort.pick(3, 1)))
        parts = [Part(f"{jobs} `docker run --rm` side by side", docker)]
        return {RIVAL: Found(ours=samples.of(OURS), theirs=samples.of(RIVAL), parts=parts)}

    return Scene(what, {RIVAL: Bound(what=what, against=RIVAL, at_most=0.1)}, measure)


def _rival(pipeline: str, contents: dict[str, str], bench: Bench) -> Act:
    """gitlab-ci-local on the same jobs; its helper is an image that is here."""
    argv = [*rivals.gitlab_ci_local(), "--helper-image", _IMAGE, "--pull-policy", "if-not-present"]
    path = gitlab_repository(pipeline, bench, contents)
    return act(RIVAL, lambda: bench.run(argv, path))


def _docker_run(count: int, checkout: Path, bench: Bench) -> float:
    """So many containers side by side, as a person would start them, on a directory of this machine."""
    mount = ["--volume", f"{checkout}:/builds/project", "--workdir", "/builds/project"]
    argv = ["docker", "run", "--rm", *mount, _IMAGE, "sh", "-c", "true"]
    begun = time.perf_counter()
    started = [
        subprocess.Popen(argv, env=bench.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        for _ in range(count)
    ]
    statuses = [process.wait() for process in started]
    taken = (time.perf_counter() - begun) * 1000
    if any(statuses):
        raise BenchmarkError(f"docker run ended in {statuses}")
    return taken
