from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from conftest import Ran, Repo
from guarded import Evidence, fresh, guard, picture

from hookci.git.indexes import index_tree
from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.executors

HARMLESS = """\
[jobs.init]
stage = "test"
script = [
    'cd "$(mktemp -d)"',
    "git init -q && echo x > x && git add x",
    "git -c user.name=x -c user.email=x commit -qm x",
    'test "$(git rev-list --count HEAD)" = 1',
]

[hooks]
pre-commit = ["init"]
"""


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    return Evidence(tmp_path / "evidence")


@pytest.fixture
def guarded(repo: Repo, evidence: Evidence) -> Repo:
    """A repository whose index and work tree both differ from HEAD, each in its own way."""
    guard(repo, evidence.config)
    repo.commit({"a.txt": "one\n", "b.txt": "one\n", "c.txt": "one\n", "sub/d.txt": "one\n", "gone.txt": "x"})
    dirty(repo)
    return repo


def dirty(repo: Repo) -> None:
    repo.write_files({"a.txt": "staged\n", "new.txt": "staged\n"})
    repo.git("add", "a.txt", "new.txt")
    repo.git("rm", "-q", "--cached", "gone.txt")
    repo.write_files({"a.txt": "edited\n", "b.txt": "edited\n", "sub/d.txt": "edited\n", "untracked.txt": "x"})


def plain(repo: Repo) -> Ran:
    return repo.git("commit", "-qm", "x")


def all_tracked(repo: Repo) -> Ran:
    return repo.git("commit", "-qam", "x")


def paths(repo: Repo) -> Ran:
    return repo.git("commit", "-qm", "x", "--", "b.txt", "sub")


def include(repo: Repo) -> Ran:
    return repo.git("commit", "-qm", "x", "-i", "b.txt")


def patch(repo: Repo) -> Ran:
    return repo.run("git", "commit", "-qpm", "x", stdin="y\nn\ny\n")


def amend(repo: Repo) -> Ran:
    return repo.git("commit", "-q", "--amend", "-m", "x")


def from_a_subdirectory(repo: Repo) -> Ran:
    return repo.run("git", "commit", "-qam", "x", cwd=repo.path / "sub")


def git_directory_named(repo: Repo) -> Ran:
    where = [f"--git-dir={repo.path}/.git", f"--work-tree={repo.path}"]
    return repo.run("git", *where, "commit", "-qm", "x", cwd=repo.path.parent)


def git_directory_named_and_all(repo: Repo) -> Ran:
    where = [f"--git-dir={repo.path}/.git", f"--work-tree={repo.path}"]
    return repo.run("git", *where, "commit", "-qam", "x", cwd=repo.path / "sub")


def index_named(repo: Repo) -> Ran:
    index = repo.path.parent / "other-index"
    env = {"GIT_INDEX_FILE": str(index)}
    repo.git("read-tree", "HEAD", env=env)
    repo.git("update-index", "--add", "b.txt", env=env)
    return repo.git("commit", "-qm", "x", env=env)


def allowed_to_be_empty(repo: Repo) -> Ran:
    repo.git("reset", "-q")
    return repo.git("commit", "-q", "--allow-empty", "-m", "x")


FORMS = [
    plain, all_tracked, paths, include, patch, amend, from_a_subdirectory, git_directory_named,
    git_directory_named_and_all, index_named, allowed_to_be_empty,
]  # fmt: skip


@pytest.mark.parametrize("workspaces", ["overlay", "copies"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_the_tree_that_is_judged_is_the_one_that_is_committed(
    guarded: Repo, evidence: Evidence, form: Callable[[Repo], Ran], tmp_path: Path, workspaces: str
) -> None:
    guarded.git("config", "hookci.workspaces", workspaces)

    ran = form(guarded)

    tree = guarded.out("rev-parse", "HEAD^{tree}")
    assert evidence.judged == [tree]
    assert evidence.seen(tree) == fresh(guarded, "HEAD", tmp_path / "fresh")
    assert "hookci: the index is green" in ran.stderr


@pytest.mark.parametrize("form", [plain, all_tracked, paths], ids=lambda form: form.__name__)
def test_in_a_linked_worktree_too(repo: Repo, evidence: Evidence, form: Callable[[Repo], Ran], tmp_path: Path) -> None:
    guard(repo, evidence.config)
    repo.commit({"a.txt": "one\n", "b.txt": "one\n", "sub/d.txt": "one\n", "gone.txt": "x"})
    main = repo.out("rev-parse", "HEAD")
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    linked = Repo(tmp_path / "linked", repo.env)
    dirty(linked)

    form(linked)

    assert evidence.judged == [linked.out("rev-parse", "HEAD^{tree}")]
    assert linked.out("log", "-1", "--format=%s") == "x"
    assert repo.out("rev-parse", "main") == main
    assert repo.out("status", "--porcelain") == ""


def refuse_all(repo: Repo) -> None:
    hook = repo.path.parent / "no" / "pre-commit"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)


@pytest.mark.parametrize("form", [[], ["-a"], ["--", "b.txt"]])
def test_a_commit_that_is_refused_is_not_made_and_loses_nothing(repo: Repo, form: list[str]) -> None:
    guard(repo)
    repo.commit({"BAD": "x", "a.txt": "one\n", "b.txt": "one\n", "sub/d.txt": "one\n", "gone.txt": "x"})
    dirty(repo)
    refuse_all(repo)  # git itself brings the index up to date, and adds what -a names to the objects
    repo.git("commit", "-m", "x", *form, check=False, env={"GIT_CONFIG_PARAMETERS": "'core.hooksPath=../no'"})
    before = picture(repo)

    ran = repo.git("commit", "-m", "x", *form, check=False)

    assert ran.returncode == 1
    assert "the index is red" in ran.stderr
    assert picture(repo) == before


def test_the_pipeline_is_that_of_the_index(repo: Repo) -> None:
    guard(repo)
    red = (repo.path / "hookci.toml").read_text().replace("test ! -e BAD", "exit 1")
    repo.write_files({"hookci.toml": red})

    unstaged = repo.git("commit", "-q", "--allow-empty", "-m", "x", check=False)
    repo.git("add", "hookci.toml")
    staged = repo.git("commit", "-qm", "x", check=False)

    assert (unstaged.returncode, staged.returncode) == (0, 1)


def test_a_commit_without_a_pipeline_goes_through_with_a_word(repo: Repo) -> None:
    repo.hookci("install")
    repo.write(**{"a.txt": "x"})
    repo.git("add", "a.txt")

    ran = repo.git("commit", "-qm", "x")

    assert "nothing is checked: this commit has no hookci.toml, so a push of it will be refused" in ran.stderr


def test_a_pipeline_that_asks_nothing_of_commits_costs_them_no_word(repo: Repo) -> None:
    guard(repo, '[jobs.unit]\nscript = ["exit 1"]\n')

    ran = repo.git("commit", "-q", "--allow-empty", "-m", "x")

    assert ran.output == ""


def test_the_first_commit_of_a_repository_is_judged(repo: Repo, evidence: Evidence) -> None:
    repo.hookci("install")
    repo.write_files({"hookci.toml": evidence.config, "a.txt": "x"})
    repo.git("add", "-A")

    repo.git("commit", "-qm", "first")

    assert evidence.judged == [repo.out("rev-parse", "HEAD^{tree}")]


def test_the_first_commit_may_be_refused(repo: Repo) -> None:
    repo.hookci("install")
    repo.write_files({"hookci.toml": '[jobs.a]\nscript = ["exit 1"]\n[hooks]\npre-commit = "a"\n'})
    repo.git("add", "-A")

    assert repo.git("commit", "-qm", "first", check=False).returncode == 1
    assert repo.git("rev-parse", "-q", "--verify", "HEAD", check=False).returncode != 0


def test_what_is_only_intended_to_be_added_is_not_there(guarded: Repo, evidence: Evidence) -> None:
    guarded.git("add", "--intent-to-add", "untracked.txt")

    guarded.git("commit", "-qm", "x")

    tree = guarded.out("rev-parse", "HEAD^{tree}")
    assert evidence.judged == [tree]
    assert "untracked.txt" not in evidence.seen(tree)


def diverged(repo: Repo, theirs: dict[str, str], ours: dict[str, str]) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.commit(theirs)
    repo.git("checkout", "-q", "main")
    repo.commit(ours)


def test_a_merge_commit_that_git_makes_is_judged(repo: Repo, evidence: Evidence) -> None:
    guard(repo, evidence.config)
    diverged(repo, {"theirs": "x"}, {"ours": "x"})

    repo.git("merge", "-q", "--no-edit", "side")

    assert evidence.judged == [repo.out("rev-parse", "HEAD^{tree}")]
    assert len(repo.out("rev-list", "--parents", "-1", "HEAD").split()) == 3


def test_a_merge_of_two_good_sides_that_is_bad_together_is_refused(repo: Repo) -> None:
    guard(repo, "[jobs.unit]\nscript = ['test ! -e theirs || test ! -e ours']\n[hooks]\npre-commit = ['unit']\n")
    diverged(repo, {"theirs": "x"}, {"ours": "x"})
    head = repo.out("rev-parse", "HEAD")

    ran = repo.git("merge", "--no-edit", "side", check=False)

    assert ran.returncode != 0
    assert repo.out("rev-parse", "HEAD") == head


def test_a_conflicted_merge_is_judged_as_it_was_resolved(repo: Repo, evidence: Evidence) -> None:
    config = evidence.config.replace("cp -a .", 'git log -1 --format=%P >> "$SEEN/parents" && cp -a .')
    guard(repo, config)
    diverged(repo, {"a.txt": "theirs\n"}, {"a.txt": "ours\n"})
    repo.git("merge", "side", check=False)
    repo.write_files({"a.txt": "resolved\n"})
    repo.git("add", "a.txt")

    repo.git("commit", "-q", "--no-edit")

    assert evidence.judged == [repo.out("rev-parse", "HEAD^{tree}")]
    assert (evidence.path / "parents").read_text().split() == repo.out("log", "-1", "--format=%P").split()


def test_a_conflict_that_is_not_resolved_is_named(repo: Repo) -> None:
    guard(repo)
    diverged(repo, {"a.txt": "theirs\n"}, {"a.txt": "ours\n"})
    repo.git("merge", "side", check=False)

    ran = repo.hookci("run", "--staged", check=False)

    assert ran.returncode == 3
    assert "resolve the conflicts and `git add` the files" in ran.stderr


@pytest.mark.executors("local")  # it adds to the index of the user
def test_an_add_from_elsewhere_during_the_run_is_refused(repo: Repo) -> None:
    script = f"cd '{repo.path}' && echo x > sneaked && git add sneaked"
    guard(repo, f'[jobs.slow]\nscript = ["{script}"]\n[hooks]\npre-commit = ["slow"]\n')
    head = repo.out("rev-parse", "HEAD")
    repo.write_files({"a.txt": "two\n"})
    repo.git("add", "a.txt")

    ran = repo.git("commit", "-m", "x", check=False)

    assert ran.returncode != 0
    assert "the index changed while it was judged" in ran.stderr
    assert repo.out("rev-parse", "HEAD") == head


def test_an_edit_during_the_run_survives_and_is_not_committed(repo: Repo) -> None:
    guard(repo, f"[jobs.slow]\nscript = [\"echo edited > '{repo.path}/a.txt'\"]\n[hooks]\npre-commit = ['slow']\n")
    repo.write_files({"b.txt": "x"})
    repo.git("add", "b.txt")

    repo.git("commit", "-qm", "x")

    assert (repo.path / "a.txt").read_text() == "edited\n"
    assert repo.out("show", "HEAD:a.txt") == "one"
    assert repo.out("status", "--porcelain") == "M a.txt"


@pytest.mark.parametrize("form", [["-a"], ["--", "a.txt"], ["-i", "a.txt"], []])
@pytest.mark.parametrize("where", ["main", "linked"])
def test_a_job_that_makes_a_repository_of_its_own_harms_nothing(
    repo: Repo, tmp_path: Path, form: list[str], where: str
) -> None:
    guard(repo, HARMLESS)
    place = repo
    if where == "linked":
        repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
        place = Repo(tmp_path / "linked", repo.env)
    place.write_files({"a.txt": "two\n"})
    if not form:
        place.git("add", "a.txt")
    head, config = place.out("rev-parse", "HEAD"), (repo.path / ".git" / "config").read_text()

    place.git("commit", "-qm", "mine", *form)

    assert place.out("rev-parse", "HEAD~1") == head
    assert place.out("show", "--name-only", "--format=%s", "HEAD").split() == ["mine", "a.txt"]
    assert place.out("status", "--porcelain") == ""
    assert (repo.path / ".git" / "config").read_text() == config
    assert repo.out("rev-parse", "--is-bare-repository") == "false"
    assert "x" not in repo.out("branch", "--format=%(refname:short) %(subject)").split()


def test_the_index_is_judged_as_a_child_of_head(repo: Repo, evidence: Evidence) -> None:
    look = "git log --format=%s > out && git status --porcelain >> out && git rev-parse HEAD^ >> out && cp -a ."
    guard(repo, evidence.config.replace("cp -a .", look))
    repo.write_files({"b.txt": "x"})
    repo.git("add", "b.txt")

    before = repo.out("rev-parse", "HEAD")
    repo.git("commit", "-qm", "x")

    out = (evidence.path / evidence.judged[0] / "out").read_text()
    assert out == f"the index, judged by hookci\nfirst\n?? out\n{before}\n"


def test_nothing_of_a_judged_index_gets_into_the_repository(repo: Repo) -> None:
    guard(repo)
    repo.write_files({"b.txt": "x"})
    repo.git("add", "b.txt")
    before = picture(repo)

    repo.hookci("run", "--staged")

    assert picture(repo) == before


@pytest.mark.parametrize("option", ["--icase-pathspecs", "--literal-pathspecs", "--noglob-pathspecs"])
def test_options_about_pathspecs_change_nothing(repo: Repo, evidence: Evidence, option: str) -> None:
    guard(repo, evidence.config)
    repo.write_files({"a.txt": "two\n", ".gitattributes": "*.txt text\n"})
    repo.git("add", ".gitattributes")

    repo.git(option, "commit", "-qam", "x")

    assert evidence.judged == [repo.out("rev-parse", "HEAD^{tree}")]


@pytest.mark.executors("local")  # git in a container gets a setting of hookci's by the environment
def test_settings_given_on_the_command_line_reach_hookcis_git_but_no_job(repo: Repo, evidence: Evidence) -> None:
    guard(repo, evidence.config.replace("cp -a .", "env > environment && cp -a ."))
    repo.write_files({"crlf.txt": "a\n"})
    repo.git("add", "crlf.txt")

    repo.git("-c", "core.autocrlf=true", "commit", "-qm", "x")

    seen = evidence.seen(repo.out("rev-parse", "HEAD^{tree}"))
    assert seen["crlf.txt"].endswith(r"b'a\r\n'")
    assert "GIT_" not in seen["environment"]


def test_what_a_killed_hookci_left_is_not_taken_for_the_index(repo: Repo, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch")
    other = tmp_path / "scratch" / f"index-{os.getpid()}"
    repo.write_files({"a.txt": "x"})
    repo.git("add", "a.txt")
    scratch.directory.mkdir()
    (repo.path / ".git" / "index").rename(other)
    other.with_name(f"{other.name}.lock").touch()

    tree = index_tree(Repository.discover(repo.path, repo.env), scratch)

    assert tree == repo.out("hash-object", "-t", "tree", "/dev/null")
    assert [path.name for path in scratch.directory.iterdir()] == ["objects"]


def test_what_git_commits_without_a_hook_is_judged_when_it_is_pushed(repo: Repo, evidence: Evidence) -> None:
    guard(repo, evidence.config)
    diverged(repo, {"theirs": "x"}, {"ours": "x"})

    repo.git("cherry-pick", "side")
    assert evidence.judged == []
    subprocess.run(["git", "push", "-q", "origin", "main"], cwd=repo.path, env=repo.env, check=True)

    assert evidence.judged == [repo.out("rev-parse", "HEAD^{tree}")]
