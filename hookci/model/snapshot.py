"""What is judged: a git tree, and where it came from."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DEPLOYS",
    "FORK_POINT",
    "IS_NEW",
    "MERGE_REQUEST",
    "NUMBERS",
    "SKIPS",
    "SOME_NUMBER",
    "Cause",
    "HookEvent",
    "HookName",
    "RefUpdate",
    "Snapshot",
    "is_zero",
]

FORK_POINT = "HOOKCI_FORK_POINT"
"""The fact that names the commit a scan is compared with; only pipelines that scan ask for it."""

IS_NEW = "hookci.new"
"""What a plan looks at is noted under this name where it is whether there is anything to compare with."""

DEPLOYS = "hookci.deploys"
"""The same, where it is the environments that this clone deploys."""

SKIPS = "hookci.skips"
"""The same, where it is whether the message of the commit asks for no pipeline."""

MERGE_REQUEST = "merge_request_event"
"""GitLab's word for a pipeline of a merge request, in CI_PIPELINE_SOURCE."""

NUMBERS = frozenset({"CI_MERGE_REQUEST_ID", "CI_MERGE_REQUEST_IID", "CI_MERGE_REQUEST_PROJECT_ID"})
"""What every pipeline of a merge request has on GitLab, and nobody knows here."""

SOME_NUMBER = "0"
"""What a condition sees of one of them: that it is set."""


_SKIP = pattern(r"\[(?:ci[ _-]skip|skip[ _-]ci)\]", re.IGNORECASE)


class Cause(Struct, frozen=True):
    """Why a pipeline runs, in GitLab's words (CI_PIPELINE_SOURCE), and the branch that a merge request goes to."""

    source: str = "push"
    target: str | None = None


class HookName(StrEnum):
    """The git hooks hookci installs; githooks(5) says when each one fires."""

    PRE_COMMIT = "pre-commit"
    PRE_MERGE_COMMIT = "pre-merge-commit"
    PRE_PUSH = "pre-push"
    POST_MERGE = "post-merge"
    POST_COMMIT = "post-commit"
    POST_REWRITE = "post-rewrite"


class RefUpdate(Struct, frozen=True):
    """One ref a push is about to change, as git tells it on the standard input of ``pre-push``.

    The object names have 40 (SHA-1) or 64 (SHA-256) hex digits; all zeros mean "not there".
    """

    local_ref: str
    local_oid: str
    remote_ref: str
    remote_oid: str


class HookEvent(Struct, frozen=True):
    """One firing of a git hook: its name, its arguments and, for ``pre-push``, its ref updates."""

    hook: HookName
    arguments: tuple[str, ...] = ()
    updates: tuple[RefUpdate, ...] = ()


class Snapshot(Struct, frozen=True, kw_only=True):
    """A git tree to be judged, and the facts about where it came from.

    ``commit`` is what ``HEAD`` will be in the workspace: the pushed commit, or for the index a
    synthetic child of ``parent``.  ``facts`` are the predefined variables that describe it
    (``CI_COMMIT_BRANCH``, ``HOOKCI_TREE`` and the rest, by their full names).  ``base`` is the commit it is compared
    with; ``None`` when there is none, which counts as "everything changed".  ``is_new`` says that GitLab would compare
    with nothing, whatever ``base`` is: the branch is not on the remote yet, or nothing is pushed.
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
    is_new: bool = False
    facts: Mapping[str, str]

    @property
    def has_no_base(self) -> bool:
        """Whether GitLab would compare with nothing; that counts as "everything changed" too."""
        return self.is_new or self.tag is not None or self.base is None

    @property
    def skips(self) -> bool:
        """Whether the message of the commit asks GitLab for no pipeline, as it may for a push or a merge request.

        Source: GitLab CI/CD, "Skip a pipeline"; of its code ``Gitlab::Ci::Pipeline::Chain::Skip``.
        """
        asked = self.facts.get("CI_PIPELINE_SOURCE") in {"push", MERGE_REQUEST}
        return asked and _SKIP.search(self.facts.get("CI_COMMIT_MESSAGE", "")) is not None

    def fact(self, name: str) -> str | None:
        """A fact, also one that is no variable."""
        if name == SKIPS:
            return str(self.skips)
        return str(self.has_no_base) if name == IS_NEW else self.facts.get(name)


def is_zero(oid: str) -> bool:
    """Whether ``oid`` is git's all-zero name, which says that there is no object."""
    return not oid.strip("0")
