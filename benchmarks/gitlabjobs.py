"""What a `.gitlab-ci.yml` takes, beside gitlab-ci-local on the same file; jobs run in this machine's shell."""

from __future__ import annotations

import shutil
import statistics
from typing import TYPE_CHECKING

from benchmarks import rivals
from benchmarks.figures import OURS, Bound, Found, Part
from benchmarks.graphs import critical_path, graph
from benchmarks.harness import Scene, act
from benchmarks.managers import MANAGERS, PRE_COMMIT
from benchmarks.repositories import files, git, repository, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.harness import Bench, Effort

__all__ = ["RIVAL", "RUN", "gitlab_repository", "scenes", "trivial_jobs"]

RIVAL = "gitlab-ci-local"
RUN = (OURS, "run", "--no-memory")


def scenes(effort: Effort) -> list[Scene]:
    """One for each kind of pipeline."""
    many = effort.pick(100, 20)
    return [
        _compared("1 shell job", trivial_jobs(1), 0.3),
        _compared(f"{many} trivial shell jobs", trivial_jobs(many), 0.2, rounds=5),
        _compared(f"{many} trivial shell jobs, each needs the one before", _chain(many), 0.2, rounds=5),
        _graph(effort),
        _forced(),
    ]


def trivial_jobs(count: int, *, image: str = "") -> str:
    """A pipeline of jobs that do nothing; in containers with an ``image``."""
    where = f"  image: '{image}'\n" if image else ""
    return "".join(f"job{number}:\n{where}  script: ['true']\n" for number in range(count))


def _chain(count: int) -> str:
    links = (f"  needs: [job{number - 1}]\n" if number else "  needs: []\n" for number in range(count))
    return "".join(f"job{number}:\n{needs}  script: ['true']\n" for number, needs in enumerate(links))


def gitlab_repository(pipeline: str, bench: Bench, contents: Mapping[str, str] | None = None) -> Path:
    """A repository as gitlab-ci-local wants one: with a remote, and what it writes ignored."""
    everything = {".gitlab-ci.yml": pipeline, ".gitignore": ".gitlab-ci-local\n", **(contents or {})}
    path = repository(bench.directory(), everything, bench.environment)
    git(path, bench.environment, "remote", "add", "origin", "git@gitlab.example.com:group/project.git")
    return path


def _compared(what: str, pipeline: str, at_most: float, *, rounds: int = 11) -> Scene:
    """The same pipeline in both."""

    def measure(bench: Bench) -> dict[str, Found]:
        other = rivals.gitlab_ci_local()
        ours, theirs = gitlab_repository(pipeline, bench), gitlab_repository(pipeline, bench)
        samples = bench.rounds(
            [act(OURS, lambda: bench.run(RUN, ours)), act(RIVAL, lambda: bench.run(other, theirs))], rounds
        )
        parts = [*_start(bench, ours), *_shells(bench, pipeline.count("script:"))]
        return {"jobs": Found(ours=samples.of(OURS), theirs=samples.of(RIVAL), parts=parts)}

    return Scene(what, {"jobs": Bound(what=what, against=RIVAL, at_most=at_most)}, measure)


def _shells(bench: Bench, count: int) -> Iterator[Part]:
    """What as many shells take that do nothing, two at a time, and that nobody follows."""
    shell, make = shutil.which("bash"), shutil.which("make")
    if shell and make and count > 1:
        place = bench.directory()
        write(place, {"script.sh": "true\n", "Makefile": "".join(_rules(count, shell))})
        taken = statistics.median(bench.run([make, "-s", "-j2"], place) for _ in range(5))
        yield Part(f"{count} shells by `make -j2`", taken)


def _rules(count: int, shell: str) -> Iterator[str]:
    yield f"all: {' '.join(f'job{number}' for number in range(count))}\n"
    yield from (f"job{number}:\n\t@{shell} --noprofile --norc script.sh\n" for number in range(count))


def _start(bench: Bench, path: Path) -> Sequence[Part]:
    """What hookci takes before any job: to start, and to read the pipeline and plan."""
    version, plan = (
        statistics.median(bench.run([OURS, *words], path) for _ in range(3)) for words in (["--version"], ["plan"])
    )
    return [Part(f"`{OURS} --version`", version), Part(f"`{OURS} plan`", plan)]


def _graph(effort: Effort) -> Scene:
    nodes = graph(16, seconds=effort.pick(0.5, 0.3))
    sleeping = "".join(
        f"{node.name}:\n  needs: [{', '.join(node.needs)}]\n  script: ['sleep {node.seconds}']\n" for node in nodes
    )
    what = "a 16-job graph that sleeps"
    bound = Bound(what=what, against="its longest chain", at_most=1.25)

    def measure(bench: Bench) -> dict[str, Found]:
        path = gitlab_repository(sleeping, bench)
        samples = bench.rounds([act("graph", lambda: bench.run([*RUN, "-j", "16"], path))], 7)
        least = samples.constant(critical_path(nodes) * 1000)
        return {"graph": Found(ours=samples.of("graph"), theirs=least, parts=_start(bench, path))}

    return Scene(what, {"graph": bound}, measure)


def _forced() -> Scene:
    what = "3 forced trivial jobs on a clean tree of 1,000 files"
    bounds = {
        PRE_COMMIT: Bound(what=what, against="pre-commit run with 3 `true` hooks", at_most=0.35),
        RIVAL: Bound(what=what, against=RIVAL, at_most=0.1),
    }

    def measure(bench: Bench) -> dict[str, Found]:
        bench.add_programs(rivals.python_rivals())
        other, contents = rivals.gitlab_ci_local(), files(1_000)
        paths = {
            name: repository(bench.directory(), {**contents, **_three(name)}, bench.environment)
            for name in (OURS, PRE_COMMIT)
        }
        theirs = gitlab_repository(trivial_jobs(3), bench, contents)
        samples = bench.rounds(
            [
                act(OURS, lambda: bench.run(RUN, paths[OURS])),
                act(PRE_COMMIT, lambda: bench.run(["pre-commit", "run", "--all-files"], paths[PRE_COMMIT])),
                act(RIVAL, lambda: bench.run(other, theirs)),
            ],
            11,
        )
        parts = _start(bench, paths[OURS])
        return {name: Found(ours=samples.of(OURS), theirs=samples.of(name), parts=parts) for name in bounds}

    return Scene(what, bounds, measure)


def _three(name: str) -> dict[str, str]:
    manager = MANAGERS[name]
    return {manager.config_name: manager.config(one="true", two="true", three="true")}
