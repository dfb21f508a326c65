"""Reading git's patches, held against git itself."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookci.errors import GitError
from hookci.scan.secrets.patch import CommitHead, FilePatch, UnseenFile, read_patches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPTIONS = ["diff", "--no-index", "-U0", "--text", "--no-color", "--src-prefix=a/", "--dst-prefix=b/"]
LINES = st.lists(
    st.sampled_from(
        [
            *(b"", b"a", b"b\r", b"c", b"-", b"+", b" ", b"\0\xff", b"\\ No newline at end of file"),
            *(b"+++ b/x", b"--- a/x", b"@@ -1 +1 @@", b"diff --git a/x b/x", b"0" * 40),
        ]
    ),
    max_size=12,
)


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def file_patches(data: bytes, size: int = 7) -> list[FilePatch]:
    return [part for part in read_patches(in_pieces(data, size)) if isinstance(part, FilePatch)]


def diff(directory: Path, old: bytes, new: bytes) -> bytes:
    (directory / "old").write_bytes(old)
    (directory / "new").write_bytes(new)
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(directory)}
    return subprocess.run(
        ["git", *OPTIONS, "old", "new"], cwd=directory, env=environment, capture_output=True, check=False
    ).stdout


def lines_of(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, LINES, st.booleans(), st.booleans(), st.integers(1, 200))
def test_what_git_says_is_added_and_removed_turns_the_old_file_into_the_new(
    tmp_path: Path, before: list[bytes], after: list[bytes], old_ends: bool, new_ends: bool, size: int
) -> None:
    old = b"\n".join(before) + (b"\n" if old_ends and before else b"")
    new = b"\n".join(after) + (b"\n" if new_ends and after else b"")

    parts = file_patches(diff(tmp_path, old, new), size)

    removed = {
        number: text for part in parts for number, text in zip(part.removed.numbers, part.removed.texts, strict=True)
    }
    added = {number: text for part in parts for number, text in zip(part.added.numbers, part.added.texts, strict=True)}
    kept = iter([line for number, line in enumerate(lines_of(old), 1) if number not in removed])
    count = len(lines_of(old)) - len(removed) + len(added)
    assert [added[number] if number in added else next(kept) for number in range(1, count + 1)] == lines_of(new)
    assert all(lines_of(old)[number - 1] == text for number, text in removed.items())
    assert len(parts) <= 1


def test_paths_are_read_however_git_writes_them() -> None:
    written = {
        b"+++ b/plain.py": "plain.py",
        b"+++ b/with space\t": "with space",
        b'+++ "b/tab\\there"': "tab\there",
        b'+++ "b/line\\nend \\"q\\" \\\\"': 'line\nend "q" \\',
        b'+++ "b/\\303\\274"': "ü",
        b"+++ b/\xc3\xbc": "ü",
        b"+++ b/\xff": "\udcff",
        b"+++ b/b/x": "b/x",
    }

    paths = [
        file_patches(b"diff --git a/? b/?\n--- /dev/null\n" + line + b"\n@@ -0,0 +1 @@\n+x\n")[0].path
        for line in written
    ]

    assert paths == list(written.values())


def test_a_removed_file_is_called_as_it_was() -> None:
    (part,) = file_patches(b"diff --git a/x b/x\n--- a/x\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n")

    assert (part.path, part.removed.texts, part.added.texts) == ("x", [b"one", b"two"], [])


def test_of_a_merge_only_what_no_parent_has_is_added() -> None:
    data = (
        b"0123456789012345678901234567890123456789\ndiff --cc f\nindex 1,2..3\n--- a/f\n+++ b/f\n"
        b"@@@ -7,1 -7,2 +7,3 @@@ context\n -h\n +H\n+ G\n++new\n@@@ -20,1 -20,1 +22,0 @@@\n--gone\n"
    )

    head, part = read_patches(in_pieces(data, 9))

    assert head == CommitHead("0123456789" * 4)
    assert isinstance(part, FilePatch)
    assert (part.added.numbers, part.added.texts) == ([9], [b"new"])
    assert (part.removed.numbers, part.removed.texts) == ([20], [b"gone"])


def test_a_merge_of_a_binary_file_is_told() -> None:
    binary = b"diff --cc a b.png\nindex 1,2..3\nBinary files differ\n"
    text = b"diff --cc f\n--- a/f\n+++ b/f\n@@@ -0,0 -0,0 +1,1 @@@\n++x\n"

    unseen, part = read_patches([binary, text])

    assert unseen == UnseenFile("a b.png")
    assert isinstance(part, FilePatch)
    assert part.path == "f"


def test_what_only_changes_mode_or_name_adds_no_lines() -> None:
    name = b"diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n"
    mode = b"diff --git a/z b/z\nold mode 100644\nnew mode 100755\n"

    assert file_patches(name + mode) == []


def test_a_long_patch_comes_in_parts_with_the_right_numbers() -> None:
    count = 30_000
    data = b"--- /dev/null\n+++ b/x\n@@ -0,0 +1,%d @@\n" % count + b"".join(b"+line %060d\n" % n for n in range(count))

    parts = file_patches(data, 65_536)

    assert len(parts) > 1
    assert {part.path for part in parts} == {"x"}
    assert [number for part in parts for number in part.added.numbers] == list(range(1, count + 1))


@pytest.mark.parametrize("data", [b"@@ -1,2 +1,2 @@\n-a\n", b"@@@ -1,2 -1,2 +1,2 @@@\n++a\n", b"@@ what\n"])
def test_a_patch_that_ends_too_early_is_an_error(data: bytes) -> None:
    with pytest.raises(GitError):
        list(read_patches([b"--- a/x\n+++ b/x\n" + data]))
