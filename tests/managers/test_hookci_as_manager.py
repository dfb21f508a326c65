"""hookci's own hooks over another manager's: what was there runs first, and its refusal counts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from guarded import Evidence, guard, push
from managed import MANAGERS, own, refused

if TYPE_CHECKING:
    from conftest import Repo

FIXME = {
    "id": "no-fixme",
    "name": "no-fixme",
    "language": "fail",
    "entry": "a FIXME is left",
    "files": "FIXME",
    "stages": ["pre-commit", "pre-push"],
}
REFUSING = json.dumps({"repos": [{"repo": "local", "hooks": [FIXME]}]})
"""Any file with FIXME in its name is refused."""


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_kept_manager_runs_first_and_both_have_to_agree(repo: Repo, manager: str) -> None:
    repo.commit({".pre-commit-config.yaml": REFUSING})
    own(repo, manager)
    guard(repo)

    repo.write_files({"FIXME": "x"})
    repo.git("add", "FIXME")
    theirs = repo.git("commit", "-qm", "x", check=False)
    repo.git("commit", "-qm", "x", "--no-verify")
    their_push = push(repo, "main")
    repo.git("mv", "FIXME", "BAD")
    ours = repo.git("commit", "-qm", "x", check=False)
    repo.git("commit", "-qm", "x", "--no-verify")
    our_push = push(repo, "main")

    for ran in (theirs, their_push):
        assert "a FIXME is left" in refused(ran)
        assert "unit" not in ran.output
    for ran in (ours, our_push):
        assert "test ! -e BAD" in refused(ran)


@pytest.mark.parametrize("manager", MANAGERS)
def test_with_a_kept_manager_every_ref_is_judged(repo: Repo, manager: str) -> None:
    repo.commit({".pre-commit-config.yaml": REFUSING})
    own(repo, manager)
    guard(repo)
    repo.git("checkout", "-qb", "other")
    repo.commit({"BAD": "x"})
    repo.git("checkout", "-q", "main")
    repo.commit({"b.txt": "x"})

    ran = push(repo, "main", "other")

    assert "test ! -e BAD" in refused(ran)
    assert repo.remote_branches() == {"main"}
    assert push(repo, "main").returncode == 0


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_manager_that_comes_later_keeps_ours_and_hands_it_every_ref(repo: Repo, manager: str) -> None:
    guard(repo)
    repo.commit({".pre-commit-config.yaml": REFUSING})
    own(repo, manager)
    repo.git("checkout", "-qb", "other")
    repo.commit({"BAD": "x"})
    repo.git("checkout", "-q", "main")

    ran = push(repo, "main", "other")

    assert "test ! -e BAD" in refused(ran)
    assert repo.remote_refs()["refs/heads/main"] != repo.out("rev-parse", "main")


def test_their_hooks_as_a_job_see_the_clean_snapshot(repo: Repo, tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "seen")
    pre_commit = Path(sys.executable).with_name("pre-commit")
    look = {
        "id": "look",
        "name": "look",
        "language": "system",
        "entry": f"sh -c 'mkdir -p {evidence.path}; cat \"$@\" >> {evidence.path}/files' --",
        "require_serial": True,
        "files": r"\.txt$",
    }
    hooks = json.loads(REFUSING)
    hooks["repos"][0]["hooks"].append(look)
    job = f'[jobs.pre-commit]\nscript = ["{pre_commit} run --all-files"]\n[hooks]\npre-commit = ["pre-commit"]\n'
    repo.commit({".pre-commit-config.yaml": json.dumps(hooks)})
    guard(repo, job)
    repo.write_files({"a.txt": "staged\n", "FIXME": "untracked\n", "b.txt": "untracked\n"})
    repo.git("add", "a.txt")
    repo.write_files({"a.txt": "not staged\n"})

    good = repo.git("commit", "-qm", "x", check=False)
    repo.git("add", "FIXME")
    bad = repo.git("commit", "-qm", "x", check=False)

    assert good.returncode == 0, good.output
    assert (evidence.path / "files").read_text().split("\n")[0] == "staged"
    assert "untracked" not in (evidence.path / "files").read_text()
    assert "a FIXME is left" in refused(bad)
