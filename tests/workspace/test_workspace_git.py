"""What git tells a job in its workspace, and that nothing a job tells git reaches the user's repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from guarded import picture
from workspaces import KINDS, Bench, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Repo


@pytest.fixture(params=KINDS)
def bench(repo: Repo, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    repo.commit({"a.txt": "one\n"}, "first")
    repo.git("tag", "-a", "-m", "x", "v1.0")
    repo.git("tag", "deploy/staging/1")
    repo.commit({"a.txt": "two\n", "src/b.txt": "b\n"}, "second")
    repo.git("tag", "-a", "-m", "x", "deploy/staging/2")
    repo.git("branch", "feature/x")
    repo.git("push", "-q", "-u", "origin", "main")
    repo.git("remote", "set-head", "origin", "main")
    repo.write_files({"a.txt": "stashed\n"})
    repo.git("stash", "-q")
    with opened(repo, tmp_path / "place", request.param) as bench:
        bench.reset()
        yield bench


def test_git_knows_the_history_the_branches_and_the_tags(bench: Bench) -> None:
    head = bench.repo.out("rev-parse", "HEAD")

    assert bench.git("rev-parse", "HEAD").strip() == head
    assert bench.git("log", "--format=%s") == "second\nfirst\n"
    assert bench.git("describe", "--tags") == f"v1.0-1-g{head[:7]}\n"
    assert bench.git("status", "--porcelain", "--ignored") == ""
    assert bench.git("for-each-ref", "--format=%(refname)").split() == [
        "refs/heads/feature/x", "refs/heads/main", "refs/remotes/origin/HEAD", "refs/remotes/origin/main",
        "refs/tags/v1.0",
    ]  # fmt: skip
    assert bench.git("branch", "--show-current") == ""


def test_git_finds_its_directory_in_the_workspace_and_nothing_else_of_the_users(bench: Bench) -> None:
    assert bench.git("rev-parse", "--show-toplevel").strip() == str(bench.top.resolve())
    assert bench.git("rev-parse", "--absolute-git-dir").strip() == str(bench.top.resolve() / ".git")
    assert bench.git("stash", "list") == ""
    assert bench.git("remote") == ""
    assert bench.git("worktree", "list").count("\n") == 1


COMMANDS = [
    "git checkout -q -b mine && git -c user.name=x -c user.email=x commit -q --allow-empty -m x",
    "echo x > a.txt && git -c user.name=x -c user.email=x stash -q",
    "git branch -D main feature/x",
    "git tag -d v1.0",
    "git update-ref -d refs/heads/main && git update-ref refs/heads/new HEAD",
    "git gc -q --prune=now && git repack -qad && git prune --expire=now && git reflog expire --all --expire=now",
    "git config core.bare true && git config user.name mallory",
    "git reset -q --hard HEAD~1 && git clean -qffdx",
    "git worktree add -q ../linked HEAD && git worktree prune",
    "rm -rf .git && git init -q && git add -A && git -c user.name=x -c user.email=x commit -qm x",
    "git replace HEAD HEAD~1 && git notes add -m x HEAD || true",
    "git pack-refs --all --prune && git -c user.name=x -c user.email=x commit -q --amend --allow-empty -m x",
    "git filter-branch -f --msg-filter 'echo x' HEAD || true",
    "git sparse-checkout set nothing && git maintenance run -q || true",
    "chmod -R a-w .git",
    "git push origin main; git fetch --all; git pull; true",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_a_job_does_with_git_reaches_the_users_repository(bench: Bench, command: str) -> None:
    before = picture(bench.repo)
    wanted = bench.fresh()

    bench.repo.run("sh", "-c", command, cwd=bench.top, env={"FILTER_BRANCH_SQUELCH_WARNING": "1"})

    assert picture(bench.repo) == before
    assert bench.reset() == wanted
    assert bench.git("log", "--format=%s") == "second\nfirst\n"
    assert bench.git("tag") == "v1.0\n"
    assert picture(bench.repo) == before


def test_a_hook_of_the_users_does_not_run_for_what_a_job_commits(bench: Bench, tmp_path: Path) -> None:
    hook = bench.repo.path / ".git" / "hooks" / "pre-commit"
    hook.write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\n")
    hook.chmod(0o755)

    bench.git("commit", "-q", "--allow-empty", "-m", "x")

    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("ref", ["refs/heads/é", 'refs/heads/a"b', "refs/tags/x'y", "refs/heads/" + "z" * 150])
def test_odd_names_of_refs_are_there(bench: Bench, ref: str) -> None:
    bench.repo.git("update-ref", ref, "HEAD")

    bench.reset()

    assert bench.git("rev-parse", ref).strip() == bench.repo.out("rev-parse", "HEAD")


def test_a_ref_that_leads_nowhere_is_left_out(bench: Bench) -> None:
    (bench.repo.path / ".git" / "refs" / "heads" / "broken").write_text("1" * 40 + "\n")
    (bench.repo.path / ".git" / "refs" / "heads" / "dangling").write_text("ref: refs/heads/nowhere\n")

    bench.reset()

    assert bench.git("log", "--format=%s") == "second\nfirst\n"
    assert bench.git("status", "--porcelain") == ""
