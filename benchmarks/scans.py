"""What security scans take, beside bandit."""

from __future__ import annotations

import itertools
import json
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import rivals
from benchmarks.agreement import Agreement, Place, agreement
from benchmarks.driven import driven
from benchmarks.figures import OURS, Bound, Found, Part, Table
from benchmarks.harness import BenchmarkError, Scene, act
from benchmarks.repositories import add_remote, commit, repository, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.harness import Bench, Effort

__all__ = ["scenes"]

_DJANGO = "Django==5.1"
_CODE = '[jobs.code]\nscan = "bandit"\n'
_SECRETS = '[jobs.secrets]\nscan = "secrets"\n'
_DEPENDENCIES = '[jobs.dependencies]\nscan = "dependencies"\n'
_ADDED = 400
_PACKAGES, _ADVISORIES_EACH = 660, 4
_REQUIREMENTS = "django==2.2\njinja2==2.10\nrequests==2.19\nclick==8.1.8\npackage7==1.0\n"
_NOT_IN_TESTS = {"B101", "B105", "B106", "B107", "B108", "B311"}
"""What docs/how-to/security-scans.md says of tests: assertions, fake passwords and the like."""
_BANDIT, _FIRST, _PUSH = "bandit", "first", "push"


def scenes(effort: Effort) -> list[Scene]:
    """Code, then what is small."""
    return [_code(effort), _secrets(), _dependencies(), _small()]


# -- code


def _code(effort: Effort) -> Scene:
    part = effort.pick("", "/forms")
    bounds = {
        _FIRST: Bound(what=f"the first full scan of {_DJANGO}{part}", against="`bandit -r`", at_most=1.0),
        _PUSH: Bound(what="a push of one changed file of it", against="`bandit -r`", at_most=0.2),
    }

    def measure(bench: Bench) -> dict[str, Found]:
        source = _django() / f"django{part}" if part else _django()
        project = _Project.of(bench, _CODE, source)
        bench.tables += [_described(project.path, source.name), _compared(project).table()]
        acts = [act(_BANDIT, project.bandit), act(_FIRST, project.first_scan), act(_PUSH, project.push_of_one)]
        samples = bench.rounds(acts, 7, 1)
        bandit = samples.of(_BANDIT)
        return {what: Found(ours=samples.of(what), theirs=bandit) for what in bounds}

    return Scene("scans of code", bounds, measure)


def _django() -> Path:
    """Django's source distribution, downloaded once."""
    place = rivals.BENCH / _DJANGO.replace("==", "-")
    if not place.exists():
        with tempfile.TemporaryDirectory(dir=rivals.BENCH) as directory:
            wanted = ["--no-deps", "--no-binary", ":all:", "-d", directory, _DJANGO]
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", *wanted], check=True)
            with tarfile.open(next(Path(directory).glob("*.tar.gz"))) as archive:
                archive.extractall(directory, filter="data")
            next(path for path in Path(directory).iterdir() if path.is_dir()).rename(place)
    return place


@dataclass(slots=True)
class _Project:
    """A guarded repository and a bare remote beside it, which has what there is."""

    path: Path
    bench: Bench
    _edits: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def of(cls, bench: Bench, config: str, source: Path | None = None) -> _Project:
        """A repository with the files of ``source`` and a pipeline."""
        path = bench.directory() / "project"
        if source:
            leave = shutil.ignore_patterns(".git", "__pycache__", "hookci.toml", "hookci-baseline.json")
            shutil.copytree(source, path, ignore=leave)
        repository(path, {"hookci.toml": config}, bench.environment)
        add_remote(path, bench.environment)
        bench.run([OURS, "install"], path)
        return cls(path, bench)

    def told(self, *words: str) -> dict[str, Any]:
        """What ``hookci ... --json`` writes."""
        argv = [OURS, *words, "--json"]
        done = subprocess.run(argv, cwd=self.path, env=self.bench.environment, capture_output=True, check=False)
        document: dict[str, Any] = json.loads(done.stdout)
        if "run" not in document:
            raise BenchmarkError(f"hookci {' '.join(words)}: {document}")
        return document

    def commit(self, contents: Mapping[str, str]) -> None:
        """Write files and commit everything, without hooks."""
        write(self.path, contents)
        commit(self.path, self.bench.environment)

    def push(self, *before: str) -> float:
        """Push, under what is put before the command."""
        return self.bench.run([*before, "git", "push", "-q", "origin", "main"], self.path)

    def bandit(self) -> float:
        """What a person has without hookci."""
        argv = ["bandit", "-q", "-r", ".", "-f", "json", "-o", f"{self.path}.json"]
        return self.bench.run(argv, self.path, expected=(0, 1))

    def first_scan(self) -> float:
        """Scan everything, with nothing remembered."""
        shutil.rmtree(self.path / ".git" / "hookci", ignore_errors=True)
        return self.bench.run([OURS, "run", "code"], self.path, expected=(0, 1))

    def push_of_one(self) -> float:
        """Change one file of those that bandit takes long for, and push that."""
        sources = sorted(self.path.rglob("*.py"), key=lambda path: path.stat().st_size)
        changed = sources[len(sources) * 9 // 10]
        with changed.open("a", encoding="utf-8") as file:
            file.write(f"\n\nadded = {next(self._edits)}\n")
        self.commit({})
        return self.push()

    def milliseconds(self, job: str) -> float:
        """What a job takes by hookci's own account."""
        (entry,) = self.told("run", job, "--no-memory")["run"]["jobs"]
        if entry["scan"] is None or entry["scan"]["unscanned"] or not entry["scan"]["what"]:
            raise BenchmarkError(f"{job} scans nothing: {entry}")
        return float(entry["seconds"]) * 1000


def _compared(project: _Project) -> Agreement:
    """What bandit finds, held against what hookci does."""
    project.bandit()
    (job,) = project.told("scan", "--all")["run"]["jobs"]
    ours = [
        (one["path"], one["rule"], one["line"])
        for one in job["scan"]["findings"]
        if one["rule"] != "not-scanned" and not one["in_source"]
    ]
    report = json.loads(Path(f"{project.path}.json").read_text(encoding="utf-8"))
    theirs: list[Place] = [
        (one["filename"].removeprefix("./"), one["test_id"], one["line_number"]) for one in report["results"]
    ]
    with driven(project.bench.environment) as driver:
        tests = set(driver.ask("tests", paths=[one[0] for one in theirs])["paths"])
    return agreement(theirs, ours, [one for one in theirs if one[1] in _NOT_IN_TESTS and one[0] in tests])


def _described(tree: Path, name: str) -> Table:
    """What was scanned."""
    sources = [path.read_bytes() for path in tree.rglob("*.py")]
    lines = sum(text.count(b"\n") for text in sources)
    return Table("What was scanned", ["", "Python files", "lines"], [[name, f"{len(sources):,}", f"{lines:,}"]])


# -- what is small


def _secrets() -> Scene:
    bound = Bound(what=f"secrets in {_ADDED} added lines, inside the job", against="50 ms", at_most=1.0)

    def measure(bench: Bench) -> dict[str, Found]:
        project, numbers = _Project.of(bench, _SECRETS), itertools.count()
        lines = _source_lines(_django())

        def added() -> float:
            text = "".join(itertools.islice(lines, _ADDED))
            project.commit({f"added{next(numbers)}.py": text})
            taken = project.milliseconds("secrets")
            bench.run(["git", "push", "-q", "--no-verify", "origin", "main"], project.path)
            return taken

        samples = bench.rounds([act("secrets", added)], 31)
        return {"secrets": Found(ours=samples.of("secrets"), theirs=samples.constant(50.0))}

    return Scene("secrets", {"secrets": bound}, measure)


def _source_lines(tree: Path) -> Iterator[str]:
    """The lines of all Python files of ``tree``, again and again."""
    sources = sorted(tree.rglob("*.py"))
    return (
        line
        for path in itertools.cycle(sources)
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    )


def _dependencies() -> Scene:
    bound = Bound(what="advisories about 5 requirements, inside the job", against="200 ms", at_most=1.0)

    def measure(bench: Bench) -> dict[str, Found]:
        project = _Project.of(bench, _DEPENDENCIES)
        project.commit({"requirements.txt": _REQUIREMENTS})
        _import_advisories(project)
        samples = bench.rounds([act("known", lambda: project.milliseconds("dependencies"))], 31)
        return {"known": Found(ours=samples.of("known"), theirs=samples.constant(200.0))}

    return Scene("advisories", {"known": bound}, measure)


def _import_advisories(project: _Project) -> None:
    """Take in a database that is made up, of the size of the public one."""
    names = ["django", "jinja2", "requests", "click", *(f"package{number}" for number in range(_PACKAGES - 4))]
    records = [_record(name, number) for name in names for number in range(_ADVISORIES_EACH)]
    path = project.bench.directory() / "advisories.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in records), encoding="utf-8")
    project.bench.run([OURS, "advisories", "import", str(path)], project.path)


def _record(package: str, number: int) -> dict[str, object]:
    """An OSV record about versions that were mended long ago."""
    fixed = f"{number + 1}.2.24"
    kind = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}
    return {
        "id": f"PYSEC-2026-{package}-{number}",
        "modified": "2026-01-02T03:04:05Z",
        "summary": "a hole",
        "affected": [{"package": {"ecosystem": "PyPI", "name": package}, "ranges": [kind]}],
    }


def _small() -> Scene:
    what = "all scans of a small project, pushed where nothing is remembered"
    bound = Bound(what=what, against="2 s", at_most=1.0)

    def measure(bench: Bench) -> dict[str, Found]:
        before = _without_network()
        samples = bench.rounds([act("push", lambda: _small_push(bench, before))], 10, 1)
        bench.tables.append(Table("The small project", ["pushed without a network"], [["yes" if before else "no"]]))
        start = statistics.median(bench.run([OURS, "--version"], bench.place) for _ in range(3))
        parts = [Part(f"`{OURS} --version`", start)]
        return {"push": Found(ours=samples.of("push"), theirs=samples.constant(2000.0), parts=parts)}

    return Scene("a small project", {"push": bound}, measure)


def _without_network() -> Sequence[str]:
    """What to put before a command so that it has no network; nothing where there is no such thing."""
    for options in ("-rn", "-n"):
        words = ["unshare", options]
        if shutil.which("unshare"):
            done = subprocess.run([*words, "true"], check=False, capture_output=True)
            if done.returncode == 0:
                return words
    return []


def _small_push(bench: Bench, before: Sequence[str]) -> float:
    """Push what was added to a project where nothing is remembered yet."""
    project = _Project.of(bench, _CODE + _SECRETS + _DEPENDENCIES)
    code = "import subprocess\n\n\ndef start(name):\n    return subprocess.run([name], check=True)\n"
    project.commit({"app/run.py": code, "app/other.py": "x = 1\n" * 50, "requirements.txt": "click==8.1.8\n"})
    return project.push(*before)
