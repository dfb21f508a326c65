"""Files into containers and volumes and out again, on a real engine."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from archive_samples import picture
from images import BUSYBOX

from hookci.engine.calls import EngineError, NotThereError
from hookci.engine.containers import ContainerSpec, Volume, create, run_helper
from hookci.engine.files import (
    get_file,
    get_tree,
    make_volume,
    put_files,
    put_tree,
    remove_volume,
    remove_volume_with_users,
)
from hookci.engine.members import ArchiveError
from hookci.engine.owner import LABEL
from hookci.proc.supervise import Cancel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.engine.calls import Engine
    from hookci.engine.containers import Container

pytestmark = pytest.mark.docker

HOST = f"test-{secrets.token_hex(4)}"
LABELS = {f"{LABEL}host": HOST, f"{LABEL}test": "files"}


@pytest.fixture
def volume(engine: Engine) -> Iterator[str]:
    made = make_volume(engine, LABELS)
    yield made
    remove_volume_with_users(engine, made, HOST)


@pytest.fixture
def container(engine: Engine, volume: str) -> Iterator[Container]:
    """A container with a volume at ``/data``; it does not run, and would list what is there."""
    script = "cd /data; find . | sort | xargs stat -c '%n %a %u'"
    spec = ContainerSpec(
        image=BUSYBOX, labels=LABELS, command=["sh", "-c", script], mounts=[Volume(volume, "/data")], network="none"
    )
    made = create(engine, spec)
    yield made
    made.remove()


def members(place: Path) -> list[tuple[str, Path]]:
    return [(os.path.relpath(path, place), path) for path in sorted(place.rglob("*"))]


def test_a_tree_goes_there_and_comes_back_the_same(container: Container, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    (there / "deep" / "er").mkdir(parents=True)
    (there / "deep" / "run").write_bytes(b"#!/bin/sh\n")
    (there / "deep" / "run").chmod(0o750)
    (there / "deep" / "er" / "large").write_bytes(os.urandom(3_000_001))
    for name in ("caf\udce9", "new\nline", "with blank", "long" * 60, "ü", "-rf"):
        (there / name).write_text("x")
    os.link(there / "ü", there / "linked")
    (there / "link").symlink_to("deep/run")
    back.mkdir()

    put_tree(container, "/data", members(there))
    found = get_tree(container, "/data/.", back, placed_at=lambda name: name)

    assert picture(back) == picture(there)
    assert found.left_out == []
    assert int((back / "deep" / "run").stat().st_mtime) == int((there / "deep" / "run").stat().st_mtime)


def test_what_goes_there_belongs_to_root(engine: Engine, container: Container, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    file.chmod(0o640)
    os.chown(file, 1234 if os.geteuid() == 0 else -1, -1)

    put_tree(container, "/data", [("file", file)])

    ended = container.follow((said := bytearray()).extend, 30, Cancel(), lambda: None)
    assert ended.returncode == 0
    assert "./file 640 0" in said.decode().splitlines()
    assert engine.name


def test_small_files_are_written_and_read(container: Container) -> None:
    put_files(container, "/data", {"a": b"one", "sub/b": bytes(range(256))}, mode=0o600)

    assert get_file(container, "/data/a") == b"one"
    assert get_file(container, "/data/sub/b") == bytes(range(256))
    assert get_file(container, "/data/none") is None
    assert get_file(container, "/data/sub") is None


def test_a_large_file_is_no_small_one_and_is_not_read(container: Container) -> None:
    put_files(container, "/data", {"a": bytes(65_537), "b": bytes(65_536)})

    assert get_file(container, "/data/a") is None
    assert get_file(container, "/data/b") == bytes(65_536)


def test_that_a_path_is_not_there_is_told_from_a_container_that_is_not(container: Container, tmp_path: Path) -> None:
    nothing = get_tree(container, "/data/none", tmp_path, placed_at=lambda name: name)
    container.remove()

    assert (nothing.placed, nothing.left_out) == ({}, [])
    with pytest.raises(NotThereError):
        get_tree(container, "/data/none", tmp_path, placed_at=lambda name: name)
    with pytest.raises(NotThereError):
        get_file(container, "/data/none")


def test_a_file_that_is_gone_meanwhile_is_told_of_and_no_fault_of_the_engines(
    container: Container, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("x")

    with pytest.raises(FileNotFoundError):
        put_tree(container, "/data", [("a", tmp_path / "a"), ("b", tmp_path / "gone")])


def test_a_folder_that_is_not_there_is_an_error(container: Container) -> None:
    with pytest.raises(EngineError, match="could not write into /nosuch"):
        put_files(container, "/nosuch", {"a": b""})


def test_what_has_no_place_here_is_no_fault_of_the_engines(container: Container, tmp_path: Path) -> None:
    put_files(container, "/data", {"a": b"x"})

    with pytest.raises(ArchiveError, match="has no place here"):
        get_tree(container, "/data/a", tmp_path / "nosuch", placed_at=lambda name: name)


def test_the_place_of_a_directory_is_taken_by_a_file_and_the_other_way_round(
    container: Container, tmp_path: Path
) -> None:
    for shapes in (("file", "folder", "link"), ("folder", "link", "file"), ("link", "file", "folder")):
        there, back = tmp_path / "-".join(shapes), tmp_path / "-".join(("back", *shapes))
        there.mkdir()
        back.mkdir()
        for name, shape in zip("abc", shapes, strict=True):
            if shape == "file":
                (there / name).write_text(shape)
            elif shape == "link":
                (there / name).symlink_to("nowhere")
            else:
                (there / name).mkdir()
                (there / name / "inner").write_text(name)

        put_tree(container, "/data", members(there))
        get_tree(container, "/data/.", back, placed_at=lambda name: name)

        assert picture(back) == picture(there)


def test_a_volume_is_removed_with_what_we_left_at_it_and_not_with_the_containers_of_others(
    engine: Engine, volume: str
) -> None:
    ours = ContainerSpec(image=BUSYBOX, labels=LABELS, command=["sleep", "600"], mounts=[Volume(volume, "/data")])
    mine = create(engine, ours)
    with engine.calling("start it") as api:
        api.start(mine.id)
    stranger = create(engine, ContainerSpec(image=BUSYBOX, labels={}, mounts=[Volume(volume, "/data")]))

    with pytest.raises(EngineError, match="in use"):
        remove_volume_with_users(engine, volume, HOST)
    stranger.remove()
    remove_volume_with_users(engine, volume, HOST)
    remove_volume(engine, volume)

    with pytest.raises(NotThereError), engine.calling("look") as api:
        api.inspect_container(mine.id)
    with pytest.raises(NotThereError), engine.calling("look") as api:
        api.inspect_volume(volume)


def test_many_archives_that_are_left_half_way_take_no_connection_each(container: Container, engine: Engine) -> None:
    put_files(container, "/data", {"a": bytes(5_000_000)})
    open_before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(20):
        get_file(container, "/data/a")

    assert len(list(Path("/proc/self/fd").iterdir())) <= open_before + 2
    assert run_helper(engine, ContainerSpec(image=BUSYBOX, labels=LABELS, command=["true"]), Cancel())[0] == 0
