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
