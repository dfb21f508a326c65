from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from workspaces import KINDS, Bench, opened

from hookci.errors import WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Repo

UPPER = {"filter.upper.smudge": "tr a-z A-Z", "filter.upper.clean": "tr A-Z a-z"}


@pytest.fixture(params=KINDS)
def bench(repo: Repo, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with opened(repo, tmp_path / "place", request.param) as bench:
        yield bench


ODD_NAMES = [
    b"with space", b"new\nline", b"tab\there", b"caf\xc3\xa9", b"latin\xe9", b'quo"te', b"back\\slash", b"-dash",
    b":colon", b"*", b"$HOME", b"dir\n\xff/inner \xe9", b" leading", b"trailing ", b"#hash",
]  # fmt: skip


def test_odd_names_are_checked_out(bench: Bench) -> None:
    names = [os.fsdecode(name) for name in ODD_NAMES]
    bench.repo.commit(dict.fromkeys(names, "x"))

    first = bench.reset()
    (bench.top / "new\nline").write_text("tampered")
    (bench.top / os.fsdecode(b"untracked\n\xff")).write_text("left")
    second = bench.reset()

    assert first == second == bench.fresh()
    assert set(names) < first.keys()


def test_links_and_executable_bits_are_checked_out(bench: Bench) -> None:
    bench.repo.write_files({"run": "#!/bin/sh\n", "plain": "x", "dir/inner": "x"})
    (bench.repo.path / "run").chmod(0o755)
    for name, target in {"dangling": "nowhere", "to-dir": "dir", "absolute": "/etc/hostname", "up": "../../.."}.items():
        (bench.repo.path / name).symlink_to(target)
    bench.repo.commit()

    found = bench.reset()

    assert found == bench.fresh()
    assert found["run"].startswith("-rwxr-xr-x")
    assert found["plain"].startswith("-rw-r--r--")
    assert (found["dangling"], found["to-dir"], found["absolute"], found["up"]) == (
        "-> nowhere", "-> dir", "-> /etc/hostname", "-> ../../..",
    )  # fmt: skip


def test_an_empty_tree_is_an_empty_directory(bench: Bench) -> None:
    bench.repo.commit({"a.txt": "x"})
    bench.reset()
    bench.repo.git("rm", "-q", "a.txt")
    bench.repo.commit()

    assert bench.reset() == {}


def test_line_ends_are_those_that_the_trees_own_attributes_ask_for(bench: Bench) -> None:
    bench.repo.commit({".gitattributes": "*.bat eol=crlf\n*.txt text\n", "run.bat": "a\nb\n", "a.txt": "a\n"})
    (bench.repo.path / ".gitattributes").write_text("*.bat eol=lf\n")

    found = bench.reset()

    assert found == bench.fresh()
    assert found["run.bat"].endswith(r"b'a\r\nb\r\n'")


@pytest.mark.parametrize("name", [".gitattributes", "sub/.gitattributes"])
def test_a_change_of_attributes_alone_changes_the_files_they_are_about(bench: Bench, name: str) -> None:
    bench.repo.commit({"sub/run.bat": "a\n"})
    bench.reset()
    bench.repo.commit({name: "*.bat eol=crlf\n"})
    crlf = bench.reset()
    bench.repo.git("rm", "-q", name)
    bench.repo.commit()
    lf = bench.reset()

    assert crlf["sub/run.bat"].endswith(r"b'a\r\n'")
    assert lf["sub/run.bat"].endswith(r"b'a\n'")


def set_locally(bench: Bench) -> None:
    bench.repo.git("config", "core.autocrlf", "true")


def set_by_the_user(bench: Bench) -> None:
    bench.repo.git("config", "--global", "core.autocrlf", "true")


def set_in_info_attributes(bench: Bench) -> None:
    (bench.repo.path / ".git" / "info" / "attributes").write_text("*.txt eol=crlf\n")


def set_in_the_users_attributes(bench: Bench) -> None:
    place = bench.repo.path / "attributes"
    place.write_text("*.txt eol=crlf\n")
    bench.repo.git("config", "--global", "core.attributesFile", str(place))


def set_in_a_file_of_local_attributes(bench: Bench) -> None:
    place = bench.repo.path / "attributes"
    place.write_text("*.txt eol=crlf\n")
    bench.repo.git("config", "core.attributesFile", str(place))


SETTINGS = [set_locally, set_by_the_user, set_in_info_attributes, set_in_the_users_attributes]


@pytest.mark.parametrize("change", [*SETTINGS, set_in_a_file_of_local_attributes], ids=lambda change: change.__name__)
def test_a_change_of_the_users_settings_changes_what_is_there_already(
    bench: Bench, change: Callable[[Bench], None]
) -> None:
    bench.repo.commit({"a.txt": "a\n"})
    before = bench.reset()
    change(bench)

    after = bench.reset()

    assert before["a.txt"].endswith(r"b'a\n'")
    assert after["a.txt"].endswith(r"b'a\r\n'")
    assert bench.git("status", "--porcelain") == ""


def test_filters_of_the_repository_are_applied(bench: Bench) -> None:
    bench.settings = UPPER
    for key, value in UPPER.items():
        bench.repo.git("config", key, value)
    bench.repo.commit({".gitattributes": "*.up filter=upper\n", "a.up": "loud\n", "a.txt": "quiet\n"})

    first = bench.reset()
    (bench.top / "a.up").write_text("tampered")
    second = bench.reset()

    assert first == second == bench.fresh()
    assert first["a.up"].endswith(r"b'LOUD\n'")
    assert bench.git("status", "--porcelain") == ""


def test_a_filter_that_fails_is_an_inability_and_no_half_checkout(bench: Bench) -> None:
    bench.repo.commit({".gitattributes": "*.up filter=upper\n", "a.up": "loud\n"})
    bench.repo.git("config", "filter.upper.smudge", "exit 1")
    bench.repo.git("config", "filter.upper.required", "true")

    with pytest.raises(WorkspaceError, match=r"no clean checkout of [0-9a-f]{12} could be made"):
        bench.reset()


def test_what_an_archive_would_leave_out_is_there(bench: Bench) -> None:
    attributes = "secret export-ignore\nver export-subst\n"
    bench.repo.commit({".gitattributes": attributes, "secret": "s", "ver": "$Format:%H$"})

    found = bench.reset()

    assert found == bench.fresh()
    assert {"secret", "ver"} <= found.keys()
    assert found["ver"].endswith("b'$Format:%H$'")


@pytest.mark.parametrize("options", [[], ["--sparse-index"], ["--no-cone"]])
def test_a_sparse_checkout_of_the_users_does_not_make_the_workspace_sparse(bench: Bench, options: list[str]) -> None:
    bench.repo.commit({"in/a.txt": "a", "out/b.txt": "b", "top.txt": "t"})
    bench.repo.git("sparse-checkout", "set", *options, "in")
    assert not (bench.repo.path / "out").exists()

    assert {"in/a.txt", "out/b.txt", "top.txt"} <= bench.reset().keys()


USER_SETTINGS = {
    "core.trustctime": "false",
    "core.checkStat": "minimal",
    "core.fsmonitor": "true",
    "core.untrackedCache": "true",
    "core.splitIndex": "true",
    "core.hooksPath": "my-hooks",
    "submodule.recurse": "true",
    "feature.manyFiles": "true",
    "core.sparseCheckout": "true",
    "core.preloadIndex": "true",
    "log.showSignature": "true",
    "i18n.logOutputEncoding": "UTF-16",
    "core.quotePath": "true",
    "color.ui": "always",
    "diff.renames": "copies",
    "status.showUntrackedFiles": "no",
    "checkout.workers": "8",
    "core.bare": "false",
    "gc.auto": "1",
}


@pytest.mark.parametrize("scope", ["--local", "--global"])
def test_settings_that_are_about_speed_or_looks_make_no_difference(bench: Bench, scope: str) -> None:
    bench.repo.commit({"a.txt": "aaaa\n", "src/b.txt": "b\n"})
    expected = bench.fresh()
    hooks = bench.repo.path / "my-hooks"
    hooks.mkdir()
    for name in ("post-checkout", "post-index-change", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch '{bench.place}/hook-ran'\n")
        (hooks / name).chmod(0o755)
    for key, value in USER_SETTINGS.items():
        bench.repo.git("config", scope, key, value if key != "core.hooksPath" else str(hooks))

    bench.reset()
    path = bench.top / "a.txt"
    info = path.stat()
    path.write_text("bbbb\n")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
    found = bench.reset()

    assert found == expected
    assert not (bench.place / "hook-ran").exists()


def test_large_files_come_from_the_users_clone(bench: Bench) -> None:
    if shutil.which("git-lfs") is None:
        pytest.skip("git-lfs is not installed")
    bench.repo.git("lfs", "install", "--local", "--skip-repo")
    bench.repo.commit({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "a.bin": "large\n"})
    assert bench.repo.out("cat-file", "blob", "HEAD:a.bin").startswith("version https://git-lfs")

    first = bench.reset()
    (bench.top / "a.bin").unlink()
    second = bench.reset()

    assert first == second
    assert first["a.bin"].endswith(r"b'large\n'")
    assert bench.git("status", "--porcelain") == ""


def test_a_large_file_that_is_not_there_is_named_with_the_way_out(bench: Bench) -> None:
    if shutil.which("git-lfs") is None:
        pytest.skip("git-lfs is not installed")
    bench.repo.git("lfs", "install", "--local", "--skip-repo")
    bench.repo.commit({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "a.bin": "large\n"})
    shutil.rmtree(bench.repo.path / ".git" / "lfs")

    with pytest.raises(WorkspaceError) as caught:
        bench.reset()

    assert caught.value.hint == "a large file may be missing here: try `git lfs fetch --all`"
