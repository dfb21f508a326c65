"""What `managed-push` makes of the variables it is handed, whoever sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from guarded import NO_BAD

if TYPE_CHECKING:
    from conftest import Ran, Repo

HANDED = {
    "PRE_COMMIT": "1",
    "PRE_COMMIT_REMOTE_NAME": "origin",
    "PRE_COMMIT_REMOTE_URL": "x",
    "PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main",
    "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/main",
}


def managed_push(repo: Repo, **more: str) -> Ran:
    env = {**HANDED, **{f"PRE_COMMIT_{name}": value for name, value in more.items()}}
    return repo.hookci("hook", "managed-push", check=False, env=env)


@pytest.fixture
def project(repo: Repo) -> Repo:
    repo.commit({"hookci.toml": NO_BAD})
    return repo


@pytest.mark.parametrize("name", ["REMOTE_NAME", "REMOTE_BRANCH", "LOCAL_BRANCH"])
def test_without_one_of_the_names_it_is_refused(project: Repo, name: str) -> None:
    ran = managed_push(project, **{name: ""})

    assert ran.returncode == 2
    assert ran.stderr == (
        f"error: PRE_COMMIT_{name} is not set, so there is no telling what is pushed\n"
        "hint: this is for a `git push` that pre-commit hears of; `hookci run` judges a commit at any time\n"
    )


def test_what_is_nothing_here_is_refused(project: Repo) -> None:
    name = managed_push(project, LOCAL_BRANCH="refs/heads/gone")
    commit = managed_push(project, TO_REF="1" * 40)

    assert name.returncode == 2
    assert name.stderr == (
        "error: pre-commit says that refs/heads/gone is pushed, which is nothing here\n"
        "hint: install the hooks themselves with `hookci install`\n"
    )
    assert commit.returncode == 3
    assert f"{'1' * 40}, which is to become refs/heads/main, is not in this repository" in commit.stderr


def test_a_deletion_is_refused(project: Repo) -> None:
    ran = managed_push(project, LOCAL_BRANCH="(delete)")

    assert ran.returncode == 2
    assert "(delete) is pushed, which is nothing here" in ran.stderr


def test_the_commit_beats_the_branch(project: Repo) -> None:
    bad = project.commit({"BAD": "x"})
    (project.path / "BAD").unlink()
    project.commit()

    assert managed_push(project).returncode == 0
    assert managed_push(project, TO_REF=bad).returncode == 1


def test_a_name_with_a_dash_is_no_option(project: Repo) -> None:
    ran = managed_push(project, TO_REF="--all")

    assert ran.returncode == 2
    assert "--all is pushed, which is nothing here" in ran.stderr


def test_hookcis_own_skips_are_said(project: Repo) -> None:
    project.commit({"BAD": "x"})

    ran = project.hookci("hook", "managed-push", check=False, env={**HANDED, "HOOKCI_SKIP": "unit"})

    assert ran.returncode == 0
    assert "NOT CHECKED, skipped by HOOKCI_SKIP: unit" in ran.stderr
