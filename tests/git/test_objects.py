"""What is read from git's objects is what git itself says of them, and what is written is what git would write."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookci.git.facts import commit_facts
from hookci.git.objects import Found, read_batch, tree_entries, write_object
from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch, config_files, of_index

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

COMMIT = """tree {tree}
{parents}author {author}
committer Cleo <c@example.com> {when}
{more}
{message}"""
PLAIN = {"author": "Ana  B. <ana@example.com> 1700000000 +0100", "when": "1700000000 +0100", "message": "Title\n"}


@pytest.mark.parametrize(
    "given_as",
    [
        PLAIN,
        {"message": "Title\n\nbody\n\n\nmore\n\n"},
        {"message": "\n\nlate\n"},
        {"message": ""},
        {"message": "no line end"},
        {"when": "1700000000 -0730"},
        {"when": "0 +0000"},
        {"when": "99999999999999999999 +0000"},
        {"when": "253402300800 +0000"},
        {"author": " <> 1700000000 +0000"},
        {"author": "Ünï <ü@example.com> 1700000000 +0000", "message": "naïve\n"},
        {"author": "J <j> 1 +0000", "message": "na\udcefve\n", "more": "encoding ISO-8859-1\n"},
        {"message": "na\udcefve\n", "more": "encoding no-such\n"},
        {"message": "na\udcefve\n"},
        {"more": "gpgsig -----BEGIN\n \n author X <x> 1 +0000\n -----END\n"},
    ],
)
def test_a_commit_says_of_itself_what_git_says(repo: Repo, given_as: dict[str, str]) -> None:
    tree = repo.out("write-tree")
    text = COMMIT.format(**{"more": "", "parents": "", **PLAIN, **given_as, "tree": tree}).replace("{tree}", tree)
    file = repo.path / "object"
    file.write_bytes(os.fsencode(text))
    oid = repo.out("hash-object", "--literally", "-t", "commit", "-w", "object")

    facts = commit_facts(oid, file.read_bytes())

    shown = repo.git("log", "--no-walk", "--format=%an <%ae>%x00%cI%x00%B", oid).stdout
    author, when, message = shown.split("\0")
    assert facts["CI_COMMIT_AUTHOR"] == author
    assert facts["CI_COMMIT_TIMESTAMP"] == when.replace("Z", "+00:00")
    assert facts["CI_COMMIT_MESSAGE"] == message.rstrip("\n")
    assert facts["HOOKCI_COMMIT"] == oid


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_entries_and_written_objects_are_as_git_has_them(repo: Repo, tmp_path: Path, object_format: str) -> None:
    repo.run("git", "init", "-q", "--object-format", object_format, str(tmp_path / "other"))
    repo.path = tmp_path / "other"
    repo.write_files({"hookci.toml": "x", "a b": "", "d/deep/x": "y", "d.txt": "", "gr\udcfcn": ""})
    (repo.path / "run").touch(mode=0o755)
    (repo.path / "link").symlink_to("d")
    repo.git("add", "-A")
    tree = repo.out("write-tree")
    found = Repository.discover(repo.path, repo.env).look_up([tree])[tree]

    rows = [f"{mode} {oid}\t{os.fsdecode(name)}" for name, mode, oid in tree_entries(found)]
    name = write_object(tmp_path / "objects", "tree", found.content, object_format)

    listed = repo.git("ls-tree", "-z", tree).stdout.split("\0")[:-1]
    assert rows == [line.replace(" blob", "").replace(" tree", "") for line in listed]
    assert name == found.oid == tree
    kept = repo.git("cat-file", "-t", tree, env={"GIT_OBJECT_DIRECTORY": str(tmp_path / "objects")})
    assert kept.stdout == "tree\n"


def test_the_commit_of_an_index_is_a_sound_one(repo: Repo, tmp_path: Path) -> None:
    parent = repo.commit({"a": "1"})
    repo.write(b="2")
    repo.git("add", "b")
    scratch = Scratch(tmp_path / "scratch")
    repository = Repository.discover(repo.path, repo.env)

    snapshot = of_index(repository, scratch)

    env = scratch.environment(repository)
    assert repo.git("fsck", "--strict", snapshot.commit, env=env).returncode == 0
    assert repo.git("rev-parse", f"{snapshot.commit}^", f"{snapshot.commit}^{{tree}}", env=env).stdout.split() == [
        parent,
        repo.out("write-tree"),
    ]
    assert of_index(Repository.discover(repo.path, repo.env), scratch) == snapshot


def test_many_things_are_looked_up_with_one_process_and_never_again(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": "x", "a b": "spaced"})
    head = repo.out("rev-parse", "HEAD")
    trace = tmp_path / "trace"
    repository = Repository.discover(repo.path, {**repo.env, "GIT_TRACE2_EVENT": str(trace)})
    trace.unlink()

    found = repository.look_up([head, "HEAD:a b", "HEAD:none"], soon=["HEAD", f"{head}:hookci.toml"])
    again = repository.look_up(["HEAD", "HEAD:none", found["HEAD:a b"].oid])
    files = config_files(
        repository, Scratch(tmp_path / "scratch"), repo.out("rev-parse", "HEAD^{tree}"), ("hookci.toml",)
    )

    assert {name: one.kind for name, one in found.items()} == {head: "commit", "HEAD:a b": "blob"}
    assert [one.content for one in again.values()] == [found[head].content, b"spaced"]
    assert files == {"hookci.toml": b"x"}
    # the tree was not among what was asked
    assert trace.read_text().count('"event":"start"') == 2


names = st.text("ab: ^{}\udcff", min_size=1)
objects = st.builds(Found, st.sampled_from(["0a", "ff" * 20]), st.sampled_from(["blob", "tree"]), st.binary())


@given(st.dictionaries(names, st.none() | objects))
def test_a_batch_is_read_whatever_names_and_contents_are(found: dict[str, Found | None]) -> None:
    def answer(name: str, one: Found | None) -> bytes:
        if one is None:
            return os.fsencode(f"{name} missing\n")
        return f"{one.oid} {one.kind} {len(one.content)}\n".encode() + one.content + b"\n"

    answers = b"".join(answer(*row) for row in found.items())

    assert read_batch(found, answers) == found
