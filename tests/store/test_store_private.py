from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from hookci.errors import StateError
from hookci.store.private import is_private_file, private_directory, private_file, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
STRANGER = 12345


@pytest.fixture
def git_dir(tmp_path: Path) -> Path:
    path = tmp_path / ".git"
    path.mkdir()
    return path


@pytest.fixture
def home(git_dir: Path) -> Path:
    return private_directory(git_dir / "hookci")


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_text("precious")
    return path


@pytest.fixture
def _umask_zero() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.usefixtures("_umask_zero")
def test_a_private_directory_is_made_with_every_missing_component_for_its_owner_alone(git_dir: Path) -> None:
    path = private_directory(git_dir / "hookci" / "logs" / "7", within=git_dir)

    assert path.is_dir()
    assert {mode_of(path), mode_of(path.parent), mode_of(path.parent.parent)} == {0o700}


def test_a_readable_directory_of_ours_is_tightened(git_dir: Path) -> None:
    (git_dir / "hookci").mkdir()
    (git_dir / "hookci").chmod(0o755)

    path = private_directory(git_dir / "hookci")

    assert mode_of(path) == 0o700


def test_the_trusted_directory_may_be_reached_through_a_symlink(git_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(git_dir)

    private_directory(tmp_path / "link" / "hookci")

    assert mode_of(git_dir / "hookci") == 0o700


def test_a_symlinked_directory_is_refused_and_its_target_left_alone(git_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    path = git_dir / "hookci"
    path.symlink_to(tmp_path / "elsewhere")
    before = mode_of(tmp_path / "elsewhere")

    with pytest.raises(StateError) as caught:
        private_directory(path)

    assert caught.value.message == f"{path} is a symlink"
    assert caught.value.hint == f"if you do not need it, remove it: rm {path}"
    assert mode_of(tmp_path / "elsewhere") == before


def test_a_symlinked_component_in_the_middle_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (home / "logs").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StateError, match="logs is a symlink"):
        private_directory(home / "logs" / "1", within=home)

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_in_the_place_of_a_directory_is_refused(git_dir: Path) -> None:
    (git_dir / "hookci").write_text("")

    with pytest.raises(StateError, match="hookci is not a directory"):
        private_directory(git_dir / "hookci")


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_directory_others_can_write_is_refused_and_not_changed(git_dir: Path, mode: int) -> None:
    path = git_dir / "hookci"
    path.mkdir()
    path.chmod(mode)

    with pytest.raises(StateError) as caught:
        private_directory(path)

    assert caught.value.message == f"{path} can be written by other users (mode {mode:04o})"
    assert caught.value.hint == f"look at what is in it, then: chmod 700 {path}"
    assert mode_of(path) == mode


@needs_root
def test_a_foreign_directory_is_refused(git_dir: Path) -> None:
    path = git_dir / "hookci"
    path.mkdir(0o700)
    os.chown(path, STRANGER, -1)

    with pytest.raises(StateError) as caught:
        private_directory(path)

    assert caught.value.message == f"{path} belongs to another user (uid 12345)"
    assert caught.value.hint == "run git as its owner, or remove it if it should be yours"


def test_a_missing_git_directory_is_an_error_and_not_created(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no such file or directory"):
        private_directory(tmp_path / "nowhere" / "hookci")

    assert not (tmp_path / "nowhere").exists()


@pytest.mark.usefixtures("_umask_zero")
def test_a_private_file_is_for_its_owner_alone_whatever_the_umask(home: Path) -> None:
    os.umask(0o277)

    os.close(private_file(home / "file", os.O_WRONLY | os.O_CREAT))

    assert mode_of(home / "file") == 0o600


def test_a_private_file_is_not_inherited_by_children(home: Path) -> None:
    descriptor = private_file(home / "file", os.O_WRONLY | os.O_CREAT)

    inheritable = os.get_inheritable(descriptor)
    os.close(descriptor)

    assert not inheritable


def test_a_readable_file_of_ours_is_tightened_and_emptied_when_asked(home: Path) -> None:
    (home / "file").write_text("old")
    (home / "file").chmod(0o666)

    os.close(private_file(home / "file", os.O_WRONLY | os.O_TRUNC))

    assert mode_of(home / "file") == 0o600
    assert (home / "file").read_text() == ""


def test_a_symlinked_file_is_refused_and_its_target_neither_emptied_nor_changed(home: Path, victim: Path) -> None:
    (home / "file").symlink_to(victim)
    before = mode_of(victim)

    with pytest.raises(StateError, match="file is a symlink"):
        private_file(home / "file", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    assert victim.read_text() == "precious"
    assert mode_of(victim) == before


def test_a_hard_link_is_refused_and_its_target_neither_emptied_nor_changed(home: Path, victim: Path) -> None:
    (home / "file").hardlink_to(victim)
    before = mode_of(victim)

    with pytest.raises(StateError, match=r"file is known under a second name \(a hard link\)"):
        private_file(home / "file", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    assert victim.read_text() == "precious"
    assert mode_of(victim) == before


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR])
def test_a_named_pipe_is_refused_without_waiting_for_its_other_end(home: Path, flags: int) -> None:
    os.mkfifo(home / "file")

    with pytest.raises(StateError, match="file is not a regular file"):
        private_file(home / "file", flags)


@needs_root
def test_a_foreign_file_is_refused(home: Path) -> None:
    (home / "file").write_text("theirs")
    os.chown(home / "file", STRANGER, -1)

    with pytest.raises(StateError, match=r"belongs to another user \(uid 12345\)"):
        private_file(home / "file", os.O_WRONLY | os.O_TRUNC)

    assert (home / "file").read_text() == "theirs"


def test_a_file_in_a_directory_others_can_write_is_refused(home: Path) -> None:
    home.chmod(0o777)

    with pytest.raises(StateError, match="can be written by other users"):
        private_file(home / "file", os.O_WRONLY | os.O_CREAT)

    assert not (home / "file").exists()


def test_refused_files_leave_no_descriptor_open(home: Path, victim: Path) -> None:
    (home / "file").hardlink_to(victim)
    free_before = os.dup(0)
    os.close(free_before)

    with pytest.raises(StateError):
        private_file(home / "file", os.O_RDWR)
    free_after = os.dup(0)
    os.close(free_after)

    assert free_after == free_before


def test_a_look_at_a_file_says_whether_it_is_there_and_tightens_it(home: Path) -> None:
    (home / "there").write_text("")
    (home / "there").chmod(0o644)

    found = is_private_file(home / "there"), is_private_file(home / "missing")

    assert found == (True, False)
    assert mode_of(home / "there") == 0o600


def test_a_look_at_a_dangling_symlink_refuses_it(home: Path, tmp_path: Path) -> None:
    (home / "file").symlink_to(tmp_path / "nowhere")

    with pytest.raises(StateError, match="file is a symlink"):
        is_private_file(home / "file")


@pytest.mark.parametrize("durable", [False, True])
def test_an_atomic_write_replaces_the_whole_file_privately(home: Path, durable: bool) -> None:
    (home / "file").write_text("something longer")

    write_atomic(home / "file", b"new", durable=durable)

    assert (home / "file").read_bytes() == b"new"
    assert mode_of(home / "file") == 0o600
    assert [path.name for path in home.iterdir()] == ["file"]


def test_an_atomic_write_replaces_a_symlink_instead_of_following_it(home: Path, victim: Path) -> None:
    (home / "file").symlink_to(victim)

    write_atomic(home / "file", b"new")

    assert victim.read_text() == "precious"
    assert not (home / "file").is_symlink()
    assert (home / "file").read_bytes() == b"new"


def test_a_failed_atomic_write_leaves_nothing_behind(home: Path) -> None:
    (home / "file").mkdir()

    with pytest.raises(StateError, match="file: is a directory"):
        write_atomic(home / "file", b"new")

    assert [path.name for path in home.iterdir()] == ["file"]


def test_readers_of_an_atomic_write_see_old_or_new_bytes_and_nothing_between(home: Path) -> None:
    values = {letter * 100_000 for letter in (b"a", b"b")}
    write_atomic(home / "file", min(values))
    seen: set[bytes] = set()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            seen.add((home / "file").read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(50):
        for value in values:
            write_atomic(home / "file", value)
    over.set()
    reader.join()

    assert seen
    assert seen <= values
