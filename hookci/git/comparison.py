"""What a snapshot is compared with, so that only what it brings counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.errors import GitError
from hookci.git.changes import fork_point
from hookci.git.objects import read_batch
from hookci.model.snapshot import FORK_POINT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hookci.git.repository import Repository
    from hookci.git.snapshots import Scratch
    from hookci.model.snapshot import Snapshot

__all__ = ["read_blobs", "renames", "with_fork_point"]


def with_fork_point(repository: Repository, snapshot: Snapshot) -> Snapshot:
    """``snapshot`` with one more fact: the commit where it left what is there already; empty when there is none.

    For the index that is ``HEAD``.  For a commit it is where it left the remote's default branch, for one that is on
    that branch already its first parent.  The work tree is compared with what a commit of it would be.
    """
    if FORK_POINT in snapshot.facts:
        return snapshot
    point = snapshot.base if snapshot.source == "index" else _point(repository, snapshot)
    return replace(snapshot, facts={**snapshot.facts, FORK_POINT: point or ""})


def _point(repository: Repository, snapshot: Snapshot) -> str | None:
    remote = snapshot.facts.get("HOOKCI_REMOTE", "origin")
    if snapshot.source == "work tree":
        return snapshot.base and (fork_point(repository, snapshot.base, remote) or snapshot.base)
    point = fork_point(repository, snapshot.commit, remote)
    if point == snapshot.commit:
        return repository.ask("rev-parse", "--verify", "-q", f"{snapshot.commit}^1^{{commit}}")
    return point


def renames(repository: Repository, scratch: Scratch, base: str, tree: str) -> dict[str, str]:
    """The files that ``tree`` has under another name than ``base``, by the name they had: git's own detection."""
    environment = scratch.environment(repository)
    done = repository.git("diff-tree", "-r", "-z", "-M", "--diff-filter=R", base, tree, env=environment)
    fields = os.fsdecode(done.stdout).split("\0")
    return {fields[number + 1]: fields[number + 2] for number in range(0, len(fields) - 2, 3)}


def read_blobs(repository: Repository, scratch: Scratch, oids: Iterable[str]) -> dict[str, bytes]:
    """The contents of blobs, by object name; one git process for all.

    Raises:
        GitError: one of them is not there.
    """
    names = sorted(set(oids))
    if not names:
        return {}
    asked = "".join(f"{name}\n" for name in names).encode()
    data = repository.git("cat-file", "--batch", stdin=asked, env=scratch.environment(repository)).stdout
    contents: dict[str, bytes] = {}
    for name, found in read_batch(names, data).items():
        if found is None or found.kind != "blob":
            raise GitError(f"the object {name} is not a file in this repository")
        contents[name] = found.content
    return contents
