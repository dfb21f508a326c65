"""Variables by which a job of a ``.gitlab-ci.yml`` asks something of its runner, and that change its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from execute_tools import marker, outcomes, output, run, running, said, seconds

if TYPE_CHECKING:
    from conftest import Ran, Repo


def commit(repo: Repo, text: str) -> None:
    image = f"default: {{image: '{repo.image}'}}\n" if repo.image else ""
    repo.commit({".gitlab-ci.yml": image + text, "src.txt": "tracked\n", "sub/file": "tracked\n"})


# -- time limits


@pytest.mark.executors
def test_a_script_has_the_time_that_is_asked_for_and_its_after_script_runs_then(repo: Repo) -> None:
    mark = marker()
    commit(repo, f"""
j:
  variables: {{RUNNER_SCRIPT_TIMEOUT: 1s}}
  before_script: [echo before]
  script: [sleep {mark}]
  after_script: [echo "after $CI_JOB_STATUS"]
""")  # fmt: skip

    ran = run(repo, check=False)

    assert ran.returncode == 1
    assert outcomes(repo) == {"j": "timed out"}
    assert said(ran, "j") == ["before", "after failed"]
    assert "did not end within 1 s, its RUNNER_SCRIPT_TIMEOUT" in ran.stdout
    assert seconds(ran) < 20
    assert running(mark) == []


@pytest.mark.parametrize("limit", ["1s", "1000ms", "0.5s500ms", "1 second", "0h 1s"])
def test_limits_are_durations_as_go_or_gitlab_writes_them(repo: Repo, limit: str) -> None:
    commit(repo, f"variables: {{N: '{limit}'}}\nj: {{variables: {{RUNNER_SCRIPT_TIMEOUT: $N}}, script: sleep 60}}\n")

    ran = run(repo, check=False)

    assert "did not end within 1 s, its RUNNER_SCRIPT_TIMEOUT" in ran.stdout


def test_a_limit_may_come_from_rules_or_by_hand(repo: Repo) -> None:
    commit(repo, """
rule: {script: sleep 60, rules: [{variables: {RUNNER_SCRIPT_TIMEOUT: 500ms}}]}
plain: {script: sleep 1}
""")  # fmt: skip

    run(repo, "--keep-going", check=False)
    by_rule = outcomes(repo)
    run(repo, "--keep-going", "--variable", "RUNNER_SCRIPT_TIMEOUT=0.2s", check=False)

    assert by_rule == {"rule": "timed out", "plain": "passed"}
    assert outcomes(repo) == {"rule": "timed out", "plain": "timed out"}


def test_no_script_has_more_time_than_its_job(repo: Repo) -> None:
    commit(repo, "j: {script: sleep 60, timeout: 1s, variables: {RUNNER_SCRIPT_TIMEOUT: 1h}}\n")

    ran = run(repo, check=False)

    assert "j = timed out" in " ".join(ran.stdout.split())
    assert "did not end within 1 s\n" in ran.stdout


@pytest.mark.parametrize("limit", ["soon", "0s", "-1s"])
def test_what_is_no_limit_is_told_and_is_none(repo: Repo, limit: str) -> None:
    commit(repo, f"j: {{script: echo hi, variables: {{RUNNER_SCRIPT_TIMEOUT: '{limit}'}}}}\n")

    ran = run(repo)

    assert said(ran, "j") == [f"hookci: RUNNER_SCRIPT_TIMEOUT `{limit}` is no duration, and counts for nothing", "hi"]


@pytest.mark.executors
def test_an_after_script_has_the_time_that_is_asked_for(repo: Repo) -> None:
    mark = marker()
    commit(repo, f"""
j:
  variables: {{RUNNER_AFTER_SCRIPT_TIMEOUT: 1s}}
  script: [echo hi]
  after_script: [sleep {mark}]
""")  # fmt: skip

    ran = run(repo)

    late = "hookci: after_script did not end within 1 s; that does not change the result"
    assert said(ran, "j") == ["hi", late]
    assert running(mark) == []


# -- after_script that counts


def after(ignored: str, script: str = "echo hi", command: str = "exit 3", more: str = "") -> str:
    return f"""
j:
  variables: {{AFTER_SCRIPT_IGNORE_ERRORS: {ignored}, RUNNER_AFTER_SCRIPT_TIMEOUT: 1s}}
  script: [{script}]
  after_script: [echo "it was $CI_JOB_STATUS", {command}]
  {more}
"""


@pytest.mark.executors
def test_an_after_script_that_fails_fails_its_job_where_that_is_asked_for(repo: Repo) -> None:
    commit(repo, after('"false"'))

    ran = run(repo, check=False)

    assert ran.returncode == 1
    assert outcomes(repo) == {"j": "failed"}
    assert said(ran, "j") == ["hi", "it was success"]
    assert "exit status 3, after_script failed" in ran.stdout
    assert "command: exit 3" in ran.stdout


@pytest.mark.parametrize("ignored", ['"true"', '""', "maybe"])
def test_else_it_does_not(repo: Repo, ignored: str) -> None:
    commit(repo, after(ignored))

    ran = run(repo)

    assert "hookci: after_script ended with exit status 3; that does not change the result" in said(ran, "j")
    told = "AFTER_SCRIPT_IGNORE_ERRORS `maybe` is neither true nor false" in ran.stdout
    assert told == (ignored == "maybe")


def test_one_that_takes_too_long_fails_it_too(repo: Repo) -> None:
    commit(repo, after("false", command="sleep 60"))

    ran = run(repo, check=False)

    assert outcomes(repo) == {"j": "timed out"}
    assert "after_script did not end within 1 s" in ran.stdout


def test_what_the_script_came_to_stays(repo: Repo) -> None:
    commit(repo, after("false", script="exit 4"))

    ran = run(repo, check=False)

    assert "exit status 4" in ran.stdout
    assert "hookci: after_script ended with exit status 3; that does not change the result" in said(ran, "j")


def test_artifacts_of_a_failure_are_those_of_such_a_job(repo: Repo) -> None:
    keep = "artifacts: {paths: [left], when: on_failure}"
    look = "\nlook: {stage: .post, when: always, script: cat left}\n"
    commit(repo, after("false", script="echo kept > left", more=keep) + look)

    ran = run(repo, "--keep-going", check=False)

    assert said(ran, "look") == ["kept"]


def test_nothing_of_that_is_remembered_as_a_pass(repo: Repo) -> None:
    commit(repo, after("false"))

    codes = [repo.hookci("run", check=False).returncode for _ in range(2)]

    assert codes == [1, 1]


# -- sources


HANDS = """
make:
  stage: build
  script: ["mkdir out; echo made > out/a", "echo V=1.2 > v.env", "mkdir -p kept; echo cached > kept/c"]
  artifacts: {paths: [out], reports: {dotenv: v.env}}
  cache: {key: k, paths: [kept]}
"""


def bare(strategy: str, script: str, more: str = "") -> str:
    return f"\nbare:\n  variables: {{GIT_STRATEGY: {strategy}}}\n  script: [{script}]\n  {more}\n"


@pytest.mark.executors
@pytest.mark.parametrize("strategy", ["none", "empty"])
def test_a_job_may_have_no_sources_and_has_what_it_was_handed(repo: Repo, strategy: str) -> None:
    commit(repo, HANDS + bare(strategy, "find . -type f | sort, cat out/a, echo $V", "cache: {key: k, paths: [kept]}"))

    ran = run(repo)

    assert said(ran, "bare") == ["./kept/c", "./out/a", "made", "1.2"]


def test_there_is_no_place_for_what_comes_before_the_sources(repo: Repo) -> None:
    commit(repo, bare("empty", "ls -A", "hooks: {pre_get_sources_script: [echo first]}"))

    assert said(run(repo), "bare") == []


WORKSPACES = pytest.mark.parametrize("workspaces", ["overlay", "copies"])


@WORKSPACES
@pytest.mark.parametrize("strategy", ["none", "empty"])
def test_a_clone_can_be_made_in_it_and_the_jobs_after_it_have_the_sources(
    repo: Repo, workspaces: str, strategy: str
) -> None:
    repo.git("config", "hookci.workspaces", workspaces)
    look = "ls -A, git status --porcelain, cat src.txt sub/file, git log -1 --format=%s"
    clone = f'test -z "$(ls -A)", git clone -q {repo.path} ., cat src.txt, echo mine > src.txt, echo more > more'
    commit(repo, f"""
before: {{stage: build, script: [{look}]}}
{bare(strategy, clone)}
after: {{stage: deploy, script: [{look}]}}
""")  # fmt: skip

    first, second = run(repo, "--jobs", "1"), run(repo, "--jobs", "1")

    for ran in (first, second):
        assert said(ran, "bare") == ["tracked"]
        assert said(ran, "after") == said(ran, "before")
        assert said(ran, "after")[:4] == [".git", ".gitlab-ci.yml", "src.txt", "sub"]
        assert "mine" not in said(ran, "after")


@pytest.mark.executors("container")
def test_in_a_container_the_jobs_after_it_have_the_sources_too(repo: Repo) -> None:
    commit(repo, bare("empty", "ls -A", "stage: build") + "after: {script: [ls -A, cat src.txt]}\n")

    ran = run(repo, "--jobs", "1")

    assert said(ran, "bare") == []
    assert said(ran, "after") == [".git", ".gitlab-ci.yml", "src.txt", "sub", "tracked"]


@pytest.mark.parametrize("strategy", ["clone", "fetch", '""', "$NOBODY"])
def test_other_strategies_are_the_checkout(repo: Repo, strategy: str) -> None:
    commit(repo, bare(strategy, "cat src.txt"))

    assert said(run(repo), "bare") == ["tracked"]


def test_a_person_may_say_it(repo: Repo) -> None:
    commit(repo, "j: {script: ls -A}\n")

    assert said(run(repo, "--variable", "GIT_STRATEGY=none"), "j") == []
    assert said(run(repo), "j") == [".git", ".gitlab-ci.yml", "src.txt", "sub"]


def refused(ran: Ran) -> bool:
    return "unknown GIT_STRATEGY `nonne`: there are clone, fetch, none, empty" in ran.stdout


def test_one_that_nobody_knows_fails_the_job(repo: Repo) -> None:
    commit(repo, bare("nonne", "echo never") + "  allow_failure: false\n")

    ran = run(repo, check=False)

    assert ran.returncode == 1
    assert outcomes(repo) == {"bare": "failed"}
    assert refused(ran)
    assert "never" not in output(repo, "bare")


def test_the_variables_say_nothing_to_a_job_of_hookci_toml(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [variables]
        GIT_STRATEGY = "nonne"
        RUNNER_SCRIPT_TIMEOUT = "100ms"
        [jobs.j]
        script = "sleep 0.5; ls"
    """})  # fmt: skip

    assert said(run(repo), "j") == ["hookci.toml"]
