"""What a hook costs before a job starts, in processes and modules: the miss path and the remembered one."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from green_worlds import MAIN, environment, executed, in_full, pushed, settle
from wanted import needed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Ran, Repo

CONFIG = """
[jobs.unit]
script = ["true"]
[hooks]
pre-commit = ["unit"]
"""
HEAVY = {
    "git", "gitdb", "docker", "rich", "pydantic", "pydantic_core", "requests", "urllib3", "yaml", "tomli", "tomlkit",
    "wcmatch", "click", "dataclasses", "asyncio", "http", "unittest", "apprise", "bandit", "jsonschema", "email",
    "uuid", "decimal", "platform", "ipaddress", "inspect",
}  # fmt: skip
"""None of these is needed to run a job on this machine, or to remember that it has passed."""
MOST_MODULES = {"missed": 135, "remembered": 130}
MOST_GIT = {
    ("pre-commit", "missed"): 7,
    ("pre-commit", "remembered"): 5,
    ("pre-push", "missed"): 6,
    ("pre-push", "remembered"): 4,
}
"""What it is now, and a bound for what it becomes: to be made lower, not higher."""


class Watched:
    """A repository whose hook is started as git would, with an eye on what it imports and starts."""

    def __init__(self, repo: Repo, place: Path) -> None:
        self.repo, self.trace = repo, place / "trace"
        repo.commit({"hookci.toml": CONFIG, "data.txt": "good\n"})
        settle()
        # a first run makes what every later one finds: workspaces, the database, a config that was validated
        in_full(repo)
        in_full(repo, "pre-push", stdin=self.lines)
        repo.commit({"data.txt": "better\n"})

    @property
    def lines(self) -> str:
        return pushed(self.repo.out("rev-parse", "HEAD"))

    def start(self, hook: str, *before: str, options: tuple[str, ...] = ()) -> Ran:
        argv = [*before, sys.executable, "-I", *options, str(MAIN), "hook", hook, "--", "origin", "url"]
        stdin = self.lines if hook == "pre-push" else ""
        return self.repo.run(*argv, env=environment(self.repo), stdin=stdin)

    def imported(self, hook: str) -> set[str]:
        said = self.start(hook, options=("-X", "importtime")).stderr
        return {line.rpartition("|")[2].strip() for line in said.splitlines() if line.startswith("import time:")}

    def started(self, hook: str) -> Mapping[str, int]:
        """How often each program was started, by its name."""
        tracing = (needed("strace"), "-f", "-qq", "-e", "trace=execve", "-o", str(self.trace))
        ran = self.start(hook, *tracing)
        if "PTRACE" in ran.stderr or "ptrace" in ran.stderr:
            pytest.skip("strace may not trace here")
        return Counter(Path(call.partition('"')[0]).name for call in executed(self.trace))


@pytest.fixture
def watched(repo: Repo, tmp_path: Path) -> Watched:
    return Watched(repo, tmp_path)


@pytest.mark.parametrize("hook", ["pre-commit", "pre-push"])
def test_nothing_is_imported_that_the_hook_has_no_need_of(watched: Watched, hook: str) -> None:
    missed, remembered = watched.imported(hook), watched.imported(hook)

    ours = {"missed": _ours(missed), "remembered": _ours(remembered)}
    assert {name.partition(".")[0] for name in missed | remembered} & HEAVY == set()
    assert "hookci.execute.attempt" in missed
    assert {path: len(names) for path, names in ours.items() if len(names) > MOST_MODULES[path]} == {}, ours


@pytest.mark.parametrize("hook", ["pre-commit", "pre-push"])
def test_few_processes_are_started(watched: Watched, hook: str) -> None:
    missed, remembered = watched.started(hook), watched.started(hook)

    for path, started in (("missed", missed), ("remembered", remembered)):
        assert started["git"] <= MOST_GIT[hook, path], (path, started)
    # hookci, and the job in its shell
    assert sum(missed.values()) - missed["git"] <= 2, missed
    assert sum(remembered.values()) - remembered["git"] == 1, remembered


def test_the_files_of_a_snapshot_are_listed_once(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": '[jobs.unit]\ninputs = ["src/**"]\nscript = ["true"]\n', "src/a": "1"})
    tracing = (needed("strace"), "-f", "-qq", "-s", "400", "-e", "trace=execve", "-o", str(tmp_path / "trace"))

    ran = repo.run(*tracing, sys.executable, "-I", str(MAIN), "run", "--no-memory", env=environment(repo), check=False)
    if "PTRACE" in ran.stderr or "ptrace" in ran.stderr:
        pytest.skip("strace may not trace here")

    assert ran.returncode == 0
    assert len([call for call in executed(tmp_path / "trace") if '"ls-tree"' in call]) == 1


def _ours(imported: set[str]) -> list[str]:
    return sorted(name for name in imported if name.partition(".")[0] == "hookci")
