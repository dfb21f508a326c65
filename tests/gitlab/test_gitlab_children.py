"""Variables on their way into pipelines that a job starts, through real runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus_cases import Course

if TYPE_CHECKING:
    from conftest import Repo

CHILD = "c: {script: 'echo \"A=$A B=$B V=$V\"', variables: {A: child, B: child}}\n"


def said(repo: Repo, job: str, *arguments: str) -> str:
    """What ``job`` has printed in the next run."""
    lines = Course(repo.hookci("run", "--events", *arguments).stdout).output.get(job, [])
    return lines[-1].strip() if lines else ""


def test_what_rules_of_the_starter_and_of_the_workflow_add_reaches_the_child(repo: Repo) -> None:
    pipeline = """\
        workflow: {rules: [{if: $CI_COMMIT_BRANCH, variables: {V: workflow}}]}
        j:
          variables: {A: job}
          rules: [{if: $CI_COMMIT_BRANCH == "main", variables: {B: "rule on $CI_COMMIT_BRANCH"}}]
          trigger: {include: child.yml, strategy: depend}
        k:
          variables: {A: job}
          trigger: {include: child.yml, forward: {yaml_variables: false}}
        """
    repo.commit({".gitlab-ci.yml": pipeline, "child.yml": CHILD})

    assert said(repo, "j/c") == "A=job B=rule on main V=workflow"
    assert said(repo, "k/c", "--no-memory") == "A=child B=child V="


def test_variables_of_a_report_reach_the_child_where_the_starter_names_them(repo: Repo) -> None:
    pipeline = """\
        b: {stage: build, script: echo V=one > v.env, artifacts: {reports: {dotenv: v.env}}}
        j: {variables: {A: "<$V>"}, trigger: {include: child.yml, strategy: depend}}
        k: {trigger: {include: child.yml, forward: {pipeline_variables: true}}}
        """
    repo.commit({".gitlab-ci.yml": pipeline, "child.yml": CHILD})

    assert said(repo, "j/c") == "A=<one> B=child V="
    assert said(repo, "k/c", "--no-memory") == "A=child B=child V=one"


def test_a_pass_of_a_child_counts_only_for_the_variables_it_got(repo: Repo) -> None:
    pipeline = """\
        b: {stage: build, script: echo V=one > v.env, artifacts: {reports: {dotenv: v.env}}}
        j: {variables: {A: $V}, trigger: {include: child.yml, strategy: depend}}
        """
    repo.commit({".gitlab-ci.yml": pipeline, "child.yml": CHILD})
    first = said(repo, "j/c")

    again = said(repo, "j/c")
    repo.commit({".gitlab-ci.yml": pipeline.replace("V=one", "V=two")})
    changed = said(repo, "j/c")

    assert (first, again, changed) == ("A=one B=child V=", "", "A=two B=child V=")


BROKEN = {
    ".gitlab-ci.yml": "a: {trigger: {include: child.yml}}\nb: {script: echo b}\n",
    "child.yml": "x: {scrip: echo x}\ny: {stage: nope, script: echo y}\n",
}
WRONG = (
    "child.yml:1: jobs.x: config should implement the script:, run:, or trigger: keyword",
    "child.yml:2: jobs.y.stage: y job: chosen stage nope does not exist",
)


def test_what_is_wrong_in_a_child_is_why_its_starter_fails(repo: Repo) -> None:
    repo.commit(BROKEN)

    ran = repo.hookci("run", "--events", check=False)
    checked = repo.hookci("check", check=False)

    assert ran.returncode == 1
    assert Course(ran.stdout).outcomes == {"a": "failed", "b": "passed"}
    reason = Course(ran.stdout).results["a"]["reason"]
    assert reason.startswith("its pipeline cannot be created: child.yml:1: jobs.x")
    assert checked.returncode == 2
    for told in WRONG:
        assert told in reason
        assert told in checked.stderr


def test_a_job_of_a_child_that_is_wrong_can_be_asked_for_and_the_doctor_sees_it(repo: Repo) -> None:
    repo.commit(BROKEN)

    asked = repo.hookci("run", "a/x", "--events", check=False)
    examined = repo.hookci("doctor", check=False)

    assert (asked.returncode, Course(asked.stdout).outcomes) == (1, {"a": "failed"})
    assert WRONG[0] in examined.stdout


def test_a_child_file_that_comes_or_is_mended_is_seen(repo: Repo) -> None:
    """Also though the pipeline itself was read before, and stays as it is."""
    repo.commit({".gitlab-ci.yml": BROKEN[".gitlab-ci.yml"]})
    found = []
    for child in (None, BROKEN["child.yml"], "x: {script: echo x}\n", "x: {scrip: echo x}\n"):
        if child is not None:
            repo.commit({"child.yml": child})
        found += [Course(repo.hookci("run", "--events", check=False).stdout).outcomes for _again in range(2)]

    failed = [{"a": "failed", "b": outcome} for outcome in ("passed", "remembered")]
    assert [one["a"] for one in found] == ["failed"] * 4 + ["passed"] * 2 + ["failed"] * 2
    assert found[:2] == failed
    assert "a/x" in found[4]


def test_nothing_is_said_of_a_child_that_was_not_fetched(repo: Repo) -> None:
    child = "include: {remote: 'https://example.com/x.yml'}\n"
    top = "a: {trigger: {include: child.yml}, allow_failure: true}\nb: {script: echo b}\n"
    repo.commit({".gitlab-ci.yml": top, "child.yml": child})

    ran = repo.hookci("run", check=False)

    assert ran.returncode == 2
    assert "was not fetched" in ran.stderr
