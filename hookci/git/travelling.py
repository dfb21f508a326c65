"""A git directory that borrows nothing, for a workspace that goes to another machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from typing import TYPE_CHECKING

from hookci.errors import GitError
from hookci.git.repository import git

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["DEPTH", "OWN_REFS", "make_travelling"]

DEPTH = 20
"""Commits that come along, as many as a GitLab runner fetches (CI/CD variables reference, GIT_DEPTH)."""
OWN_REFS = "refs/hookci"
"""What need not travel: it only tells git what is there already."""
_ALL = 2**31 - 1
"""A depth that means all commits (git-fetch(1))."""
_MOST_PACKS = 50
_COPIED = ("index", "info/attributes", "info/exclude")


def make_travelling(borrowing: Path, into: Path, *, env: Mapping[str, str], depth: int = DEPTH) -> None:
    """Bring ``into`` to hold the last commits of ``borrowing``, and all else that it holds itself.

    Of its refs those come along whose commits do.  What is there from another time stays, so that only what is new has
    to travel.

    Args:
        borrowing: a git directory of hookci's own, which borrows its objects from elsewhere.
        into: a directory, made if it is missing; beside it is a file with the same name and ``.of`` at its end.
        env: the environment for git.
        depth: how many commits, 0 for all.

    Raises:
        GitError: it could not be made, also not from nothing.
    """
    note = into.with_name(f"{into.name}.of")
    state = _state(borrowing, depth)
    if not (note.is_file() and note.read_bytes() == state):
        note.unlink(missing_ok=True)
        _renew(borrowing, into, env, depth or _ALL)
        note.write_bytes(state)
    for name in _COPIED:
        with contextlib.suppress(FileNotFoundError):
            _write(into / name, (borrowing / name).read_bytes())


def _state(borrowing: Path, depth: int) -> bytes:
    """All that decides what is fetched."""
    digest = hashlib.sha256(b"%d" % depth)
    for name in ("HEAD", "packed-refs", "shallow", "config"):
        file = borrowing / name
        content = file.read_bytes() if file.is_file() else b""
        digest.update(b"\0%d\0" % len(content) + content)
    return digest.hexdigest().encode("ascii")


def _renew(borrowing: Path, into: Path, env: Mapping[str, str], depth: int) -> None:
    if len(list(into.glob("objects/pack/*.pack"))) > _MOST_PACKS:
        shutil.rmtree(into)
    try:
        _fetch(borrowing, into, env, depth)
    except (GitError, OSError):  # a lock of a git that was killed, a full disk
        shutil.rmtree(into, ignore_errors=True)
        _fetch(borrowing, into, env, depth)


def _fetch(borrowing: Path, into: Path, env: Mapping[str, str], depth: int) -> None:
    def ask(*arguments: str, git_dir: Path = into, stdin: bytes = b"", check: bool = True) -> bytes:
        return git([f"--git-dir={git_dir}", *arguments], cwd=borrowing, env=env, stdin=stdin, check=check).stdout

    if not (into / "HEAD").is_file():
        object_format = ask("rev-parse", "--show-object-format", git_dir=borrowing).decode("ascii").strip()
        ask("init", "-q", "--bare", "--template=", "--object-format", object_format)
    config = ["config", "-f", str(borrowing / "config"), "--name-only", "--get-regexp", r"^remote\..*\.promisor$"]
    promisors = {name.rpartition(".")[0] for name in os.fsdecode(ask(*config, check=False)).splitlines()}
    _forget_refs(into)
    # of a partial clone nothing is sure to be there but what was checked out (partial-clone of git's technical docs)
    commits = [f"--depth={1 if promisors else depth}", borrowing.as_uri(), f"+HEAD:{OWN_REFS}/head"]
    settings = ["-c", "protocol.file.allow=always", "-c", "fetch.unpackLimit=1"]
    ask(*settings, "fetch", "-q", "--update-shallow", *commits)
    (into / "FETCH_HEAD").unlink(missing_ok=True)
    lines = (borrowing / "packed-refs").read_bytes().splitlines(keepends=True)
    names = b"".join(line.split(b" ", 1)[0] + b"\n" for line in lines)
    answers = ask("cat-file", "--batch-check", stdin=names).splitlines()
    present = [line for line, answer in zip(lines, answers, strict=True) if not answer.endswith(b" missing")]
    _forget_refs(into)
    _write(into / "packed-refs", b"".join(present))
    _write(into / "HEAD", ask("rev-parse", "HEAD", git_dir=borrowing))
    _write(into / "config", (borrowing / "config").read_bytes())
    for name in promisors:
        ask("config", "-f", str(into / "config"), "--remove-section", name)


def _forget_refs(into: Path) -> None:
    """Take out all refs but our own: git fetches no tag that it has by name, also when it was moved since."""
    (into / "packed-refs").unlink(missing_ok=True)
    for kind in ("heads", "remotes", "tags"):
        shutil.rmtree(into / "refs" / kind, ignore_errors=True)
        (into / "refs" / kind).mkdir()


def _write(path: Path, content: bytes) -> None:
    """Write a file, unless it holds that already: what is written has to travel."""
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
