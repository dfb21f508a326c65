from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from guarded import contents, picture
from workspaces import KINDS, Bench, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Repo


@pytest.fixture(params=KINDS)
def bench(
    repo: Repo, make_repo: Callable[..., Repo], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Bench]:
    """``project`` has the submodule ``libs/one``, which has the submodule ``two``."""
    two = make_repo("two", remote=False)
    two.commit({"two.txt": "two\n"})
    one = make_repo("one", remote=False)
    one.git("submodule", "--quiet", "add", str(two.path), "two")
    one.commit({"one.txt": "one\n"})
    repo.git("submodule", "--quiet", "add", "--name", "the first", str(one.path), "libs/one")
    repo.git("submodule", "--quiet", "update", "--init", "--recursive")
    repo.commit({"a.txt": "a\n"})
    with opened(repo, tmp_path / "place", request.param) as bench:
        yield bench


def expected(bench: Bench, revision: str = "HEAD") -> dict[str, str]:
    """A recursive clone, in which git's own links to submodules do not count."""
    bench.repo.git("branch", "-f", "wanted", revision)
    place = bench.place / "recursive"
    shutil.rmtree(place, ignore_errors=True)
    bench.repo.git("clone", "-q", "--recurse-submodules", "-b", "wanted", str(bench.repo.path), str(place))
    return without_git(contents(place))


def without_git(found: dict[str, str]) -> dict[str, str]:
    return {path: what for path, what in found.items() if ".git" not in path.split("/")}


def without_network(bench: Bench) -> None:
    """Take away what submodules were cloned from."""
    for name in ("one", "two"):
        shutil.rmtree(bench.repo.path.parent / name)


def test_submodules_are_filled_from_the_clone_also_nested_ones(bench: Bench) -> None:
    wanted = expected(bench)
    without_network(bench)

    found = bench.reset()

    assert without_git(found) == wanted
    assert {"libs/one/one.txt", "libs/one/two/two.txt"} <= found.keys()
    assert bench.said == []
    assert bench.git("status", "--porcelain", "--ignored") == ""
    assert bench.git("-C", "libs/one", "log", "--format=%s") == "a change\n"


def test_tampered_submodules_are_like_fresh_ones_again(bench: Bench) -> None:
    before = without_git(bench.reset())
    (bench.top / "libs/one/one.txt").write_text("tampered")
    (bench.top / "libs/one/new.txt").write_text("new")
    (bench.top / "libs/one/two/two.txt").unlink()
    (bench.top / "libs/one/two/two.txt").mkdir()

    assert without_git(bench.reset()) == before


@pytest.mark.parametrize("path", ["libs", "libs/one", "libs/one/two"])
@pytest.mark.parametrize("what", ["link to the user's", "file", "nothing"])
def test_a_submodules_directory_that_was_replaced_comes_back(bench: Bench, path: str, what: str) -> None:
    before = without_git(bench.reset())
    untouched = picture(bench.repo)
    place = bench.top / path
    shutil.rmtree(place)
    if what == "file":
        place.write_text("x")
    elif what != "nothing":
        place.symlink_to(bench.repo.path / path)

    after = without_git(bench.reset())

    assert after == before
    assert picture(bench.repo) == untouched


def test_a_submodule_goes_with_the_commit_that_removes_it(bench: Bench) -> None:
    bench.reset()
    bench.repo.git("rm", "-q", "libs/one")
    bench.repo.commit()

    found = bench.reset()

    assert found == bench.fresh()
    assert found.keys() == {".gitmodules", "a.txt"}


@pytest.mark.parametrize("files", [{"libs/one": "a file\n"}, {"libs/one/one.txt": "not a submodule's\n"}])
def test_files_take_the_place_of_a_submodule(bench: Bench, files: dict[str, str]) -> None:
    bench.reset()
    bench.repo.git("rm", "-q", "libs/one")
    bench.repo.commit(files)

    assert bench.reset() == bench.fresh()


def test_a_submodule_takes_the_place_of_files(bench: Bench) -> None:
    with_submodule = bench.repo.out("rev-parse", "HEAD")
    bench.repo.git("rm", "-q", "libs/one")
    bench.repo.commit({"libs/one/one.txt": "not a submodule's\n"})
    bench.reset()

    assert without_git(bench.reset(with_submodule)) == expected(bench, with_submodule)


def test_a_submodule_that_comes_before_another_does_not_get_its_files(
    bench: Bench, make_repo: Callable[..., Repo]
) -> None:
    bench.reset()
    early = make_repo("early", remote=False)
    early.commit({"one.txt": "another one\n", "early.txt": "e\n"})
    bench.repo.git("submodule", "--quiet", "add", str(early.path), "early")
    bench.repo.commit()

    found = without_git(bench.reset())

    assert found == expected(bench)
    assert found["early/one.txt"].endswith(r"b'another one\n'")


def test_a_submodule_moves_with_its_commit(bench: Bench) -> None:
    bench.reset()
    inner = bench.repo.path / "libs" / "one"
    (inner / "one.txt").write_text("newer\n")
    bench.repo.run("git", "commit", "-qam", "newer", cwd=inner)
    bench.repo.commit()

    assert bench.reset()["libs/one/one.txt"].endswith(r"b'newer\n'")
    assert bench.reset("HEAD~1")["libs/one/one.txt"].endswith(r"b'one\n'")


def test_an_absent_submodule_is_an_empty_directory_and_said(bench: Bench) -> None:
    commit = bench.repo.out("rev-parse", "HEAD:libs/one")
    bench.reset()
    shutil.rmtree(bench.repo.path / ".git" / "modules")

    found = bench.reset()

    assert without_git(found).keys() == {".gitmodules", "a.txt", "libs", "libs/one"}
    assert bench.said == [f"submodule libs/one is empty: {commit[:8]} is not in this clone"]


@pytest.mark.parametrize("how", ["deinit", "remove the work tree", "on a branch without it"])
def test_a_submodule_without_a_work_tree_is_filled_too(bench: Bench, how: str) -> None:
    commit = bench.repo.out("rev-parse", "HEAD")
    wanted = expected(bench)
    if how == "deinit":
        bench.repo.git("submodule", "--quiet", "deinit", "--force", "libs/one")
    elif how == "remove the work tree":
        shutil.rmtree(bench.repo.path / "libs")
    else:
        bench.repo.git("checkout", "-q", "--orphan", "other")
        bench.repo.git("rm", "-rfq", "--cached", ".")
        shutil.rmtree(bench.repo.path / "libs")

    assert without_git(bench.reset(commit)) == wanted
    assert bench.said == []


def test_a_submodule_with_a_git_directory_of_its_own_is_filled(bench: Bench) -> None:
    inner = bench.repo.path / "libs" / "one"
    (inner / ".git").unlink()
    (bench.repo.path / ".git" / "modules" / "the first").rename(inner / ".git")
    bench.repo.git("config", "--file", str(inner / ".git" / "config"), "--unset", "core.worktree")

    found = bench.reset()

    assert "libs/one/one.txt" in found


@pytest.mark.parametrize("name", ["../../outside", "/etc", "a/../../../x"])
def test_a_submodules_name_leads_nowhere_else(bench: Bench, name: str) -> None:
    outside = bench.repo.path.parent / "outside"
    shutil.copytree(bench.repo.path / ".git" / "modules" / "the first", outside)
    shutil.rmtree(bench.repo.path / ".git" / "modules")
    shutil.rmtree(bench.repo.path / "libs" / "one")
    modules = bench.repo.path / ".gitmodules"
    modules.write_text(f'[submodule "{name}"]\n\tpath = libs/one\n\turl = nowhere\n')
    bench.repo.git("commit", "-q", "--no-verify", ".gitmodules", "-m", "evil")

    found = bench.reset()

    assert "libs/one/one.txt" not in found
    assert len(bench.said) == 1


@pytest.mark.parametrize("recurse", ["true", "false"])
def test_the_users_submodules_are_not_touched(bench: Bench, recurse: str) -> None:
    bench.repo.git("config", "submodule.recurse", recurse)
    before = picture(bench.repo)
    config = (bench.repo.path / ".git" / "modules" / "the first" / "config").read_text()

    bench.reset()
    (bench.top / "libs/one/one.txt").write_text("tampered")
    bench.reset()

    assert picture(bench.repo) == before
    assert "worktree = ../../../libs/one" in config
