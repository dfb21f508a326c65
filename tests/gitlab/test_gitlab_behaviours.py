"""Twelve things that other local runners of GitLab pipelines get wrong, each with its test."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from corpus_cases import Course
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from conftest import Ran, Repo

TOKEN = "swordfish-4711"  # a word of no meaning, to be masked


def gitlab(repo: Repo, text: str, **files: str) -> None:
    repo.commit({".gitlab-ci.yml": text, **files})


def course(ran: Ran) -> Course:
    assert "Traceback" not in ran.stderr
    return Course(ran.stdout)


def run(repo: Repo, *arguments: str, env: dict[str, str] | None = None) -> tuple[int, Course]:
    ran = repo.hookci("run", "--events", "--no-memory", *arguments, check=False, env=env)
    return ran.returncode, course(ran)


def installed(repo: Repo) -> Repo:
    repo.hookci("install")
    return repo


def push(repo: Repo, *refs: str, check: bool = False) -> Ran:
    return repo.git("push", "origin", *refs, check=check)


@pytest.mark.parametrize(
    "text",
    ["deploy: {script: exit 1, only: [tags]}\n", "workflow: {rules: [{when: never}]}\ndeploy: {script: exit 1}\n"],
)
def test_1_a_push_never_runs_what_gitlab_would_not(repo: Repo, text: str) -> None:
    gitlab(installed(repo), text)

    pushed = push(repo, "main")

    assert pushed.returncode == 0, pushed.output
    assert "deploy" not in repo.hookci("runs").stdout
    assert repo.remote_branches() == {"main"}


ALLOWED = {"": (), "allow_failure: {exit_codes: [3]}, ": (3,), "allow_failure: true, ": (1, 3)}


@given(codes=st.lists(st.sampled_from([0, 1, 3]), min_size=1, max_size=4), allowed=st.sampled_from([*ALLOWED]))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_2_a_pipeline_with_a_red_job_is_never_green(repo: Repo, codes: list[int], allowed: str) -> None:
    jobs = [f"j{number}: {{{allowed}script: exit {code}}}" for number, code in enumerate(codes)]
    gitlab(repo, "\n".join(jobs) + "\n")

    status, done = run(repo)

    red = [code for code in codes if code and code not in ALLOWED[allowed]]
    assert status == bool(red)
    assert [*done.outcomes.values()].count("failed") == len(red)


def test_3_what_would_give_another_result_is_refused_and_named(repo: Repo) -> None:
    gitlab(repo, "a: {script: echo a}\nb: {script: echo b, id_tokens: {T: {aud: x}}}\n")

    refused, nothing = run(repo)
    left_out, done = run(repo, "--allow-unsupported")

    assert (refused, nothing.outcomes) == (2, {})
    assert "id_tokens" in nothing.problems
    assert left_out == 0
    assert done.outcomes == {"a": "passed", "b": "unsupported"}


def test_4_a_push_judges_the_commits_it_sends_and_not_what_lies_around(repo: Repo) -> None:
    gitlab(
        installed(repo), "a: {script: ['echo v=$(cat v)', 'echo tag=$CI_COMMIT_TAG title=$CI_COMMIT_TITLE']}\n", v="1"
    )
    repo.git("tag", "v1")
    repo.write(v="dirty")

    pushed = push(repo, "main", "v1")

    assert pushed.returncode == 0, pushed.output
    logs = [repo.hookci("log", run, "a").stdout for run in ("1", "2")]
    assert all("v=1" in log for log in logs)
    assert sorted("tag=v1 title=a change" in log for log in logs) == [False, True]


def test_5_nothing_of_the_hook_and_of_the_shell_leaks_and_secrets_are_masked(repo: Repo) -> None:
    files = {"hookci.toml": 'pipeline = ".gitlab-ci.yml"\n[defaults]\nsecrets = ["TOKEN"]\n'}
    text = "a: {script: ['echo leak=[$HOSTLEAK]', 'env | grep -c ^GIT_INDEX || true', 'echo token=$TOKEN']}\n"
    repo.commit({".gitlab-ci.yml": text, **files})

    status, done = run(repo, env={"HOSTLEAK": "seen", "TOKEN": TOKEN})

    assert status == 0
    assert done.output["a"][:2] == ["leak=[]", "0"]
    assert TOKEN not in json.dumps(done.events)
    assert TOKEN not in Path(repo.path, ".git", "hookci", "logs", "1", "a.log").read_text()


def test_6_a_job_starts_when_its_needs_are_over_whatever_else_runs(repo: Repo) -> None:
    # `slow` ends only when `after` has run, so a runner that waits for whole stages never gets there
    text = """\
slow:
  stage: build
  timeout: 60s
  script: 'until [ -e "$CI_PROJECT_DIR/../../go-$CI_PIPELINE_ID" ]; do sleep 0.05; done'
fast: {stage: build, script: "true"}
after: {stage: test, needs: [fast], script: 'touch "$CI_PROJECT_DIR/../../go-$CI_PIPELINE_ID"'}
"""
    gitlab(repo, text)

    status, done = run(repo, "-j", "2")

    assert status == 0
    assert done.started["after"] < done.ended["slow"]


def test_7_a_deadline_ends_everything_that_a_job_has_started(repo: Repo, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    gitlab(repo, f"a: {{timeout: 1 second, script: ['setsid sleep 300 & echo $! > {pid}; wait']}}\n")

    status, done = run(repo)

    assert (status, done.outcomes) == (1, {"a": "timed-out"})
    assert not Path("/proc", pid.read_text().strip(), "exe").exists()


def test_8_a_manual_job_waits_holds_up_what_it_must_and_can_be_played(repo: Repo) -> None:
    text = """\
ok: {stage: build, script: echo ok}
m: {stage: build, script: echo m, rules: [{when: manual}]}
n: {stage: test, script: echo n}
"""
    gitlab(repo, text)

    waiting, first = run(repo)
    played, second = run(repo, "--play", "m")

    assert (waiting, first.outcomes) == (0, {"ok": "passed", "m": "manual", "n": "skipped"})
    assert played == 0
    assert second.outcomes == {"ok": "passed", "m": "passed", "n": "passed"}


def test_9_the_repository_is_as_it_was(repo: Repo) -> None:
    gitlab(repo, "a: {script: ['echo x > made', 'rm tracked'], artifacts: {paths: [made]}}\n", tracked="x")
    repo.write(untracked="y", tracked="dirty")
    before = repo.git("status", "--porcelain", "--ignored").stdout

    status, _ = run(repo)

    assert status == 0
    assert repo.git("status", "--porcelain", "--ignored").stdout == before
    assert (repo.path / "tracked").read_text() == "dirty"


def test_10_nothing_is_needed_but_git_and_a_shell(repo: Repo, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "sh", "cp", "cat"):
        found = shutil.which(name, path=repo.env["PATH"])
        assert found
        (programs / name).symlink_to(found)
    gitlab(repo, "a: {script: [cat tracked], artifacts: {paths: [tracked]}}\n", tracked="x")

    status, done = run(repo, env={"PATH": str(programs)})

    assert (status, done.outcomes) == (0, {"a": "passed"})


def test_11_a_failure_is_that_of_one_job_and_all_of_it_can_be_read(repo: Repo) -> None:
    gitlab(repo, "a: {script: exit 4}\nb: {script: 'sleep 0.5; echo done'}\n")

    ran = repo.hookci("run", "--json", "--junit", "run.xml", check=False)

    document: dict[str, Any] = json.loads(ran.stdout)
    jobs = {job["name"]: (job["outcome"], job["exit_code"]) for job in document["run"]["jobs"]}
    assert jobs == {"a": ("failed", 4), "b": ("passed", 0)}
    assert document["run"]["commit"] == repo.out("rev-parse", "HEAD")
    assert "<testcase" in (repo.path / "run.xml").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "a: {script: exit 1, allow_failure: yes}\n",
        "a: {script: echo a, needs: null}\n",
        "a: {script: echo a, rules: [{if: '$CI_PIPELINE_SOURCE =~ \"push\"'}]}\n",
        "a:\n  before_script:\n  script: echo a\n",
        "variables:\na: {script: echo a}\n",
        ".x: &x {tags: [a]}\na: {<<: *x, script: echo a}\n",
    ],
)
def test_12_what_gitlab_accepts_is_accepted(repo: Repo, text: str) -> None:
    gitlab(repo, text)

    status, done = run(repo)

    assert status == 0
    assert [*done.outcomes] == ["a"]


def test_an_interrupted_push_leaves_nothing_on_the_remote(repo: Repo) -> None:
    gitlab(installed(repo), "a: {script: 'kill -INT $PPID; sleep 5'}\n")

    pushed = push(repo, "main")

    assert pushed.returncode != 0
    assert repo.remote_branches() == set()
    assert (repo.path / ".git" / "hookci").is_dir()
