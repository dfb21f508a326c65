"""Archives from containers: what they hold is placed inside or not at all, and costs no more than is allowed."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from archive_samples import END, directory, file, hard, link, make, picture, special, tar, unpacked
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookci.engine.archives import Limits
from hookci.engine.members import ArchiveError

if TYPE_CHECKING:
    from pathlib import Path

PRECIOUS = b"mine"


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """A directory to unpack into, with something precious beside it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_bytes(PRECIOUS)
    (tmp_path / "into").mkdir()
    return tmp_path / "into"


def outside_of(into: Path) -> dict[str, tuple[int, bytes | str | None]]:
    return picture(into.parent / "outside")


# -- what is placed


def test_files_directories_and_links_are_placed_with_their_modes_and_times(into: Path) -> None:
    archive = tar(
        directory("a"),
        directory("a/read-only", 0o555),
        file("a/run", b"#!/bin/sh\n", 0o755, mtime=981173106),
        file("a/read-only/f", b"x", 0o444),
        link("a/link", "run"),
        link("up", "a/../a/run"),
        link("a/read-only/up", "../../a/run"),
    )

    found = unpacked(archive, into)

    assert (into / "a/run").stat().st_mtime == 981173106
    assert {name: oct(stat.S_IMODE(mode)) for name, (mode, _) in picture(into).items() if "link" not in name} == {
        "a": "0o755",
        "a/run": "0o755",
        "a/read-only": "0o555",
        "a/read-only/f": "0o444",
        "a/read-only/up": "0o777",
    }
    assert str((into / "a/link").readlink()) == "run"
    assert (into / "a/read-only/up").read_bytes() == b"#!/bin/sh\n"
    assert list(found.placed) == ["a", "a/read-only", "a/run", "a/read-only/f", "a/link", "a/read-only/up"]
    assert found.left_out == ["'up' is a link that leads outside, to 'a/../a/run'"]


def test_names_may_be_long_and_hold_anything(into: Path) -> None:
    names = ["ü/ß", "with blank/and\nnewline", "-rf", "caf\udce9", "x" * 255, "/".join(["deep" * 20] * 30), "[a]*?"]

    found = unpacked(tar(*(file(name, name.encode(errors="surrogateescape")) for name in names)), into)

    assert list(found.placed) == names
    assert all((into / name).read_bytes() == os.fsencode(name) for name in names)


def test_names_that_no_file_can_have_are_left_out_and_the_rest_is_placed(into: Path) -> None:
    names = ["x" * 256, "/".join(["y" * 200] * 30), "/".join("z" * 300)]
    nul = make("plain", tarfile.REGTYPE, pax={"path": "with\0nul"})

    found = unpacked(tar(*map(file, names), nul, file("good", b"x")), into)

    assert list(picture(into)) == ["good"]
    assert len(found.left_out) == 4


def test_what_nobody_asked_for_is_not_placed_and_does_not_count(into: Path) -> None:
    archive = tar(file("big", bytes(5000)), file("wanted", b"x"))

    found = unpacked(archive, into, placed_at={"wanted": "other/name"}.get, limits=Limits(size=10, members=1))

    assert list(picture(into)) == ["other", "other/name"]
    assert list(found.placed) == ["other/name"]


def test_a_file_that_is_the_same_already_stays_and_one_that_differs_is_replaced(into: Path) -> None:
    kinds = {"same": b"same", "content": b"othr", "size": b"longer", "mode": b"mode", "time": b"time"}
    for name in kinds:
        (into / name).write_bytes(name[:4].encode())
        (into / name).chmod(0o600 if name == "mode" else 0o644)
        os.utime(into / name, (100.5, 99.5 if name == "time" else 100.5))
    before = {name: (into / name).stat() for name in kinds}

    unpacked(tar(*(file(name, content, mtime=100) for name, content in kinds.items())), into)

    after = {name: (into / name).stat() for name in kinds}
    stayed = [name for name in kinds if after[name].st_ino == before[name].st_ino]
    assert stayed == ["same"]
    assert after["same"].st_ctime_ns == before["same"].st_ctime_ns
    assert {name: (into / name).read_bytes() for name in kinds} == kinds


def test_of_two_members_with_one_name_the_later_one_counts_whatever_they_are(into: Path) -> None:
    members = [
        file("a", b"1"), link("a", "b"), directory("a"), file("a/inner"), file("a", b"2"),
        file("b/x", b"3"), file("b", b"4"), link("b", "a"),
    ]  # fmt: skip

    found = unpacked(tar(*members), into)

    assert picture(into)["a"][1] == b"2"
    assert str((into / "b").readlink()) == "a"
    assert set(picture(into)) == {"a", "b"}
    assert found.left_out == []


# -- what is not


@pytest.mark.parametrize("name", ["../outside/new", "/etc/hookci-test", "a/../../outside/new", "a/..", "..", "./../x"])
def test_a_name_that_leads_outside_is_left_out(into: Path, name: str) -> None:
    before = outside_of(into)

    found = unpacked(tar(file(name, b"x"), file("good")), into)

    assert list(picture(into)) == ["good"]
    assert outside_of(into) == before
    assert found.left_out == [f"{name!r} leads outside, or its name is too long"]


@pytest.mark.parametrize("place", ["../outside/new", "/etc/hookci-test", "a/../../x", ""])
def test_no_member_is_placed_outside_wherever_it_is_said_to_go(into: Path, place: str) -> None:
    before = picture(into.parent)

    unpacked(tar(file("a", b"x")), into, placed_at=lambda _name: place)

    assert picture(into.parent) == before


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "..", "../outside", "a/../../outside", "b/..", "", "x" * 5000, "./../outside", "nul\0"],
)
def test_a_link_that_leads_outside_is_left_out(into: Path, target: str) -> None:
    found = unpacked(tar(make("a", tarfile.SYMTYPE, pax={"linkpath": target}), file("good")), into)

    assert list(picture(into)) == ["good"]
    assert len(found.left_out) == 1


def test_a_link_that_leads_outside_by_another_one_is_left_out_whichever_comes_first(into: Path) -> None:
    (into / "tracked").symlink_to("/etc")  # the snapshot's own
    archive = tar(link("first", "tracked/passwd"), link("second", "first"), link("loop", "loop"), file("good"))

    found = unpacked(archive, into)

    assert set(picture(into)) == {"tracked", "good"}
    assert len(found.left_out) == 3


def test_nothing_is_written_through_a_link_of_the_archive(into: Path) -> None:
    """CVE-2007-4559 by a link, and its many kin: each directory on the way is looked at."""
    before = outside_of(into)
    (into / "inner").mkdir()

    unpacked(tar(link("way", "inner"), file("way/f", b"x"), link("d", "."), file("d/../outside/f"), file("d/f")), into)

    assert outside_of(into) == before
    assert (into / "way").is_dir()
    assert not (into / "way").is_symlink()
    assert list((into / "inner").iterdir()) == []


@pytest.mark.parametrize("planted", ["../outside", "/etc", "."])
def test_nothing_is_written_through_a_link_that_was_there_before(into: Path, planted: str) -> None:
    before = outside_of(into)
    (into / "out").symlink_to(planted)
    (into / "file").symlink_to(into.parent / "outside" / "precious")

    unpacked(tar(file("out/precious", b"theirs"), directory("out/d"), file("file", b"theirs")), into)

    assert outside_of(into) == before
    assert picture(into)["out/precious"][1] == b"theirs"
    assert picture(into)["file"][1] == b"theirs"


def test_the_long_chain_of_links_of_cve_2025_4517_leads_nowhere(into: Path) -> None:
    """The published sample: directories with names so long that ``realpath`` gives up behind a chain of links."""
    before = picture(into.parent / "outside")
    name = "d" * 247
    members, path = [], ""
    for step in "abcdefghijklmnop":
        members += [directory(f"{path}{name}"), link(f"{path}{step}", name)]
        path += f"{name}/"
    chain = "/".join("abcdefghijklmnop")
    members += [
        link(f"{chain}/{'l' * 254}", "../" * 16),
        link("escape", f"{chain}/{'l' * 254}/../../outside"),
        hard("flaglink", "escape/precious"),
        file("flaglink", b"theirs"),
        file("escape/precious", b"theirs"),
    ]

    unpacked(tar(*members), into)

    assert picture(into.parent / "outside") == before
    assert not any(path.is_symlink() and not _is_inside(path, into) for path in into.rglob("*"))


def test_links_that_are_safe_one_by_one_do_not_lead_outside_together(into: Path) -> None:
    """What is checked when it is placed is another thing once a link takes the place of a directory on its way."""
    unpacked(tar(directory("d"), file("d/x"), link("a", "d/x")), into)

    unpacked(tar(link("c/y", "../d/../outside/precious"), link("d", ".")), into)

    assert not (into / "c" / "y").is_symlink()
    assert all(_is_inside(path, into) for path in into.rglob("*") if path.is_symlink())


def test_a_hard_link_is_a_copy_of_what_the_archive_itself_has_placed(into: Path) -> None:
    secret = into.parent / "outside" / "precious"
    (into / "planted").symlink_to(secret)
    (into / "there").write_text("before")
    archive = tar(
        file("a", b"content", 0o755), hard("b", "a", 0o755), hard("c", str(secret)), hard("d", "../outside/precious"),
        hard("e", "planted"), hard("f", "there"), hard("a", "a", 0o755), file("g"), link("g", "a"), hard("h", "g"),
    )  # fmt: skip

    found = unpacked(archive, into)

    assert picture(into)["b"] == picture(into)["a"]
    assert (into / "a").stat().st_ino != (into / "b").stat().st_ino
    assert [line.split()[0] for line in found.left_out] == ["'c'", "'d'", "'e'", "'f'", "'h'"]
    assert secret.stat().st_nlink == 1


def test_devices_and_pipes_are_left_out_and_rights_are_not_lent(into: Path) -> None:
    kinds = [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
    archive = tar(
        *(special(f"s{kind[0]}", kind) for kind in kinds), file("setuid", b"x", 0o6755), directory("d", 0o7000)
    )

    found = unpacked(archive, into)

    assert {name: oct(stat.S_IMODE(mode)) for name, (mode, _) in picture(into).items()} == {
        "setuid": "0o755",
        "d": "0o500",
    }
    assert len(found.left_out) == 3


def test_a_pipe_that_stands_in_the_way_is_replaced_and_not_waited_for(into: Path) -> None:
    os.mkfifo(into / "f")

    unpacked(tar(file("f", b"x")), into)

    assert (into / "f").read_bytes() == b"x"


# -- how much


def test_more_bytes_than_allowed_are_refused_by_what_the_header_says(into: Path) -> None:
    with pytest.raises(ArchiveError, match="more than 100 bytes"):
        unpacked(make("huge", tarfile.REGTYPE, size=2**60), into, limits=Limits(size=100))

    assert picture(into) == {}


def test_more_members_than_allowed_are_refused(into: Path) -> None:
    with pytest.raises(ArchiveError, match="more than 20 files"):
        unpacked(tar(*(file(str(number)) for number in range(21))), into, limits=Limits(members=20))

    assert len(picture(into)) == 20


def test_copies_of_one_file_by_hard_links_count_each(into: Path) -> None:
    bomb = tar(file("a", bytes(1000)), *(hard(f"h{number}", "a") for number in range(100)))

    with pytest.raises(ArchiveError, match=r"more than 5,000 bytes"):
        unpacked(bomb, into, limits=Limits(size=5000))

    assert sum(path.stat().st_size for path in into.iterdir()) <= 5000


def test_a_sparse_file_counts_as_large_as_it_will_be(into: Path) -> None:
    header = bytearray(tarfile.TarInfo("sparse").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"77777777777\0"  # its real size: 8 GiB
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)

    with pytest.raises(ArchiveError, match="more than 1,000 bytes"):
        unpacked(tar(bytes(header)), into, limits=Limits(size=1000))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_takes_no_more_memory_than_headers_need(into: Path, kind: bytes) -> None:
    def endless() -> object:
        yield make("x", kind, size=2**34)
        for _ in range(2**14):
            yield bytes(2**20)

    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match="a header of more than"):
            unpacked(endless(), into)  # type: ignore[arg-type]  # a generator of bytes
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 16 * 2**20


def test_endless_headers_of_one_member_are_refused(into: Path) -> None:
    name = make("x", tarfile.GNUTYPE_LONGNAME, b"a\0")

    with pytest.raises(ArchiveError, match="broken archive"):
        unpacked(tar(*[name] * 5000), into)


def test_many_members_take_no_memory_each(into: Path) -> None:
    def many() -> object:
        member = file("not wanted")
        for _ in range(5000):
            yield member
        yield END

    tracemalloc.start()
    try:
        unpacked(many(), into, placed_at=lambda _name: None)  # type: ignore[arg-type]  # a generator of bytes
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2**20


# -- what is broken


WHOLE = tar(directory("d"), file("d/a", b"a" * 3000), file("d/" + "long" * 50, b"b"), link("l", "d/a"))


@pytest.mark.parametrize("length", [0, 1, 511, 512, 513, 1024, 2000, 4608, 6000, len(WHOLE) - 1024, len(WHOLE) - 1000])
def test_an_archive_that_breaks_off_is_an_error_wherever_it_does(into: Path, length: int) -> None:
    with pytest.raises(ArchiveError, match="broken archive"):
        unpacked(WHOLE[:length], into)


def test_a_file_whose_content_breaks_off_does_not_take_the_place_of_another(into: Path) -> None:
    (into / "a").write_bytes(b"before")

    with pytest.raises(ArchiveError, match="broken archive"):
        unpacked(file("a", bytes(5000))[:3000], into)

    assert picture(into)["a"][1] == b"before"
    assert set(picture(into)) == {"a"}


@pytest.mark.parametrize(
    "member",
    [
        make("a", tarfile.REGTYPE, size=-512),  # CVE-2025-8194
        make("a", tarfile.REGTYPE, size=-(2**40)),
        make("a", tarfile.REGTYPE, pax={"size": "-1024"}),
        make("a", tarfile.REGTYPE, pax={"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}),
        make("a", tarfile.REGTYPE, pax={"GNU.sparse.map": "5,1,0,1"}),
        b"x" * 512,
    ],
)
def test_headers_that_make_no_sense_are_an_error_and_no_loop(into: Path, member: bytes) -> None:
    with pytest.raises(ArchiveError):
        unpacked(file("first", b"1") + member + file("last") + b"y" * 512, into)


@pytest.mark.parametrize("mtime", ["nan", "inf", "-inf", "1e300", "-1"])
def test_a_time_that_is_none_does_no_harm(into: Path, mtime: str) -> None:
    unpacked(tar(make("a", tarfile.REGTYPE, b"x", pax={"mtime": mtime}), make("d", tarfile.DIRTYPE)), into)

    assert (into / "a").read_bytes() == b"x"


def test_what_goes_wrong_with_the_stream_is_raised_as_it_is(into: Path) -> None:
    class GoneError(OSError):
        pass

    def breaking() -> object:
        yield WHOLE[:3000]
        raise GoneError

    with pytest.raises(GoneError):
        unpacked(breaking(), into)  # type: ignore[arg-type]  # a generator of bytes


def test_that_there_is_no_place_here_is_said_and_is_no_fault_of_the_engines(into: Path) -> None:
    with pytest.raises(ArchiveError, match=r"has no place here: No such file or directory: .*missing"):
        unpacked(tar(file("a")), into / "missing" / "deeper")


# -- whatever comes

NAMES = st.lists(st.sampled_from(["a", "b", "..", ".", "", "x" * 260, "é"]), min_size=1, max_size=4).map("/".join)
TARGETS = st.one_of(NAMES, NAMES.map(lambda name: f"/{name}"), st.just("../outside/precious"))
MEMBERS = st.one_of(
    st.builds(file, NAMES, st.binary(max_size=20), st.integers(0, 0o7777)),
    st.builds(directory, NAMES, st.integers(0, 0o7777)),
    st.builds(link, NAMES, TARGETS),
    st.builds(hard, NAMES, TARGETS),
    st.builds(special, NAMES),
)


def _is_inside(path: Path, into: Path) -> bool:
    """Whether the system itself goes nowhere else by a path."""
    try:
        return path.resolve(strict=True).is_relative_to(into.resolve())
    except (OSError, RuntimeError):
        return True  # it leads nowhere at all


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.lists(MEMBERS, max_size=8),
    second=st.lists(MEMBERS, max_size=8),
    noise=st.one_of(st.none(), st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=8))),
)
def test_any_archive_leaves_the_outside_as_it_was_and_all_that_is_placed_is_inside(
    tmp_path_factory: pytest.TempPathFactory, first: list[bytes], second: list[bytes], noise: tuple[int, bytes] | None
) -> None:
    top = tmp_path_factory.mktemp("any")
    into = top / "into"
    (top / "outside").mkdir()
    (top / "outside" / "precious").write_bytes(PRECIOUS)
    into.mkdir()
    before = picture(top / "outside")

    for members in (first, second):
        data = bytearray(tar(*members))
        if noise and members is second:
            data[noise[0] : noise[0] + len(noise[1])] = noise[1]
        with suppress(ArchiveError):
            unpacked(bytes(data), into)

    assert picture(top / "outside") == before
    assert {path.name for path in top.iterdir()} == {"into", "outside"}
    assert all(_is_inside(path, into) for path in into.rglob("*") if path.is_symlink())


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=3000))
def test_bytes_that_are_no_archive_are_an_error_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    into = tmp_path_factory.mktemp("any")

    try:
        unpacked(data, into)
    except ArchiveError:
        pass
    else:
        assert io.BytesIO(data).read(512) == bytes(512)
