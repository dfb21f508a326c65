"""What is judged: a git tree, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORK_POINT", "HookEvent", "HookName", "RefUpdate", "Snapshot", "is_zero"]

FORK_POINT = "HOOKCI_FORK_POINT"
"""The fact that names the commit a scan is compared with; only pipelines that scan ask for it."""


class HookName(StrEnum):
    """The git hooks hookci installs; githooks(5) says when each one fires."""

    PRE_COMMIT = "pre-commit"
    PRE_MERGE_COMMIT = "pre-merge-commit"
    PRE_PUSH = "pre-push"
    POST_MERGE = "post-merge"
    POST_COMMIT = "post-commit"
    POST_REWRITE = "post-rewrite"


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One ref a push is about to change, as git tells it on the standard input of ``pre-push``.

    The object names have 40 (SHA-1) or 64 (SHA-256) hex digits; all zeros mean "not there".
    """

    local_ref: str
    local_oid: str
    remote_ref: str
    remote_oid: str


@dataclass(frozen=True, slots=True)
class HookEvent:
    """One firing of a git hook: its name, its arguments and, for ``pre-push``, its ref updates."""

    hook: HookName
    arguments: tuple[str, ...] = ()
    updates: tuple[RefUpdate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A git tree to be judged, and the facts about where it came from.

    ``commit`` is what ``HEAD`` will be in the workspace: the pushed commit, or for the index a
    synthetic child of ``parent``.  ``facts`` are the predefined variables that describe it
    (``CI_COMMIT_BRANCH``, ``HOOKCI_TREE`` and the rest, by their full names).  ``changed`` are
    the paths that differ from ``base``; ``None`` when there is nothing to compare with, which
    counts as "everything changed".
    """

    tree: str
    commit: str
    source: str
    """``index``, ``commit`` or ``ref``."""
    label: str
    """How a person calls it: ``main``, ``v1.0``, ``the index``, ``3f9c2e1``."""
    branch: str | None = None
    tag: str | None = None
    remote_ref: str | None = None
    base: str | None = None
    changed: tuple[str, ...] | None = None
    facts: Mapping[str, str]


def is_zero(oid: str) -> bool:
    """Whether ``oid`` is git's all-zero name, which says that there is no object."""
    return not oid.strip("0")
