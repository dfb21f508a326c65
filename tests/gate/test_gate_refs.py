from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from guarded import Evidence, guard, push, refused

if TYPE_CHECKING:
    from conftest import Repo


def test_a_light_tag_is_judged_and_known_by_its_name(repo: Repo) -> None:
    guard(repo, Evidence(repo.path.parent / "evidence").config.replace("cp -a . ", ": "))
    repo.commit({"1": "x"})
    repo.git("tag", "v1")

    assert push(repo, "v1").returncode == 0

    assert Evidence(repo.path.parent / "evidence").names == ["v1"]
    assert repo.remote_refs().keys() == {"refs/heads/main", "refs/tags/v1"}


@pytest.mark.parametrize("options", [[], ["-a", "-m", "annotated"]])
def test_a_tag_of_a_bad_commit_is_refused(repo: Repo, options: list[str]) -> None:
    guard(repo)
    repo.commit({"BAD": "x"})
    repo.git("tag", *options, "v1")

    said = refused(push(repo, "v1"))

    assert "v1 is red" in said
    assert repo.remote_refs().keys() == {"refs/heads/main"}


def test_a_tag_of_a_tag_is_judged_by_its_commit(repo: Repo) -> None:
    guard(repo)
    repo.commit({"BAD": "x"})
    repo.git("tag", "-a", "-m", "inner", "inner")
    repo.git("tag", "-a", "-m", "outer", "outer", "inner")

    refused(push(repo, "outer"))


def test_followed_tags_are_judged(repo: Repo) -> None:
    guard(repo)
    repo.git("checkout", "-q", "-b", "side")
    repo.commit({"BAD": "x"})
    repo.git("tag", "-a", "-m", "bad", "v1-bad")
    repo.git("rm", "-q", "BAD")
    repo.commit()

    said = refused(push(repo, "--follow-tags", "side"))

    assert "v1-bad is red" in said
    assert repo.remote_refs().keys() == {"refs/heads/main"}


@pytest.mark.parametrize("what", ["HEAD^{tree}", "HEAD:a.txt"])
def test_a_tag_of_what_is_no_commit_needs_no_verdict(repo: Repo, what: str) -> None:
    guard(repo)
    repo.git("tag", "odd", what)
    repo.git("tag", "-a", "-m", "x", "odder", what)

    ran = push(repo, "odd", "odder")

    assert ran.returncode == 0
    assert "hookci: note: refs/tags/odd holds no commit, so there is nothing to judge" in ran.stderr
    assert {"refs/tags/odd", "refs/tags/odder"} < repo.remote_refs().keys()


def test_hookcis_own_refs_are_not_judged(repo: Repo) -> None:
    guard(repo)
    repo.commit({"BAD": "x"})

    ran = push(repo, "HEAD:refs/hookci/state")

    assert ran.returncode == 0
    assert "refs/hookci/state is hookci's own and not judged" in ran.stderr


def test_a_ref_that_only_looks_like_hookcis_own_is_judged(repo: Repo) -> None:
    guard(repo)
    repo.commit({"BAD": "x"})

    refused(push(repo, "HEAD:refs/hookci-like/state"))
    refused(push(repo, "HEAD:refs/heads/refs/hookci/state"))
    refused(push(repo, "HEAD:refs/for/main"))


def test_an_object_that_is_not_there_is_an_inability(repo: Repo) -> None:
    guard(repo)
    line = f"refs/heads/x {'1' * 40} refs/heads/x {'0' * 40}\n"

    ran = repo.hookci("hook", "pre-push", "--", "origin", "x", check=False, stdin=line)

    assert ran.returncode == 3
    assert "which is to become refs/heads/x, is not in this repository" in ran.stderr


@pytest.mark.parametrize(
    "lines",
    [
        "nonsense\n",
        "refs/heads/x 123 refs/heads/x 456\n",
        f"refs/heads/x {'0' * 40}\n",
        f"refs/heads/x {'g' * 40} refs/heads/x {'0' * 40}\n",
        f"refs/heads/x {'0' * 40}  {'0' * 40}\n",
    ],
)
def test_a_line_that_is_not_understood_is_refused(repo: Repo, lines: str) -> None:
    guard(repo)
    deletion = f"(delete) {'0' * 40} refs/heads/old {'1' * 40}\n"

    ran = repo.hookci("hook", "pre-push", "--", "origin", "x", check=False, stdin=deletion + lines)

    assert ran.returncode == 2
    assert "a line that is not a ref update" in ran.stderr


def test_a_last_line_without_its_end_is_judged(repo: Repo) -> None:
    guard(repo)
    bad = repo.commit({"BAD": "x"})
    line = f"refs/heads/x {bad} refs/heads/x {'0' * 40}"

    assert repo.hookci("hook", "pre-push", "--", "origin", "x", check=False, stdin=line).returncode == 1


def test_empty_input_from_another_hook_manager_is_refused(repo: Repo) -> None:
    guard(repo)

    alone = repo.hookci("hook", "pre-push", "--", "origin", "x", check=False)
    under = repo.hookci("hook", "pre-push", "--", "origin", "x", check=False, env={"PRE_COMMIT": "1"})

    assert (alone.returncode, under.returncode) == (0, 2)
    assert "the standard input of pre-push is empty" in under.stderr


def test_an_unknown_hook_is_refused(repo: Repo) -> None:
    guard(repo)

    ran = repo.hookci("hook", "pre-receive", check=False)

    assert ran.returncode == 2
    assert "`pre-receive` is no hook of hookci's" in ran.stderr


@pytest.mark.parametrize("hook", ["post-merge", "post-commit", "post-rewrite"])
def test_hooks_that_judge_nothing_say_nothing(repo: Repo, hook: str) -> None:
    guard(repo)

    ran = repo.hookci("hook", hook, "--", "0")

    assert ran.output == ""
