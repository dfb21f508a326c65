from __future__ import annotations

import os
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
from workspaces import KINDS, Bench, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Repo


@pytest.fixture(params=KINDS)
def bench(repo: Repo, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A repository with one of everything that can be tampered with, checked out once."""
    repo.write_files({"a.txt": "aaaa\n", "run.sh": "#!/bin/sh\n", "src/deep/c.txt": "c\n", "src/d.txt": "d\n"})
    repo.write_files({".gitignore": "*.log\nbuild/\n", "other/e.txt": "e\n"})
    (repo.path / "run.sh").chmod(0o755)
    (repo.path / "link").symlink_to("a.txt")
    repo.commit()
    with opened(repo, tmp_path / "place", request.param) as bench:
        bench.reset()
        yield bench


def modified(top: Path) -> None:
    (top / "a.txt").write_text("something else\n")


def appended(top: Path) -> None:
    with (top / "a.txt").open("a") as file:
        file.write("more\n")


def same_size_and_mtime(top: Path) -> None:
    path = top / "a.txt"
    info = path.stat()
    path.write_text("bbbb\n")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def deleted(top: Path) -> None:
    (top / "a.txt").unlink()


def everything_deleted(top: Path) -> None:
    shutil.rmtree(top, ignore_errors=True)  # a mount stays


def executable(top: Path) -> None:
    (top / "a.txt").chmod(0o755)


def not_executable(top: Path) -> None:
    (top / "run.sh").chmod(0o644)


def unreadable(top: Path) -> None:
    (top / "a.txt").chmod(0o600)
    (top / "src" / "d.txt").chmod(0o000)


def directories_closed(top: Path) -> None:
    (top / "src" / "deep").chmod(0o500)
    (top / "src").chmod(0o000)


def untracked_in_closed_directories(top: Path) -> None:
    (top / "junk" / "deeper").mkdir(parents=True)
    (top / "junk" / "deeper" / "file").write_text("x")
    (top / "junk" / "deeper").chmod(0o000)
    (top / "junk").chmod(0o500)


def file_to_directory(top: Path) -> None:
    (top / "a.txt").unlink()
    (top / "a.txt" / "inner").mkdir(parents=True)
    (top / "a.txt" / "inner" / "x").write_text("x")


def directory_to_file(top: Path) -> None:
    shutil.rmtree(top / "src")
    (top / "src").write_text("a file now\n")


def directory_to_symlink(top: Path) -> None:
    (top / "src").rename(top / "elsewhere")
    (top / "src").symlink_to("elsewhere")


def directory_to_symlink_leading_out(top: Path) -> None:
    outside = top.parent.parent / "outside"
    shutil.copytree(top / "src", outside)
    shutil.rmtree(top / "src")
    (top / "src").symlink_to(outside)


def file_to_symlink(top: Path) -> None:
    (top / "a.txt").rename(top / "b.txt")
    (top / "a.txt").symlink_to("b.txt")


def symlink_retargeted(top: Path) -> None:
    (top / "link").unlink()
    (top / "link").symlink_to("run.sh")


def symlink_to_file(top: Path) -> None:
    (top / "link").unlink()
    (top / "link").write_text("a.txt")


def file_to_pipe(top: Path) -> None:
    (top / "a.txt").unlink()
    os.mkfifo(top / "a.txt")


def socket_beside(top: Path) -> None:
    here = os.open(top, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{here}/s")  # the whole path may be longer than a socket's may be
    os.close(here)


def untracked(top: Path) -> None:
    (top / "new.txt").write_text("new\n")
    (top / "src" / "new dir").mkdir()
    (top / "src" / "new dir" / "x").write_text("x")


def ignored(top: Path) -> None:
    (top / "x.log").write_text("x")
    (top / "build").mkdir()
    (top / "build" / "out").write_text("x")


def empty_directory(top: Path) -> None:
    (top / "empty" / "emptier").mkdir(parents=True)


def nested_repository(top: Path) -> None:
    (top / "vendored").mkdir()
    subprocess.run(["git", "init", "-q"], cwd=top / "vendored", check=True)
    (top / "vendored" / "file").write_text("x")


def repository_in_a_tracked_directory(top: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=top / "src", check=True)


def hard_linked(top: Path) -> None:
    outside = top.parent.parent / "hard"
    try:
        os.link(top / "a.txt", outside)
    except OSError:  # over the edge of a mount
        outside = top / "hard"
        os.link(top / "a.txt", outside)
    outside.write_text("through the other name\n")


def assume_unchanged(top: Path) -> None:
    subprocess.run(["git", "update-index", "--assume-unchanged", "a.txt"], cwd=top, check=True)
    (top / "a.txt").write_text("hidden\n")


def skip_worktree(top: Path) -> None:
    subprocess.run(["git", "update-index", "--skip-worktree", "a.txt"], cwd=top, check=True)
    (top / "a.txt").write_text("hidden\n")


def staged_and_committed(top: Path) -> None:
    identity = ["-c", "user.name=x", "-c", "user.email=x"]
    (top / "a.txt").write_text("committed\n")
    subprocess.run(["git", *identity, "commit", "-qam", "x"], cwd=top, check=True)


def git_directory_turned_against_the_next_job(top: Path) -> None:
    hook = top / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {top.parent}/hook-ran\n")
    hook.chmod(0o755)
    with (top / ".git" / "config").open("a") as config:
        config.write("[core]\n\tfsmonitor = true\n\ttrustctime = false\n\thooksPath = hooks\n\tsparseCheckout = true\n")
        config.write('[filter "evil"]\n\tsmudge = echo evil\n\tclean = cat\n')
    (top / ".git" / "info" / "attributes").write_text("* filter=evil\n")
    (top / ".git" / "info" / "sparse-checkout").write_text("/nothing\n")
    (top / "a.txt").unlink()


def git_directory_gone(top: Path) -> None:
    shutil.rmtree(top / ".git")


def git_directory_a_file(top: Path) -> None:
    shutil.rmtree(top / ".git")
    (top / ".git").write_text("gitdir: /nowhere\n")


def git_directory_a_link(top: Path) -> None:
    shutil.move(top / ".git", top.parent / "stolen")
    (top / ".git").symlink_to(top.parent / "stolen")


TAMPERINGS = [
    modified, appended, same_size_and_mtime, deleted, everything_deleted, executable, not_executable, unreadable,
    directories_closed, untracked_in_closed_directories, file_to_directory, directory_to_file, directory_to_symlink,
    directory_to_symlink_leading_out, file_to_symlink, symlink_retargeted, symlink_to_file, file_to_pipe,
    socket_beside, untracked, ignored, empty_directory, nested_repository, repository_in_a_tracked_directory,
    hard_linked, assume_unchanged, skip_worktree, staged_and_committed, git_directory_turned_against_the_next_job,
    git_directory_gone, git_directory_a_file, git_directory_a_link,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_a_tampered_checkout_is_like_a_fresh_one_again(bench: Bench, tamper: Callable[[Path], None]) -> None:
    tamper(bench.top)

    found = bench.reset()

    assert found == bench.fresh()
    assert bench.git("status", "--porcelain", "--ignored") == ""
    assert not (bench.top / "src" / ".git").exists()
    assert not (bench.top.parent / "hook-ran").exists()


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_another_tree_after_a_tampering_is_checked_out_whole(bench: Bench, tamper: Callable[[Path], None]) -> None:
    shutil.rmtree(bench.repo.path / "src")
    bench.repo.commit({"src": "a file\n", "other/new.txt": "new\n", "new.txt": "new\n"})
    tamper(bench.top)

    found = bench.reset()

    assert found == bench.fresh()
    assert bench.git("status", "--porcelain", "--ignored") == ""


def test_a_workspace_turned_into_a_link_leaves_its_target_alone(bench: Bench) -> None:
    before = sorted(bench.repo.path.rglob("*"))
    (bench.repo.path / "precious").write_text("untracked\n")
    top = bench.top
    bench.release()
    shutil.rmtree(top)
    top.symlink_to(bench.repo.path)

    found = bench.reset()

    assert found == bench.fresh()
    assert sorted(bench.repo.path.rglob("*")) == sorted([*before, bench.repo.path / "precious"])


def test_what_a_link_leads_to_is_not_emptied(bench: Bench) -> None:
    directory_to_symlink_leading_out(bench.top)

    bench.reset()

    assert (bench.top.parent.parent / "outside" / "d.txt").read_text() == "d\n"


def test_a_damaged_private_index_is_made_anew(bench: Bench) -> None:
    (bench.private / "index").write_bytes(b"DIRC nonsense")
    modified(bench.top)

    found = bench.reset()

    assert found == bench.fresh()


def test_a_checkout_that_was_killed_half_way_is_completed(bench: Bench) -> None:
    (bench.private / "index.lock").write_bytes(b"")
    (bench.private / "index").rename(bench.private.with_name("git.index"))
    shutil.rmtree(bench.top / "src")
    (bench.top / "half").write_text("x")

    found = bench.reset()

    assert found == bench.fresh()


def test_a_job_that_empties_everything_of_hookcis_only_costs_time(bench: Bench) -> None:
    bench.release()
    shutil.rmtree(bench.place)

    found = bench.reset()

    assert found == bench.fresh()
