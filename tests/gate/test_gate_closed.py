"""What hookci cannot judge does not get through."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from guarded import NO_BAD, guard, push, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Repo

RED = NO_BAD.replace("test ! -e BAD", "exit 1")


@pytest.fixture
def unconfigured(repo: Repo) -> Repo:
    repo.commit({"a.txt": "x"})
    repo.hookci("install")
    return repo


def test_a_tree_without_a_pipeline_is_refused_and_the_way_out_is_named(unconfigured: Repo) -> None:
    said = refused(push(unconfigured, "main"))

    assert "main has no hookci.toml, so nothing can be said about it" in said
    assert "git config hookci.unconfigured allow" in said
    assert unconfigured.remote_refs() == {}


def test_a_clone_may_allow_trees_without_a_pipeline(unconfigured: Repo) -> None:
    unconfigured.git("config", "hookci.unconfigured", "allow")

    ran = push(unconfigured, "main")

    assert ran.returncode == 0
    assert "main has no hookci.toml and is not judged" in ran.stderr


def test_an_old_tag_without_a_pipeline_refuses_the_good_branch_beside_it(unconfigured: Repo) -> None:
    unconfigured.git("tag", "old")
    unconfigured.commit({"hookci.toml": NO_BAD})

    said = refused(push(unconfigured, "main", "old"))

    assert "old has no hookci.toml" in said
    assert "job" not in said
    assert unconfigured.remote_refs() == {}


def test_allowing_the_unconfigured_does_not_let_the_red_through(unconfigured: Repo) -> None:
    unconfigured.git("config", "hookci.unconfigured", "allow")
    unconfigured.git("tag", "old")
    unconfigured.commit({"hookci.toml": NO_BAD, "BAD": "x"})

    refused(push(unconfigured, "old", "main"))

    assert unconfigured.remote_refs() == {}


def test_a_setting_that_makes_no_sense_refuses(unconfigured: Repo) -> None:
    unconfigured.git("config", "hookci.unconfigured", "alow")

    assert "expected `allow` or `refuse`" in refused(push(unconfigured, "main"))


@pytest.mark.parametrize(("committed", "edited", "lands"), [(NO_BAD, RED, True), (RED, NO_BAD, False)])
@pytest.mark.parametrize("staged", [True, False])
def test_the_pipeline_is_that_of_the_commit_never_of_the_work_tree(
    repo: Repo, committed: str, edited: str, lands: bool, staged: bool
) -> None:
    guard(repo, committed, push=False)
    repo.write_files({"hookci.toml": edited})
    if staged:
        repo.git("add", "hookci.toml")

    assert (push(repo, "main").returncode == 0) == lands


def test_each_branch_is_judged_by_its_own_pipeline(repo: Repo) -> None:
    guard(repo, RED, push=False)
    repo.git("checkout", "-q", "-b", "other")
    repo.commit({"hookci.toml": NO_BAD})

    assert push(repo, "other").returncode == 0
    assert "main is red" in refused(push(repo, "main"))


def test_an_uncommitted_pipeline_counts_for_nothing(unconfigured: Repo) -> None:
    unconfigured.write_files({"hookci.toml": NO_BAD})

    refused(push(unconfigured, "main"))


def test_a_pipeline_removed_from_the_work_tree_still_counts(repo: Repo) -> None:
    guard(repo)
    repo.commit({"BAD": "x"})
    (repo.path / "hookci.toml").unlink()

    assert "main is red" in refused(push(repo, "main"))


@pytest.mark.parametrize(
    "config",
    ["[jobs.unit\n", "jobs = 1\n", '[jobs.unit]\nscirpt = ["true"]\n', "\xff\xfe", 'stages = ["a"]\n[jobs.b]\n'],
)
def test_a_wrong_pipeline_is_refused(repo: Repo, config: str) -> None:
    guard(repo)
    (repo.path / "hookci.toml").write_bytes(config.encode("latin-1"))
    repo.commit()

    ran = push(repo, "main")

    assert "hookci.toml" in refused(ran)
    line = f"refs/heads/x {repo.out('rev-parse', 'HEAD')} refs/heads/x {'0' * 40}\n"
    assert repo.hookci("hook", "pre-push", "--", "o", "u", check=False, stdin=line).returncode == 2


def test_a_wrong_pipeline_in_the_last_ref_costs_no_time_on_the_first(repo: Repo) -> None:
    guard(repo)
    repo.commit({"1": "x"})
    repo.git("checkout", "-q", "-b", "wrong")
    repo.commit({"hookci.toml": "x"})

    said = refused(push(repo, "main", "wrong"))

    assert "started" not in said
    assert repo.remote_branches() == {"main"}


@pytest.mark.parametrize("name", ["hookci.toml", "pyproject.toml"])
def test_a_pipeline_that_is_a_link_out_of_the_tree_is_refused(repo: Repo, tmp_path: Path, name: str) -> None:
    guard(repo)
    (tmp_path / "elsewhere.toml").write_text(NO_BAD)
    (repo.path / name).unlink(missing_ok=True)
    (repo.path / name).symlink_to(tmp_path / "elsewhere.toml")
    repo.commit()

    assert f"{name} is a symbolic link" in refused(push(repo, "main"))


def test_a_pipeline_that_is_a_directory_is_none(repo: Repo) -> None:
    guard(repo)
    (repo.path / "hookci.toml").unlink()
    repo.commit({"hookci.toml/x": "x"})

    assert "main has no hookci.toml" in refused(push(repo, "main"))


def cache_is_a_file(repo: Repo) -> None:
    (repo.path.parent / "home" / ".cache").write_text("x")


def cache_is_not_writable(repo: Repo) -> None:
    place = repo.path.parent / "home" / ".cache"
    place.symlink_to("/proc/version")


def hookcis_cache_is_a_link(repo: Repo) -> None:
    cache = repo.path.parent / "home" / ".cache"
    (repo.path.parent / "elsewhere").mkdir()
    cache.mkdir()
    (cache / "hookci").symlink_to(repo.path.parent / "elsewhere")


def state_is_a_file(repo: Repo) -> None:
    shutil.rmtree(repo.path / ".git" / "hookci", ignore_errors=True)
    (repo.path / ".git" / "hookci").write_text("x")


def state_is_a_link(repo: Repo) -> None:
    shutil.rmtree(repo.path / ".git" / "hookci", ignore_errors=True)
    (repo.path.parent / "elsewhere").mkdir()
    (repo.path / ".git" / "hookci").symlink_to(repo.path.parent / "elsewhere")


def an_object_is_gone(repo: Repo) -> None:
    oid = repo.out("rev-parse", "HEAD:a.txt")
    (repo.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()


def an_object_is_damaged(repo: Repo) -> None:
    oid = repo.out("rev-parse", "HEAD:a.txt")
    path = repo.path / ".git" / "objects" / oid[:2] / oid[2:]
    path.chmod(0o600)
    path.write_bytes(b"x")


INABILITIES = [
    cache_is_a_file, cache_is_not_writable, hookcis_cache_is_a_link, state_is_a_file, state_is_a_link,
    an_object_is_gone, an_object_is_damaged,
]  # fmt: skip


@pytest.mark.parametrize("break_it", INABILITIES, ids=lambda break_it: break_it.__name__)
def test_what_keeps_hookci_from_judging_refuses(repo: Repo, break_it: Callable[[Repo], None]) -> None:
    guard(repo, push=False)
    break_it(repo)
    line = f"refs/heads/x {repo.out('rev-parse', 'HEAD')} refs/heads/x {'0' * 40}\n"

    ran = repo.hookci("hook", "pre-push", "--", "origin", "x", check=False, stdin=line)

    assert ran.returncode == 3
    assert "error" in ran.stderr
    assert repo.git("push", "origin", "main", check=False).returncode != 0
    assert repo.remote_refs() == {}


def test_an_exception_nobody_expected_refuses(repo: Repo, tmp_path: Path) -> None:
    guard(repo, push=False)
    line = f"refs/heads/x {repo.out('rev-parse', 'HEAD')} refs/heads/x {'0' * 40}\n"
    program = tmp_path / "broken.py"
    program.write_text(
        "import sys\nimport hookci.flow\nhookci.flow.check_push = lambda *a: 1 / 0\n"
        "from hookci.cli.hook import run_hook\nsys.exit(run_hook(['pre-push', '--', 'o', 'u']))\n"
    )

    ran = repo.run("python", str(program), check=False, stdin=line)

    assert ran.returncode == 3
    assert "error: internal error: ZeroDivisionError" in ran.stderr


def test_a_program_that_is_gone_refuses(repo: Repo) -> None:
    guard(repo, push=False)
    shim = repo.path / ".git" / "hooks" / "pre-push"
    shim.write_text(shim.read_text().replace("python='/", "python='/nowhere/"))

    assert "hookci: pre-push refused" in refused(push(repo, "main"))
    assert repo.remote_refs() == {}


def test_a_bad_push_does_not_land_because_nobody_reads_what_is_said(repo: Repo) -> None:
    guard(repo)
    before = repo.remote_refs()
    repo.commit({"BAD": "x"})

    subprocess.run(["bash", "-c", "git push origin main 2>&1 | true"], cwd=repo.path, env=repo.env, check=True)

    assert repo.remote_refs() == before


def test_no_git_on_the_path_refuses(repo: Repo, tmp_path: Path) -> None:
    guard(repo, push=False)
    (tmp_path / "empty").mkdir()
    python = shutil.which("python", path=repo.env["PATH"])
    assert python

    ran = repo.run(python, "-I", "-m", "hookci", "run", check=False, env={"PATH": str(tmp_path / "empty")})

    assert ran.returncode == 3
    assert "`git` could not be started" in ran.stderr
