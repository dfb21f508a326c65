"""Under lefthook, which hands git's lines on only if it is told to."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pexpect
from guarded import NO_BAD, push
from managed import refused

if TYPE_CHECKING:
    from conftest import Repo

NO_TELLING = "so there is no telling what is pushed"


def under_lefthook(repo: Repo, *, use_stdin: bool) -> Repo:
    job = {
        "name": "hookci",
        "run": f"{sys.executable} -I -m hookci hook pre-push -- {{1}} {{2}}",
        "use_stdin": use_stdin,
    }
    repo.commit({"hookci.toml": NO_BAD, "lefthook.json": json.dumps({"pre-push": {"jobs": [job]}})}, "first")
    repo.run("lefthook", "install")
    return repo


def test_with_gits_lines_every_ref_is_judged(repo: Repo) -> None:
    under_lefthook(repo, use_stdin=True)
    repo.git("checkout", "-qb", "other")
    repo.commit({"BAD": "x"})

    both = push(repo, "main", "other")
    alone = push(repo, "main")

    assert "test ! -e BAD" in refused(both)
    assert alone.returncode == 0, alone.output
    assert repo.remote_branches() == {"main"}


def test_without_gits_lines_a_push_is_refused(repo: Repo) -> None:
    under_lefthook(repo, use_stdin=False)

    said = refused(push(repo, "main"))

    assert f"lefthook hands over no refs, {NO_TELLING}" in said
    assert "set `use_stdin: true` for this job; if it is set, there is nothing to push" in said
    assert repo.remote_refs() == {}


def test_without_gits_lines_a_push_from_a_terminal_is_refused(repo: Repo) -> None:
    under_lefthook(repo, use_stdin=False)

    child = pexpect.spawn(
        "git", ["push", "origin", "main"], cwd=str(repo.path), env=repo.env, encoding="utf-8", timeout=60
    )
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus != 0
    assert f"the standard input is a terminal, {NO_TELLING}" in str(child.before)
    assert repo.remote_refs() == {}
