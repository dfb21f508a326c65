"""A push through pre-commit and prek, both real: the ref they hand over is judged, or the push refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from guarded import Evidence, push
from managed import MANAGERS, managed, refused

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

ZERO = "0" * 40

pytestmark = pytest.mark.parametrize("manager", MANAGERS)


def test_a_first_push_that_is_red_is_refused(repo: Repo, manager: str) -> None:
    managed(repo, manager)
    repo.commit({"BAD": "x"})

    said = refused(push(repo, "main"))

    assert f"judging only main: {manager} hands over the first ref of a push; `hookci install` judges all" in said
    assert "unit" in said
    assert repo.remote_refs() == {}


def test_good_pushes_land_and_later_red_ones_do_not(repo: Repo, manager: str) -> None:
    managed(repo, manager)

    first = push(repo, "main")
    repo.commit({"BAD": "x"})
    bad = push(repo, "main")
    (repo.path / "BAD").unlink()
    good = repo.commit()
    last = push(repo, "main")

    assert first.returncode == 0, first.output
    assert f"judging only main: {manager} hands over" in first.output
    refused(bad)
    assert last.returncode == 0, last.output
    assert repo.remote_refs() == {"refs/heads/main": good}


def test_the_pushed_commit_is_judged_and_nothing_else(repo: Repo, manager: str, tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "seen")
    managed(repo, manager, evidence.config)
    repo.git("checkout", "-qb", "other")
    tree = repo.commit({"b.txt": "two\n"}) and repo.out("rev-parse", "HEAD^{tree}")
    repo.git("checkout", "-q", "main")
    repo.write_files({"a.txt": "not committed\n", "untracked.txt": "x\n"})
    repo.git("add", "a.txt")

    first = push(repo, "other")
    repo.git("checkout", "-q", "other")
    later = repo.commit({"c.txt": "three\n"}) and repo.out("rev-parse", "HEAD^{tree}")
    repo.git("checkout", "-q", "main")
    second = push(repo, "other")

    assert (first.returncode, second.returncode) == (0, 0)
    assert evidence.judged == [tree, later]
    assert evidence.names == ["other", "other"]


def test_a_red_branch_is_refused_while_good_main_is_checked_out(repo: Repo, manager: str) -> None:
    managed(repo, manager)
    push(repo, "main")
    repo.git("checkout", "-qb", "other")
    repo.commit({"BAD": "x"})
    repo.git("checkout", "-q", "main")

    said = refused(push(repo, "other"))

    assert "judging only other" in said
    assert repo.remote_branches() == {"main"}


def test_a_good_branch_lands_while_red_main_is_checked_out(repo: Repo, manager: str) -> None:
    managed(repo, manager)
    push(repo, "main")
    repo.git("checkout", "-qb", "other")
    repo.commit({"b.txt": "x"})
    repo.git("checkout", "-q", "main")
    repo.commit({"BAD": "x"})

    ran = push(repo, "other:released")

    assert ran.returncode == 0, ran.output
    assert "judging only released" in ran.output
    assert repo.remote_branches() == {"main", "released"}


def test_the_first_ref_is_judged_and_the_limit_is_said(repo: Repo, manager: str) -> None:
    managed(repo, manager)
    push(repo, "main")
    repo.git("checkout", "-qb", "other")
    repo.commit({"BAD": "x"})
    repo.git("checkout", "-q", "main")
    repo.commit({"b.txt": "x"})

    good_first = push(repo, "main", "other")
    repo.commit({"BAD": "y"})
    bad_first = push(repo, "main", "other:again")

    # what neither manager shows to any hook: this very push is why the note is there
    assert good_first.returncode == 0
    assert good_first.output.count(f"judging only main: {manager} hands over the first ref of a push") == 1
    assert repo.remote_branches() == {"main", "other"}
    assert "judging only main" in refused(bad_first)


def test_a_red_force_push_and_a_red_tag_are_refused(repo: Repo, manager: str) -> None:
    managed(repo, manager)
    push(repo, "main")
    repo.write_files({"BAD": "x"})
    repo.git("add", "BAD")
    repo.git("commit", "-q", "--no-verify", "--amend", "--no-edit")
    repo.git("tag", "-a", "v1", "-m", "one")

    forced = push(repo, "+main")
    tag = push(repo, "v1")

    assert "judging only main" in refused(forced)
    assert "judging only v1" in refused(tag)
    assert repo.remote_branches() == {"main"}


def test_a_push_from_a_linked_worktree_is_judged(repo: Repo, manager: str, tmp_path: Path) -> None:
    managed(repo, manager)
    push(repo, "main")
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "-qb", "other", str(linked))
    (linked / "BAD").write_text("x")
    repo.run("git", "add", "BAD", cwd=linked)
    repo.run("git", "commit", "-q", "--no-verify", "-m", "bad", cwd=linked)

    ran = repo.run("git", "push", "origin", "HEAD:other", cwd=linked, check=False)

    assert "judging only other" in refused(ran)
    assert repo.remote_branches() == {"main"}


def test_a_new_branch_is_new_and_a_known_one_is_not(repo: Repo, manager: str) -> None:
    config = "[jobs.unit]\nscript = ['echo \"before=$CI_COMMIT_BEFORE_SHA remote=$HOOKCI_REMOTE\" >&2; test -e OK']\n"
    managed(repo, manager, config)
    main = repo.commit({"OK": ""})
    push(repo, "main")
    (repo.path / "OK").unlink()
    repo.commit()

    known = push(repo, "main")
    new = push(repo, "main:new")

    assert f"before={main} remote=origin" in refused(known)
    assert f"before={ZERO} remote=origin" in refused(new)


def test_a_push_to_an_address_is_judged(repo: Repo, manager: str) -> None:
    managed(repo, manager)
    repo.commit({"BAD": "x"})

    ran = repo.git("push", str(repo.remote), "main", check=False)

    assert "judging only main" in refused(ran)
    assert repo.remote_refs() == {}


def test_a_tree_without_a_pipeline_is_refused(repo: Repo, manager: str) -> None:
    managed(repo, manager)
    repo.git("rm", "-q", "hookci.toml")
    repo.commit()

    assert "main has no hookci.toml" in refused(push(repo, "main"))


def test_a_run_by_hand_is_refused(repo: Repo, manager: str) -> None:
    managed(repo, manager)

    ran = repo.run(manager, "run", "--hook-stage=pre-push", "hookci-push", check=False)

    assert ran.returncode != 0
    assert "PRE_COMMIT_REMOTE_NAME is not set, so there is no telling what is pushed" in ran.output
    assert "`hookci run` judges a commit at any time" in ran.output


def test_the_hook_for_git_itself_refuses_in_their_place(repo: Repo, manager: str) -> None:
    managed(repo, manager)
    config = repo.path / ".pre-commit-config.yaml"
    config.write_text(config.read_text().replace("hook managed-push", "hook pre-push"))
    repo.commit()

    said = refused(push(repo, "main"))

    assert "the standard input of pre-push is empty, so there is no telling what is pushed" in said
    assert repo.remote_refs() == {}
