"""Commits and merges through pre-commit and prek, both real."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest
from guarded import Evidence
from managed import MANAGERS, managed, refused

if TYPE_CHECKING:
    from conftest import Ran, Repo

both = pytest.mark.parametrize("manager", MANAGERS)

BY_HOOK = """\
[jobs.committed]
script = ["test ! -e BAD"]

[jobs.merged]
script = ["test ! -e BOTH"]

[hooks]
pre-commit = ["committed"]
pre-merge-commit = ["merged"]
"""


def commit(repo: Repo, *options: str) -> Ran:
    return repo.git("commit", "-qm", "a change", *options, check=False)


@both
def test_the_index_is_judged_and_not_the_work_tree(repo: Repo, manager: str, tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "seen")
    managed(repo, manager, evidence.config)
    repo.write_files({"a.txt": "staged\n", "untracked.txt": "x\n"})
    repo.git("add", "a.txt")
    repo.write_files({"a.txt": "not staged\n"})

    ran = commit(repo)

    tree = repo.out("rev-parse", "HEAD^{tree}")
    assert ran.returncode == 0, ran.output
    assert evidence.judged == [tree]
    assert "untracked.txt" not in evidence.seen(tree)
    assert "staged" in evidence.seen(tree)["a.txt"]
    assert (repo.path / "a.txt").read_text() == "not staged\n"


@both
@pytest.mark.parametrize("options", [(), ("-a",), ("--", "a.txt")])
def test_a_red_commit_is_refused_in_every_form(repo: Repo, manager: str, options: tuple[str, ...]) -> None:
    managed(repo, manager, '[jobs.unit]\nscript = ["grep -q one a.txt"]\n[hooks]\npre-commit = ["unit"]\n')
    before = repo.out("rev-parse", "HEAD")
    repo.write_files({"a.txt": "two\n"})
    if not options:
        repo.git("add", "a.txt")

    ran = commit(repo, *options)

    assert "grep -q one a.txt" in refused(ran)
    assert repo.out("rev-parse", "HEAD") == before


@both
def test_a_bad_work_tree_does_not_stop_a_good_commit(repo: Repo, manager: str) -> None:
    managed(repo, manager)
    repo.write_files({"b.txt": "x", "BAD": "x"})
    repo.git("add", "b.txt")

    ran = commit(repo)

    assert ran.returncode == 0, ran.output


@both
def test_a_merge_commit_is_judged_as_one(repo: Repo, manager: str) -> None:
    managed(repo, manager, BY_HOOK)
    repo.git("checkout", "-qb", "other")
    repo.commit({"BOTH": "x"})
    repo.git("checkout", "-q", "main")
    repo.commit({"b.txt": "x"})

    merge = repo.git("merge", "--no-edit", "other", check=False)
    repo.git("merge", "--abort", check=False)
    repo.git("reset", "-q", "--hard")
    repo.write_files({"BOTH": "x"})
    repo.git("add", "BOTH")
    plain = commit(repo)

    assert "merged" in refused(merge)
    assert plain.returncode == 0, plain.output


@both
def test_a_merge_lands_and_the_hook_after_it_says_nothing(repo: Repo, manager: str) -> None:
    managed(repo, manager, BY_HOOK)
    repo.git("checkout", "-qb", "other")
    repo.commit({"c.txt": "x"})
    repo.git("checkout", "-q", "main")
    repo.commit({"b.txt": "x"})

    ran = repo.git("merge", "--no-edit", "other", check=False)

    assert ran.returncode == 0, ran.output
    assert re.search(r"hookci-post-merge\.+Passed", ran.output)


def test_on_the_terminal_that_pre_commit_makes_nothing_is_redrawn(repo: Repo) -> None:
    managed(repo, "pre-commit")
    repo.write_files({"b.txt": "x"})
    repo.git("add", "b.txt")
    env = {**repo.env, "TERM": "xterm"}

    child = pexpect.spawn("git", ["commit", "-qm", "x"], cwd=str(repo.path), env=env, encoding="utf-8", timeout=60)
    child.expect(pexpect.EOF)
    child.close()

    shown = str(child.before)
    assert child.exitstatus == 0, shown
    assert "\x1b[32m" in shown.partition("hook id: hookci-commit")[2]  # green: the colours of a terminal are there
    assert not re.search(r"\x1b\[(\?25l|\d*A)", shown)  # and the cursor stays where it is


@pytest.mark.parametrize(("option", "seen"), [((), True), (("--own-venv",), False)])
def test_jobs_do_not_see_the_environment_a_manager_made_for_hookci(
    repo: Repo, tmp_path: Path, option: tuple[str, ...], seen: bool
) -> None:
    config = '[jobs.unit]\nscript = ["echo path=$PATH"]\n[hooks]\npre-commit = ["unit"]\n'
    repo.commit({"hookci.toml": config})
    venv = tmp_path / "venv"
    env = {"VIRTUAL_ENV": str(venv), "PATH": f"{venv}/bin{os.pathsep}{repo.env['PATH']}"}

    repo.hookci("hook", "managed-commit", *option, env=env)

    path = repo.hookci("log", "1", "unit").stdout.rpartition("path=")[2].split(os.pathsep)
    assert (str(venv / "bin") in path) == seen
    assert str(Path(sys.executable).parent) in path


def test_an_entry_that_is_none_is_refused(repo: Repo) -> None:
    repo.commit()

    ran = repo.hookci("hook", "managed-pre-push", check=False)

    assert ran.returncode == 2
    assert ran.stderr == (
        "error: `managed-pre-push` is no hook of hookci's\n"
        "hint: known: managed-commit, managed-push, managed-post-merge\n"
    )
