from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from conftest import Repo
from guarded import contents
from workspaces import KINDS, opened

from hookci.errors import GitError
from hookci.git.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workspaces import Bench

    Maker = Callable[[Repo, Path], Bench]

FILES = {"a.txt": "a\n", "src/b.txt": "b\n"}


@pytest.fixture(params=KINDS)
def bench_of(request: pytest.FixtureRequest) -> Iterator[Maker]:
    """Makes a bench of a repository at a place, of each kind in turn."""
    with ExitStack() as stack:
        yield lambda repo, place: stack.enter_context(opened(repo, place, request.param))


def test_a_shallow_clone_is_checked_out_and_has_its_history(repo: Repo, tmp_path: Path, bench_of: Maker) -> None:
    repo.commit(FILES, "first")
    repo.commit({"a.txt": "A\n"}, "second")
    repo.commit({"c.txt": "c\n"}, "third")
    repo.git("clone", "-q", "--depth=2", f"file://{repo.path}", str(tmp_path / "shallow"))
    bench = bench_of(Repo(tmp_path / "shallow", repo.env), tmp_path / "place")

    found = bench.reset()

    assert found == contents(repo.path)
    assert bench.git("log", "--format=%s") == "third\nsecond\n"
    assert bench.git("fsck") == ""


@pytest.mark.parametrize("option", ["--shared", "--reference"])
def test_a_clone_that_borrows_objects_is_checked_out(repo: Repo, tmp_path: Path, option: str, bench_of: Maker) -> None:
    repo.commit(FILES)
    options = [option] if option == "--shared" else [option, str(repo.path)]
    repo.git("clone", "-q", *options, str(repo.path), str(tmp_path / "first"))
    repo.git("clone", "-q", "--shared", str(tmp_path / "first"), str(tmp_path / "second"))
    bench = bench_of(Repo(tmp_path / "second", repo.env), tmp_path / "place")

    assert bench.reset() == contents(repo.path)
    assert bench.git("status", "--porcelain") == ""


def test_a_bare_repository_is_checked_out(repo: Repo, tmp_path: Path, bench_of: Maker) -> None:
    repo.commit(FILES)
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    bench = bench_of(Repo(tmp_path / "bare.git", repo.env), tmp_path / "place")

    assert bench.reset() == contents(repo.path)
    assert bench.git("rev-parse", "--is-bare-repository") == "false\n"


def test_a_linked_worktree_is_checked_out(repo: Repo, tmp_path: Path, bench_of: Maker) -> None:
    repo.commit(FILES)
    repo.git("worktree", "add", "-q", "-b", "other", str(tmp_path / "linked"))
    linked = Repo(tmp_path / "linked", repo.env)
    linked.commit({"only-here": "x"})
    bench = bench_of(linked, tmp_path / "place")

    assert bench.reset() == contents(tmp_path / "linked")


def test_a_partial_clone_gets_what_is_missing_from_its_remote(repo: Repo, tmp_path: Path, bench_of: Maker) -> None:
    repo.commit(FILES)
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{repo.path}", str(tmp_path / "partial"))
    bench = bench_of(Repo(tmp_path / "partial", repo.env), tmp_path / "place")

    assert bench.reset() == contents(repo.path)
    assert bench.git("status", "--porcelain") == ""


def test_a_sha256_repository_is_checked_out(make_repo: Callable[..., Repo], tmp_path: Path, bench_of: Maker) -> None:
    repo = make_repo("long", object_format="sha256")
    repo.commit(FILES)
    bench = bench_of(repo, tmp_path / "place")

    assert bench.reset() == contents(repo.path)
    assert len(bench.git("rev-parse", "HEAD").strip()) == 64
    assert bench.git("status", "--porcelain") == ""


def test_replaced_objects_are_not_what_is_checked_out(repo: Repo, tmp_path: Path, bench_of: Maker) -> None:
    repo.commit({"a.txt": "sent\n"})
    blob, tree, commit = (repo.out("rev-parse", name) for name in ("HEAD:a.txt", "HEAD^{tree}", "HEAD"))
    repo.commit({"a.txt": "local only\n"})
    for original, name in ((blob, "HEAD:a.txt"), (tree, "HEAD^{tree}"), (commit, "HEAD")):
        repo.git("replace", original, repo.out("rev-parse", name))
    bench = bench_of(repo, tmp_path / "place")

    bench.prepare(tree, commit)

    assert (bench.top / "a.txt").read_text() == "sent\n"
    assert bench.git("cat-file", "blob", "HEAD:a.txt") == "sent\n"
    assert bench.git("status", "--porcelain") == ""


ODD = [
    "with space", "quo'te", 'dou"ble', "café", "col:on", "back\\slash", "$HOME", "#hash", "lin\u2028sep",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_the_paths_of_repository_and_cache_may_hold_anything(
    repo: Repo, make_repo: Callable[..., Repo], tmp_path: Path, name: str, bench_of: Maker
) -> None:
    inner = make_repo("inner", remote=False)
    inner.commit({"inner.txt": "i\n"})
    odd = make_repo(f"the {name}", remote=False)
    odd.git("submodule", "--quiet", "add", str(inner.path), "sub")
    odd.commit(FILES)
    del repo
    bench = bench_of(odd, tmp_path / f"cache {name}")

    first = bench.reset()
    (bench.top / "a.txt").unlink()
    (bench.top / "junk").write_text("x")
    second = bench.reset()

    assert first == second
    assert {"a.txt", "src/b.txt", "sub/inner.txt"} <= first.keys()
    assert bench.git("log", "--format=%s") == "a change\n"
    assert bench.git("status", "--porcelain", "--ignored") == ""


def test_a_path_with_a_line_end_in_it_is_refused_by_name(make_repo: Callable[..., Repo]) -> None:
    odd = make_repo("new\nline", remote=False)

    with pytest.raises(GitError, match=r"new\\nline' holds a line end"):
        Repository.discover(odd.path, odd.env)


def test_a_path_that_is_not_utf8_may_hold_a_repository(repo: Repo, tmp_path: Path, bench_of: Maker) -> None:
    place = tmp_path / os.fsdecode(b"latin\xe9")
    repo.path.rename(place) if repo.path.exists() else None
    odd = Repo(place, repo.env)
    odd.commit(FILES)
    bench = bench_of(odd, tmp_path / os.fsdecode(b"cache\xe9"))

    assert bench.reset().keys() == {"a.txt", "src", "src/b.txt"}
    assert bench.git("status", "--porcelain") == ""


def test_a_repository_that_moved_is_still_checked_out(repo: Repo, tmp_path: Path, bench_of: Maker) -> None:
    repo.commit(FILES)
    bench = bench_of(repo, tmp_path / "place")
    before = bench.reset()
    repo.path.rename(tmp_path / "moved")
    repo.path = tmp_path / "moved"
    repo.git("gc", "-q", "--prune=now")

    assert bench.reset() == before


def test_garbage_collection_between_two_runs_takes_nothing_away(repo: Repo, tmp_path: Path, bench_of: Maker) -> None:
    repo.commit(FILES)
    bench = bench_of(repo, tmp_path / "place")
    bench.reset()
    repo.commit({"a.txt": "A\n"})
    repo.git("branch", "kept")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.git("checkout", "-q", "--orphan", "new")
    repo.git("branch", "-D", "main")
    repo.commit({"new.txt": "n\n"})
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")

    assert bench.reset() == contents(repo.path)
