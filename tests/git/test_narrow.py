"""Trees with some of a snapshot's files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from conftest import stress
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookci.git.narrow import narrow_tree
from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Repo

NAMES = st.sampled_from(["a", "a.b", "a-b", "ab", "b", "é", "\udc80", "x y", "a\nb", "0"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
MODES = st.sampled_from(["100644", "100755", "120000"])


@pytest.fixture(scope="module", params=["sha1", "sha256"])
def places(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, Scratch]:
    place = tmp_path_factory.mktemp("narrow")
    env = {"HOME": str(place), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    from hookci.proc.run import run  # noqa: PLC0415 (only here)

    run(["git", "init", "-q", f"--object-format={request.param}", "r"], cwd=place, env=env, timeout=60.0)
    return Repository.discover(place / "r", env), Scratch(place / "scratch")


def no_file_is_a_directory(files: dict[str, str]) -> bool:
    return not any(other.startswith(f"{path}/") for path in files for other in files)


@settings(max_examples=stress(40), deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much])
@given(files=st.dictionaries(PATHS, MODES, max_size=12).filter(no_file_is_a_directory))
def test_it_is_the_tree_that_git_would_write(places: tuple[Repository, Scratch], files: dict[str, str]) -> None:
    repository, scratch = places
    environment = scratch.environment(repository)
    oid = repository.git("hash-object", "-w", "--stdin", env=environment).stdout.decode().strip()
    found = {path: f"{mode} {oid}" for path, mode in files.items()}
    index = {**environment, "GIT_INDEX_FILE": str(scratch.directory / "index")}
    (scratch.directory / "index").unlink(missing_ok=True)
    rows = "".join(f"{entry}\t{path}\0" for path, entry in found.items())
    repository.git("update-index", "-z", "--index-info", stdin=os.fsencode(rows), env=index)
    by_git = repository.git("write-tree", env=index).stdout.decode().strip()

    tree = narrow_tree(repository, Scratch(scratch.directory / "ours"), found)

    assert tree == by_git
    ours = Scratch(scratch.directory / "ours").environment(repository)
    listed = repository.git("ls-tree", "-r", "-z", "--name-only", tree, env=ours).stdout
    assert sorted(os.fsdecode(listed).split("\0")[:-1]) == sorted(files)


def test_what_is_there_is_not_written_again(make_repo: Callable[..., Repo], tmp_path: Path) -> None:
    repo = make_repo()
    repository = Repository.discover(repo.path, repo.env)
    scratch = Scratch(tmp_path / "scratch")
    files = {f"d{number}/f": f"100644 {number:040x}" for number in range(9)}
    narrow_tree(repository, scratch, files)
    before = {path: path.stat().st_ino for path in scratch.objects.rglob("*") if path.is_file()}

    narrow_tree(repository, scratch, {**files, "d3/f": f"100644 {99:040x}"})

    after = {path: path.stat().st_ino for path in scratch.objects.rglob("*") if path.is_file()}
    assert before.items() <= after.items()
    assert len(after) == len(before) + 2
