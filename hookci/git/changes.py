"""What a snapshot has changed: since its base, or since another revision."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hookci.git.facts import ORIGIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.git.repository import Repository
    from hookci.git.snapshots import Scratch
    from hookci.model.snapshot import Snapshot

__all__ = ["changed_paths", "changed_since", "changes_between", "fork_point", "merge_base"]

_HEADS = "refs/heads/"
_STATUS = {"A": "added", "D": "removed"}


def fork_point(repository: Repository, commit: str, remote: str) -> str | None:
    """Where ``commit`` left what the remote's default branch has; None when that cannot be told."""
    names = (f"refs/remotes/{remote}/{name}" for name in ("HEAD", "main", "master"))
    known = next((name for name in names if name in repository.refs.objects), None)
    return repository.ask("merge-base", known, commit) if known else None


def merge_base(
    repository: Repository, name: str, commit: str, env: Mapping[str, str], remote: str = ORIGIN
) -> str | None:
    """Where ``commit`` left ``name``, a branch of ``remote`` or any revision; None when there is no such place."""
    short = name.removeprefix(_HEADS)
    for revision in (f"refs/remotes/{remote}/{short}", name):
        there = repository.ask("rev-parse", "--verify", "-q", "--end-of-options", f"{revision}^{{commit}}")
        if there is not None:
            done = repository.git("merge-base", there, commit, env=env, check=False)
            return done.stdout.decode("ascii").strip() if done.returncode == 0 else None
    return None


def changed_paths(repository: Repository, base: str, tree: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """The paths that differ between a base and a tree."""
    # --no-renames: a moved file is a change at both of its paths
    done = repository.git("diff-tree", "-r", "-z", "--name-only", "--no-renames", base, tree, env=env)
    return tuple(name for name in os.fsdecode(done.stdout).split("\0") if name)


def changes_between(repository: Repository, scratch: Scratch, before: str, tree: str) -> dict[str, str] | None:
    """Each path that differs between two trees: ``added``, ``removed`` or ``changed``; None if one is not there."""
    asked = ("diff-tree", "-r", "-z", "--name-status", "--no-renames", before, tree)
    done = repository.git(*asked, env=scratch.environment(repository), check=False)
    if done.returncode != 0:
        return None
    fields = os.fsdecode(done.stdout).split("\0")
    return {path: _STATUS.get(letter, "changed") for letter, path in zip(fields[::2], fields[1::2], strict=False)}


def changed_since(
    repository: Repository, scratch: Scratch, snapshot: Snapshot, revision: str | None
) -> tuple[str, ...] | None:
    """The paths that a snapshot has changed since it left ``revision``; None when that names nothing it comes from.

    Without a revision it is since its base; None when it has none.

    Source: GitLab CI/CD YAML reference, ``rules:changes:compare_to``; a branch is the remote's, as on a server.
    """
    environment = scratch.environment(repository)
    base = snapshot.base
    if revision is not None:
        remote = snapshot.facts.get("HOOKCI_REMOTE", ORIGIN)
        base = merge_base(repository, revision, snapshot.commit, environment, remote)
    return None if base is None else changed_paths(repository, base, snapshot.tree, environment)
