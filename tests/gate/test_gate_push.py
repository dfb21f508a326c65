from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from conftest import Repo
from guarded import Evidence, contents, fresh, guard, push, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    return Evidence(tmp_path / "evidence")


def on_branch(repo: Repo, name: str, files: dict[str, str]) -> str:
    """A commit on a new branch that leaves main checked out; its name."""
    repo.git("checkout", "-q", "-b", name)
    commit = repo.commit(files, f"on {name}")
    repo.git("checkout", "-q", "main")
    return commit


def test_a_good_push_lands(repo: Repo) -> None:
    guard(repo)
    commit = repo.commit({"good.txt": "x"})

    ran = push(repo, "main")

    assert ran.returncode == 0
    assert repo.remote_refs() == {"refs/heads/main": commit}
    assert "hookci: main is green: 1 job passed (unit)" in ran.stderr


@pytest.mark.parametrize("order", [["good", "bad", "good2"], ["bad", "good"], ["good", "good2", "bad"]])
def test_one_red_ref_refuses_all_and_is_named(repo: Repo, order: list[str]) -> None:
    guard(repo)
    on_branch(repo, "good", {"1": "x"})
    on_branch(repo, "bad", {"BAD": "x"})
    on_branch(repo, "good2", {"2": "x"})

    said = refused(push(repo, *order))

    assert repo.remote_branches() == {"main"}
    assert "hookci: bad is red: 1 job failed (unit)" in said


def test_what_was_not_judged_any_more_is_named(repo: Repo) -> None:
    guard(repo)
    on_branch(repo, "bad", {"BAD": "x"})
    on_branch(repo, "later", {"1": "x"})

    said = refused(push(repo, "bad", "later"))

    assert "hookci: note: not judged any more: later" in said


def test_another_branch_is_judged_not_the_one_that_is_checked_out(repo: Repo, evidence: Evidence) -> None:
    guard(repo, evidence.config)
    other = on_branch(repo, "other", {"only-there.txt": "x"})

    push(repo, "other")

    assert repo.remote_refs()["refs/heads/other"] == other
    assert evidence.judged == [repo.out("rev-parse", "other^{tree}")]
    assert evidence.names == ["other"]


@pytest.mark.parametrize("state", ["work tree", "index"])
def test_a_good_commit_under_a_broken_work_tree_lands(repo: Repo, state: str) -> None:
    guard(repo)
    commit = repo.commit({"good.txt": "x"})
    repo.write(BAD="x")
    if state == "index":
        repo.git("add", "BAD")

    ran = push(repo, "main")

    assert ran.returncode == 0
    assert repo.remote_refs()["refs/heads/main"] == commit


@pytest.mark.parametrize("state", ["work tree", "index"])
def test_a_bad_commit_under_a_mended_work_tree_is_refused(repo: Repo, state: str) -> None:
    guard(repo)
    repo.commit({"BAD": "x"})
    (repo.path / "BAD").unlink()
    if state == "index":
        repo.git("rm", "-q", "--cached", "BAD")

    refused(push(repo, "main"))


def test_commit_index_and_work_tree_may_all_differ(repo: Repo, evidence: Evidence, tmp_path: Path) -> None:
    guard(repo, evidence.config)
    repo.commit({"a.txt": "committed\n", "gone.txt": "x"})
    repo.write_files({"a.txt": "staged\n", "staged.txt": "x"})
    repo.git("add", "a.txt", "staged.txt")
    repo.git("rm", "-q", "gone.txt")
    repo.write_files({"a.txt": "edited\n", "untracked.txt": "x"})

    push(repo, "main")

    landed = repo.remote_refs()["refs/heads/main"]
    assert evidence.seen(repo.out("rev-parse", f"{landed}^{{tree}}")) == fresh(repo, landed, tmp_path / "fresh")


def test_the_first_push_of_a_repository_with_a_dirty_work_tree(repo: Repo, evidence: Evidence, tmp_path: Path) -> None:
    guard(repo, evidence.config, push=False)
    repo.write_files({"a.txt": "dirty\n", "new.txt": "x"})

    ran = push(repo, "main")

    assert ran.returncode == 0
    assert evidence.seen(evidence.judged[0]) == fresh(repo, repo.remote_refs()["refs/heads/main"], tmp_path / "fresh")


def test_the_first_push_of_a_bad_repository_is_refused(repo: Repo) -> None:
    guard(repo, push=False)
    repo.commit({"BAD": "x"})

    refused(push(repo, "main"))

    assert repo.remote_refs() == {}


def test_a_deletion_needs_no_verdict(repo: Repo) -> None:
    guard(repo)
    repo.git("push", "-q", "--no-verify", "origin", "main:old")

    ran = push(repo, ":old")

    assert ran.returncode == 0
    assert repo.remote_branches() == {"main"}
    assert "job" not in ran.output


def test_a_deletion_beside_a_red_branch_is_refused_with_it(repo: Repo) -> None:
    guard(repo)
    repo.git("push", "-q", "--no-verify", "origin", "main:old")
    on_branch(repo, "bad", {"BAD": "x"})

    said = refused(push(repo, ":old", "bad"))

    assert repo.remote_branches() == {"main", "old"}
    assert "bad is red" in said


def test_a_deletion_beside_a_green_branch_goes_with_it(repo: Repo, evidence: Evidence) -> None:
    guard(repo, evidence.config)
    repo.git("push", "-q", "--no-verify", "origin", "main:old")
    on_branch(repo, "good", {"1": "x"})

    push(repo, ":old", "good")

    assert repo.remote_branches() == {"main", "good"}
    assert evidence.names == ["good"]


def test_nothing_to_push_runs_nothing(repo: Repo) -> None:
    guard(repo)

    ran = push(repo, "main")

    assert ran.returncode == 0
    assert ran.stderr == "Everything up-to-date\n"


def test_a_force_push_is_judged_too(repo: Repo) -> None:
    guard(repo)
    landed = repo.remote_refs()["refs/heads/main"]
    repo.git("commit", "-q", "--no-verify", "--amend", "-m", "rewritten")
    repo.commit({"BAD": "x"})

    refused(push(repo, "--force", "main"))
    assert repo.remote_refs()["refs/heads/main"] == landed

    repo.git("rm", "-qf", "BAD")
    good = repo.commit()
    assert push(repo, "--force", "main").returncode == 0
    assert repo.remote_refs()["refs/heads/main"] == good


@pytest.mark.parametrize(("revision", "lands"), [("HEAD", False), ("HEAD~1", True)])
def test_any_commit_can_be_pushed_to_any_name(repo: Repo, revision: str, lands: bool) -> None:
    guard(repo)
    repo.commit({"good.txt": "x"})
    repo.commit({"BAD": "x"})
    repo.git("checkout", "-q", "--detach")

    ran = push(repo, f"{revision}:refs/heads/x")

    assert (ran.returncode == 0) == lands
    assert ("x" in repo.remote_branches()) == lands


def test_a_local_name_with_spaces_in_it_is_understood(repo: Repo) -> None:
    guard(repo)
    repo.commit({"BAD": "x"})

    said = refused(push(repo, "HEAD@{1 second ago}:refs/heads/x"))

    assert "x is red" in said


def test_all_branches_at_once(repo: Repo) -> None:
    guard(repo)
    on_branch(repo, "one", {"1": "x"})
    on_branch(repo, "two", {"BAD": "x"})

    refused(push(repo, "--all"))
    repo.git("branch", "-qD", "two")
    assert push(repo, "--all").returncode == 0

    assert repo.remote_branches() == {"main", "one"}


def test_an_atomic_push_and_a_mirror_are_judged(repo: Repo) -> None:
    guard(repo)
    on_branch(repo, "bad", {"BAD": "x"})

    refused(push(repo, "--atomic", "main:new", "bad"))
    refused(push(repo, "--mirror"))

    assert repo.remote_branches() == {"main"}


def test_the_same_tree_on_two_refs_is_judged_once(repo: Repo, evidence: Evidence) -> None:
    config = evidence.config.replace("$HOOKCI_REF_NAME ", "")  # a job that looks at the name is judged for each
    guard(repo, config)
    repo.commit({"1": "x"})

    ran = push(repo, "main", "main:second", "main:refs/tags/v1")

    assert repo.remote_refs().keys() == {"refs/heads/main", "refs/heads/second", "refs/tags/v1"}
    assert len(evidence.judged) == 1
    assert "hookci: note: second is the same as main and judged with it" in ran.stderr


def test_the_same_tree_on_two_refs_is_judged_for_each_when_a_job_reads_the_name(repo: Repo, evidence: Evidence) -> None:
    guard(repo, evidence.config.replace("cp -a . ", ": "))
    repo.commit({"1": "x"})

    push(repo, "main", "main:second")

    assert evidence.names == ["main", "second"]


def test_a_push_to_an_address_is_judged(repo: Repo) -> None:
    guard(repo)
    repo.commit({"BAD": "x"})

    ran = repo.git("push", str(repo.remote), "main:elsewhere", check=False)

    refused(ran)
    assert repo.remote_branches() == {"main"}


def test_a_push_to_another_remote_is_judged(repo: Repo, make_repo: Callable[..., Repo]) -> None:
    guard(repo)
    other = make_repo("other")
    repo.git("remote", "add", "upstream", str(other.remote))
    repo.commit({"BAD": "x"})

    refused(repo.git("push", "upstream", "main", check=False))

    assert other.remote_refs() == {}


def test_a_push_from_a_subdirectory_is_judged(repo: Repo) -> None:
    guard(repo)
    repo.commit({"BAD": "x", "sub/a.txt": "x"})

    refused(repo.run("git", "push", "origin", "main", check=False, cwd=repo.path / "sub"))


def test_a_push_from_a_linked_worktree_is_judged(repo: Repo, tmp_path: Path, evidence: Evidence) -> None:
    guard(repo, evidence.config)
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    linked = Repo(tmp_path / "linked", repo.env, repo.remote)
    linked.commit({"only-there": "x"})

    assert push(linked, "side").returncode == 0

    assert evidence.judged == [linked.out("rev-parse", "HEAD^{tree}")]
    assert contents(tmp_path / "linked").keys() == evidence.seen(evidence.judged[0]).keys()


@pytest.mark.parametrize("separately", [True, False])
def test_a_push_with_the_git_directory_named_is_judged(repo: Repo, tmp_path: Path, separately: bool) -> None:
    guard(repo)
    repo.commit({"BAD": "x"})
    git_dir = repo.path / ".git"
    if separately:
        git_dir = git_dir.rename(tmp_path / "apart")

    where = [f"--git-dir={git_dir}", f"--work-tree={repo.path}"]
    ran = repo.run("git", *where, "push", "origin", "main", check=False, cwd=tmp_path)

    assert "main is red" in refused(ran)


def test_a_push_from_a_bare_repository_is_judged(repo: Repo, tmp_path: Path, make_repo: Callable[..., Repo]) -> None:
    guard(repo)
    on_branch(repo, "bad", {"BAD": "x"})
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    bare = Repo(tmp_path / "bare.git", repo.env, make_repo("target").remote)
    bare.hookci("install")

    assert bare.git("push", str(bare.remote), "main", check=False).returncode == 0
    refused(bare.git("push", str(bare.remote), "bad", check=False))

    assert bare.remote_branches() == {"main"}


def test_a_sha256_repository_is_judged(make_repo: Callable[..., Repo]) -> None:
    repo = guard(make_repo("long", object_format="sha256"), push=False)

    assert push(repo, "main").returncode == 0
    good = repo.out("rev-parse", "HEAD")
    repo.commit({"BAD": "x"})
    refused(push(repo, "main", ":gone"))

    assert repo.remote_refs() == {"refs/heads/main": good}


ODD_NAMES = [
    "a'b", 'a"b', "a$HOME`x`", "a;b&c|d", "é/ü", "(x)", "#1", "--x", "a%sb", "{x}", "x" * 150,
]  # fmt: skip


def test_odd_ref_names_are_judged_and_known_by_their_names(repo: Repo, evidence: Evidence) -> None:
    guard(repo, evidence.config.replace("cp -a . ", ": "))
    repo.commit({"good.txt": "x"})

    ran = push(repo, *(f"HEAD:refs/heads/{name}" for name in ODD_NAMES))

    assert ran.returncode == 0
    assert sorted(evidence.names) == sorted(ODD_NAMES)
    assert repo.remote_branches() == {"main", *ODD_NAMES}


def test_a_ref_name_that_is_not_utf8_is_judged(repo: Repo) -> None:
    guard(repo)
    name = os.fsdecode(b"refs/heads/latin\xe9")
    repo.commit({"good.txt": "x"})
    good = push(repo, f"HEAD:{name}")
    repo.commit({"BAD": "x"})

    assert good.returncode == 0
    refused(push(repo, f"HEAD:{name}"))


def test_replaced_objects_are_not_what_is_judged(repo: Repo) -> None:
    guard(repo)
    good = repo.out("rev-parse", "HEAD")
    bad = repo.commit({"BAD": "x"})
    repo.git("replace", bad, good)
    repo.git("replace", repo.out("rev-parse", f"{bad}^{{tree}}"), repo.out("rev-parse", f"{good}^{{tree}}"))

    refused(push(repo, "main"))

    assert repo.remote_refs()["refs/heads/main"] == good


def test_a_remote_that_moved_on_elsewhere_does_not_matter_to_the_verdict(
    repo: Repo, tmp_path: Path, evidence: Evidence
) -> None:
    guard(repo, evidence.config)
    other = Repo(tmp_path / "other", repo.env, repo.remote)
    repo.git("clone", "-q", str(repo.remote), str(other.path))
    other.commit({"theirs": "x"})
    other.git("push", "-q", "origin", "main")
    mine = repo.commit({"mine": "x"})

    ran = push(repo, "--force", "main")

    assert ran.returncode == 0
    assert repo.remote_refs()["refs/heads/main"] == mine


def test_a_message_or_author_of_any_kind_does_not_stop_a_push(repo: Repo) -> None:
    guard(repo)
    repo.git("config", "i18n.commitEncoding", "ISO-8859-1")
    message = os.fsdecode(b"caf\xe9 $HOME `id` \"'\n\n") + "\x1b[31m" + "long " * 2000
    repo.git("commit", "-q", "--no-verify", "--allow-empty", "-m", message, env={"GIT_AUTHOR_NAME": "É <x>"})

    assert push(repo, "main").returncode == 0


def test_signatures_shown_by_the_users_git_do_not_get_into_the_facts(repo: Repo) -> None:
    guard(repo)
    repo.git("config", "log.showSignature", "true")
    repo.git("config", "gpg.program", "false")
    signed = repo.git("cat-file", "commit", "HEAD").stdout.replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n", 1
    )
    commit = repo.run("git", "hash-object", "-t", "commit", "-w", "--stdin", stdin=signed).stdout.strip()

    assert push(repo, f"{commit}:refs/heads/signed").returncode == 0
