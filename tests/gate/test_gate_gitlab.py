"""Pushes and commits of repositories that have a ``.gitlab-ci.yml`` and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from execute_tools import outcomes

if TYPE_CHECKING:
    from conftest import Repo

PIPELINE = """
stages: [build, test, deploy]
build: {stage: build, script: echo built}
unit: {script: echo tested}
integration: {script: exit 1, allow_failure: true}
by_hand: {stage: deploy, script: echo deployed, when: manual}
"""


def undo(repo: Repo) -> None:
    """Let the remote have nothing again."""
    repo.run("git", "update-ref", "-d", "refs/heads/main", cwd=repo.remote)


def test_a_push_runs_the_whole_file_and_leaves_what_waits_for_a_person(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": PIPELINE})
    repo.hookci("install")

    pushed = repo.git("push", "origin", "main")

    assert repo.remote_branches() == {"main"}
    assert outcomes(repo) == {
        "build": "passed", "unit": "passed", "integration": "allowed to fail", "by_hand": "waits for a person"
    }  # fmt: skip
    assert "main is green" in pushed.stderr


def test_a_job_that_fails_stops_a_push_and_no_other_job(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": PIPELINE.replace("echo tested", "exit 1")})
    repo.hookci("install")

    pushed = repo.git("push", "origin", "main", check=False)

    assert pushed.returncode != 0
    assert repo.remote_branches() == set()
    assert outcomes(repo)["integration"] == "allowed to fail"


def test_a_commit_asks_for_nothing_of_a_gitlab_file(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": PIPELINE})
    repo.hookci("install")

    repo.git("commit", "--allow-empty", "-m", "more")

    assert repo.hookci("runs").stdout == "no runs yet\n"


DEPLOYS = """
ship: {stage: deploy, script: echo to $CI_ENVIRONMENT_NAME, environment: staging}
smoke: {stage: .post, script: echo smoke}
"""


def test_a_push_deploys_only_from_a_clone_that_does(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": DEPLOYS})
    repo.hookci("install")
    held = repo.git("push", "origin", "main")
    first = outcomes(repo)
    undo(repo)
    repo.git("config", "hookci.deploys", "staging")

    repo.git("push", "origin", "main")

    assert first == {"ship": "waits for a person", "smoke": "skipped"}
    assert "it deploys to staging, which this clone does not" in held.stderr
    assert outcomes(repo) == {"ship": "passed", "smoke": "passed"}


def test_by_hand_a_deployment_runs_as_on_gitlab(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": DEPLOYS})

    repo.hookci("run")

    assert outcomes(repo) == {"ship": "passed", "smoke": "passed"}


WORKFLOW = """
workflow: {rules: [{if: $CI_COMMIT_TAG}, {if: '$CI_COMMIT_BRANCH == "main"'}]}
unit: {script: echo x}
"""


def test_where_no_pipeline_would_be_made_nothing_runs_and_that_is_said(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": WORKFLOW})
    repo.hookci("install")
    repo.git("switch", "-qc", "other")

    pushed = repo.git("push", "origin", "other")
    again = repo.git("push", "origin", "main", "other:third")

    assert ".gitlab-ci.yml: no rule of `workflow` holds, so nothing runs" in pushed.stderr
    assert "other is green: nothing to run" in pushed.stderr
    assert "1 job passed (unit)" in again.stderr
    assert repo.remote_branches() == {"other", "main", "third"}


def test_changes_are_those_of_the_push_and_a_new_branch_changes_everything(repo: Repo) -> None:
    text = "docs: {script: echo x, rules: [{changes: [docs/*]}]}\ncode: {script: echo x}\n"
    repo.commit({".gitlab-ci.yml": text, "docs/a": "1"})
    repo.hookci("install")
    repo.git("push", "origin", "main")
    new = outcomes(repo)
    repo.commit({"code": "2"})

    repo.git("push", "origin", "main")
    code = outcomes(repo)
    repo.commit({"docs/a": "2"})
    repo.git("push", "origin", "main")
    docs = outcomes(repo)
    repo.git("tag", "v1")
    repo.git("push", "origin", "v1")

    assert set(new) == set(docs) == set(outcomes(repo)) == {"docs", "code"}
    assert list(code) == ["code"]


def test_a_green_verdict_is_remembered_and_another_ref_is_another_question(repo: Repo) -> None:
    text = "unit: {script: echo x}\nmain: {script: echo y, rules: [{if: '$CI_COMMIT_BRANCH == \"main\"'}]}\n"
    repo.commit({".gitlab-ci.yml": text})
    repo.hookci("install")
    repo.git("push", "origin", "main")
    undo(repo)

    same = repo.git("push", "origin", "main")
    other = repo.git("push", "origin", "main:other")

    assert "remembered [run 1]" in same.stderr
    assert "[run 2]" in other.stderr


def test_compare_to_asks_what_has_changed_since_another_branch(repo: Repo) -> None:
    text = "code: {script: echo x, rules: [{changes: {paths: [src/*], compare_to: main}}]}\nall: {script: echo x}\n"
    repo.commit({".gitlab-ci.yml": text, "src/a": "1"})
    repo.git("push", "-q", "origin", "main")
    repo.git("switch", "-qc", "docs")
    repo.commit({"docs": "1"})
    repo.hookci("install")

    repo.git("push", "origin", "docs")
    docs = outcomes(repo)
    repo.commit({"src/a": "2"})
    repo.git("push", "origin", "docs")

    assert list(docs) == ["all"]
    assert set(outcomes(repo)) == {"code", "all"}
