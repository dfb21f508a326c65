"""Git's patches of commits, indexes and trees, whatever a person or a repository has set."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from hookci.errors import GitError
from hookci.git.indexes import index_tree
from hookci.git.patches import patches_of_commits, patches_of_index, patches_of_tree
from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch, of_index
from hookci.scan.secrets.patch import CommitHead, FilePatch, read_patches

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

    from hookci.git.patches import Patches


def opened(repo: Repo) -> tuple[Repository, Scratch]:
    return Repository.discover(repo.path, repo.env), Scratch(repo.path.parent / "scratch")


def added(patches: Patches) -> list[tuple[str, str, bytes]]:
    """Every added line: commit, path, text."""
    found, commit = [], ""
    for part in read_patches(patches.patches()):
        if isinstance(part, CommitHead):
            commit = part.name
        elif isinstance(part, FilePatch):
            found += [(commit, part.path, text) for text in part.added.texts]
    return found


def test_a_push_has_the_patch_of_every_commit_the_oldest_first(repo: Repo) -> None:
    first = repo.commit({"a.txt": "one\n"})
    second = repo.commit({"a.txt": "one\nsecret\n"})
    third = repo.commit({"a.txt": "one\n"})
    patches = patches_of_commits(*opened(repo), third, (), "origin")

    assert added(patches) == [(first, "a.txt", b"one"), (second, "a.txt", b"secret")]
    assert sum(isinstance(part, CommitHead) for part in read_patches(patches.patches())) == 3
    assert patches.content("a.txt") == b"one\n"
    assert patches.content("b.txt") is None


def test_what_the_remote_has_is_not_looked_at_again(repo: Repo) -> None:
    known = repo.commit({"a.txt": "one\n"})
    repo.commit({"b.txt": "two\n"})
    repo.git("push", "-q", "origin", "HEAD:refs/heads/other")
    new = repo.commit({"c.txt": "three\n"})

    assert added(patches_of_commits(*opened(repo), new, (), "origin")) == [(new, "c.txt", b"three")]
    assert len(added(patches_of_commits(*opened(repo), new, (), "elsewhere"))) == 3
    assert len(added(patches_of_commits(*opened(repo), new, (known,), "https://h.net/x.git"))) == 2
    assert added(patches_of_commits(*opened(repo), new, (new,), "origin")) == []


def test_a_name_of_a_remote_is_no_pattern(repo: Repo) -> None:
    repo.commit({"a.txt": "one\n"})
    repo.git("push", "-q", "origin", "HEAD:refs/heads/main")

    assert len(added(patches_of_commits(*opened(repo), "HEAD", (), "o*n"))) == 1


def merge(repo: Repo) -> tuple[str, str]:
    """A merge with lines of its own of two branches that both changed a file; the sides' lines are ``A`` and ``H``."""
    repo.commit({"f": "a\nb\nc\nd\ne\nf\ng\nh\n"})
    repo.git("checkout", "-qb", "side")
    side = repo.commit({"f": "A\nb\nc\nd\ne\nf\ng\nh\n", "side.txt": "of the side\n"})
    repo.git("checkout", "-q", "main")
    repo.commit({"f": "a\nb\nc\nd\ne\nf\ng\nH\n"})
    repo.git("merge", "-q", "--no-commit", side)
    repo.write_files({"f": "A\nb\nc\nd\nof the merge\ne\nf\ng\nH\n"})
    repo.git("add", "-A")
    return side, repo.out("rev-parse", "HEAD")


def test_of_a_merge_only_its_own_lines_are_new_even_when_an_attribute_calls_the_file_binary(repo: Repo) -> None:
    side, main = merge(repo)
    repo.write_files({".gitattributes": "* -diff -text\n"})
    (repo.path / ".git" / "info").mkdir(exist_ok=True)
    merged = repo.commit()

    patches = patches_of_commits(*opened(repo), merged, (side, main), "origin")

    assert [(path, text) for _commit, path, text in added(patches)] == [
        (".gitattributes", b"* -diff -text"),
        ("f", b"of the merge"),
    ]


def test_the_index_of_a_merge_that_is_not_concluded_is_held_against_both_parents(repo: Repo) -> None:
    merge(repo)
    repository, scratch = opened(repo)
    snapshot = of_index(repository, scratch)

    patches = patches_of_index(repository, scratch, snapshot.commit)

    assert added(patches) == [("", "f", b"of the merge")]
    assert patches.content("side.txt") == b"of the side\n"


def test_the_index_before_the_first_commit_is_all_new(repo: Repo) -> None:
    repo.write_files({"a.txt": "one\n"})
    repo.git("add", "-A")
    repository, scratch = opened(repo)
    tree = index_tree(repository, scratch)

    assert added(patches_of_index(repository, scratch, of_index(repository, scratch).commit)) == [("", "a.txt", b"one")]
    assert added(patches_of_tree(repository, scratch, None, tree)) == [("", "a.txt", b"one")]
    assert patches_of_tree(repository, scratch, None, tree).content("a.txt") == b"one\n"


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_tree_is_held_against_a_commit(make_repo: Callable[..., Repo], object_format: str) -> None:
    repo = make_repo(object_format=object_format)
    base = repo.commit({"a.txt": "one\ntwo\n"})
    repo.commit({"a.txt": "one\nthree\n"})
    repository, scratch = opened(repo)
    tree = repo.out("rev-parse", "HEAD^{tree}")

    assert added(patches_of_tree(repository, scratch, base, tree)) == [("", "a.txt", b"three")]
    assert added(patches_of_tree(repository, scratch, None, tree)) == [("", "a.txt", b"one"), ("", "a.txt", b"three")]
    assert [
        commit for commit, _path, _text in added(patches_of_commits(repository, scratch, "HEAD", (base,), "x"))
    ] == [repo.out("rev-parse", "HEAD")]


def test_no_setting_and_no_attribute_changes_or_hides_a_line(repo: Repo) -> None:
    repo.commit({"a b.txt": "one\n", ".gitattributes": "*.txt diff=hide\n*.bin -diff\n*.lock binary\n"})
    settings = {
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.external": "false",
        "diff.hide.textconv": "true",
        "diff.hide.command": "false",
        "diff.hide.binary": "true",
        "diff.renames": "copies",
        "diff.renameLimit": "1",
        "diff.context": "7",
        "diff.interHunkContext": "9",
        "diff.orderFile": str(repo.path / ".gitattributes"),
        "diff.submodule": "log",
        "diff.suppressBlankEmpty": "true",
        "diff.wsErrorHighlight": "all",
        "color.ui": "always",
        "color.diff": "always",
        "core.quotePath": "true",
        "core.attributesFile": str(repo.path / "attributes"),
        "log.showSignature": "true",
    }
    for name, value in settings.items():
        repo.git("config", name, value)
    repo.write_files({"attributes": "* -diff\n"})
    names = {"a b.txt": "one\n\ntwo\n", "ü.bin": "three\n", "x.lock": "four\n", 'q"\t.txt': "five\n"}
    new = repo.commit(names)

    found = added(patches_of_commits(*opened(repo), new, (f"{new}^",), "origin"))

    assert {(path, text) for _commit, path, text in found} == {
        ("a b.txt", b""),
        ("a b.txt", b"two"),
        ("attributes", b"* -diff"),
        ("ü.bin", b"three"),
        ("x.lock", b"four"),
        ('q"\t.txt', b"five"),
    }


def test_a_file_that_is_only_moved_adds_nothing_and_one_moved_and_changed_its_change(repo: Repo) -> None:
    text = "".join(f"line {number}\n" for number in range(40))
    base = repo.commit({"old.txt": text, "other.txt": text.replace("line", "row")})
    repo.git("mv", "old.txt", "new.txt")
    repo.git("mv", "other.txt", "another.txt")
    new = repo.commit({"another.txt": text.replace("line", "row") + "more\n"})

    assert added(patches_of_commits(*opened(repo), new, (base,), "origin")) == [(new, "another.txt", b"more")]


def test_a_failing_git_is_an_error_and_a_closed_iterator_ends_it(repo: Repo) -> None:
    repo.commit({"big.txt": "".join(f"{number} {random.Random(number).random()}\n" for number in range(100_000))})
    pieces = patches_of_commits(*opened(repo), "HEAD", (), "origin").patches()

    first = next(pieces)
    pieces.close()

    assert first.startswith(repo.out("rev-parse", "HEAD").encode())
    with pytest.raises(GitError):
        list(patches_of_tree(*opened(repo), None, "0" * 40).patches())
    with pytest.raises(GitError):
        list(patches_of_commits(*opened(repo), "0" * 40, (), "origin").patches())


def test_in_random_merges_every_line_that_no_parent_has_is_added_and_no_other(repo: Repo) -> None:
    chooser = random.Random(7)
    lines = [f"line {number}" for number in range(30)]
    repo.commit({"f": "\n".join(lines)})

    def changed(old: list[str], mark: str) -> list[str]:
        new = [line for line in old if chooser.random() > 0.15]
        for number in range(4):
            new.insert(chooser.randrange(len(new) + 1), f"{mark} {number}")
        return new

    for turn in range(6):
        base = repo.out("rev-parse", "HEAD")
        ours, theirs = changed(lines, f"ours {turn}"), changed(lines, f"theirs {turn}")
        other = repo.commit({"f": "\n".join(theirs)})
        repo.git("checkout", "-q", base)
        repo.commit({"f": "\n".join(ours)})
        repo.git("merge", "-q", "-s", "ours", "--no-commit", other)
        lines = changed([line for line in dict.fromkeys(ours + theirs) if chooser.random() > 0.3], f"merge {turn}")
        merged = repo.commit({"f": "\n".join(lines)})

        found = added(patches_of_commits(*opened(repo), merged, (f"{merged}^1", f"{merged}^2"), "origin"))

        own = {line.encode() for line in lines} - {line.encode() for line in ours + theirs}
        assert own <= {text for _commit, _path, text in found}
