"""What the keys of jobs with inputs cost: one look at the tree for all of them, and no file is read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Repo

COUNTING = """#!/bin/sh
echo "$*" >> "$COUNTED"
exec "$REAL_GIT" "$@"
"""


class Packages:
    """A repository of packages with a job each, where each process of git is counted."""

    def __init__(self, repo: Repo, place: Path) -> None:
        self.repo, self.calls = repo, place / "calls"
        self.programs = place / "programs"
        self.programs.mkdir()
        git = self.programs / "git"
        git.write_text(COUNTING)
        git.chmod(0o755)
        real = shutil.which("git", path=repo.env["PATH"])
        assert real is not None
        repo.env.update(REAL_GIT=real, COUNTED=str(self.calls), PATH=f"{self.programs}:{repo.env['PATH']}")

    def make(self, count: int) -> None:
        jobs = (f'[jobs.p{n}]\ninputs = ["p{n}/**", "*.md"]\nscript = ["test -s p{n}/a.txt"]\n' for n in range(count))
        files = {f"p{n}/a.txt": f"{n}\n" for n in range(count)}
        self.repo.commit({"hookci.toml": "".join(jobs), "README.md": "r\n", **files})

    def counted(self, *arguments: str) -> list[str]:
        """What git was asked for by one hookci."""
        self.calls.unlink(missing_ok=True)
        self.repo.hookci(*arguments)
        calls = [line.split() for line in self.calls.read_text().splitlines()]
        asked = sorted(word for call in calls for word in call if word in {"ls-tree", "cat-file", "rev-parse"})
        return [*asked, f"{len(calls)} in all"]


@pytest.fixture
def packages(repo: Repo, tmp_path: Path) -> Packages:
    return Packages(repo, tmp_path)


def test_no_job_more_starts_a_process_more(packages: Packages) -> None:
    packages.make(3)
    planned, run = packages.counted("plan"), packages.counted("run") and packages.counted("run")

    packages.make(40)
    planned_more, run_more = packages.counted("plan"), packages.counted("run") and packages.counted("run")

    assert planned_more == planned
    assert run_more == run
    assert planned.count("ls-tree") <= 2  # the config, and all files once


def test_no_file_is_read(packages: Packages) -> None:
    repo = packages.repo
    packages.make(3)
    packages.counted("run")
    for line in repo.out("ls-tree", "-r", "HEAD").splitlines():
        head, _, path = line.partition("\t")
        oid = head.split(" ")[2]
        if path != "hookci.toml":
            (repo.path / ".git/objects" / oid[:2] / oid[2:]).unlink()
            (repo.path / path).unlink()

    plan = json.loads(repo.hookci("plan", "--json").stdout)["plan"]

    assert [job["action"] for job in plan["jobs"]] == ["remembered"] * 3


def test_a_file_of_one_of_many_makes_that_one_run(packages: Packages) -> None:
    repo = packages.repo
    packages.make(40)
    packages.counted("run")
    repo.commit({"p7/a.txt": "another\n"})

    plan = json.loads(repo.hookci("plan", "--json").stdout)["plan"]

    assert [job["name"] for job in plan["jobs"] if job["action"] == "run"] == ["p7"]


def test_for_git_what_a_job_does_not_get_is_as_in_a_sparse_checkout(repo: Repo, tmp_path: Path) -> None:
    said = tmp_path / "said"
    script = f'["git ls-files -t > {said}", "echo x >> a/a.txt", "git diff --name-only >> {said}"]'
    repo.commit({"hookci.toml": f'[jobs.a]\ninputs = ["a/**"]\nscript = {script}\n', "a/a.txt": "a\n", "b.txt": "b\n"})
    repo.hookci("run")
    first = said.read_text()
    for number in range(4):
        repo.commit({"a/a.txt": f"{number}\n", "c.txt": f"{number}\n"})
        repo.hookci("run")

    assert first.splitlines() == ["H a/a.txt", "S b.txt", "S hookci.toml", "a/a.txt"]
    assert said.read_text().splitlines() == ["H a/a.txt", "S b.txt", "S c.txt", "S hookci.toml", "a/a.txt"]
    kept = list(Path(repo.env["HOME"], ".cache").rglob("sparse-*"))
    assert len(kept) == 2
