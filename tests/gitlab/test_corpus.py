"""Small pipelines, keyword by keyword, through the command line, in real repositories."""

from __future__ import annotations

import itertools
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from conftest import AUTHOR, Repo
from corpus_cases import CASES, Case, Course

from hookci.cli.commands import run_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with a commit that is on the remote, to be copied: for most cases git has little to do then."""
    top = tmp_path_factory.mktemp("corpus")
    env = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "TMPDIR"}}
    env |= AUTHOR | {"HOME": str(top), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    (top / ".gitconfig").write_text("[init]\n\tdefaultBranch = main\n[maintenance]\n\tauto = false\n")
    repo = Repo(top / "template", env)
    repo.run("git", "init", "-q", "--template=", str(repo.path), cwd=top)
    repo.commit({"README": "x"}, "first")
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    return repo


@pytest.fixture
def repo(template: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repo]:
    path = tmp_path / "project"
    shutil.copytree(template.path, path)
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in template.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(path)
    yield Repo(path, template.env)
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)


def arrange(repo: Repo, case: Case) -> list[str]:
    """Commit what the case has; the arguments that name it."""
    if case.changed is not None:
        repo.commit({".gitlab-ci.yml": case.ci, **case.files})
        repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    branch = case.at.get("branch", "main")
    if branch != "main":
        repo.git("checkout", "-q", "-b", branch)
    changes = dict.fromkeys(case.changed or [], "changed")
    repo.commit({".gitlab-ci.yml": case.ci, **case.files, **changes}, case.message)
    if "tag" in case.at:
        repo.git("tag", case.at["tag"])
        return ["--rev", case.at["tag"]]
    return []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.place}: {case.name}")
def test_the_pipeline_does_what_gitlab_says(
    case: Case, repo: Repo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = arrange(repo, case)
    for name, value in case.env.items():
        monkeypatch.setenv(name, value)

    status = run_command(["run", "--events", "--no-memory", "-j", "4", *revision, *case.arguments])

    said = capsys.readouterr()
    course = Course(said.out)
    assert "Traceback" not in said.err
    if case.error is not None:
        assert (status, course.outcomes) == (2, {}), said.err
        assert case.error in course.problems
        return
    assert course.outcomes == case.expected(course.outcomes), said.err
    assert status == case.status
    check_order(case, course)
    check_output(case, course)


def check_order(case: Case, course: Course) -> None:
    for first, second in [*itertools.pairwise(case.order), *case.before]:
        # a job that starts when another is over starts after it; one that ends before it need not
        other = course.started if (first, second) in itertools.pairwise(case.order) else course.ended
        assert course.ended[first] < other[second], f"{first} is not over before {second}"


def check_output(case: Case, course: Course) -> None:
    for job, lines in case.output.items():
        assert [line for line in map(str, lines) if line not in course.output.get(job, [])] == [], course.output.get(
            job
        )
    for job, lines in case.not_output.items():
        assert [line for line in lines if line in course.output.get(job, [])] == []
    assert {job: course.results[job]["attempts"] for job in case.attempts} == case.attempts
    assert {job: course.results[job]["coverage"] for job in case.coverage} == case.coverage
