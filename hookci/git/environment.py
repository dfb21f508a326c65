"""Which variables of the environment are git's, and what hookci's own git calls run with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FIXED_CONFIG", "GIT_LOCAL", "for_own_git"]

GIT_LOCAL = frozenset(
    {
        # `git rev-parse --local-env-vars` of git 2.39 to 2.51; without what `git -c` sets: that stays
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_CONFIG",
        "GIT_OBJECT_DIRECTORY",
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_GRAFT_FILE",
        "GIT_INDEX_FILE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_REPLACE_REF_BASE",
        "GIT_PREFIX",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_SHALLOW_FILE",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
        "GIT_QUARANTINE_PATH",
        "GIT_REF_FORMAT",
        # not in that list, but they too change what our own calls mean: `git --icase-pathspecs commit` sets one
        "GIT_ATTR_SOURCE",
        "GIT_LITERAL_PATHSPECS",
        "GIT_GLOB_PATHSPECS",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_ICASE_PATHSPECS",
    }
)
"""Variables that tie git to a repository, or change what its own calls mean."""

FIXED_CONFIG = (
    # Each of these, set by a user, made a clean checkout wrong or hurt the user's repository (git 2.39).
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.trustctime=true",
    "core.checkStat=default",
    "core.sparseCheckout=false",
    "core.splitIndex=false",
    "core.quotePath=false",
    "submodule.recurse=false",
    "log.showSignature=false",
    "i18n.logOutputEncoding=UTF-8",
    "advice.detachedHead=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
"""Settings hookci's own git calls never take from the user."""


def for_own_git(env: Mapping[str, str]) -> dict[str, str]:
    """The environment of hookci's own git calls.

    What ties a process to one repository is taken out, since under ``git commit -a`` a git call that
    inherits it exits 0 and commits a wrong tree.  What ``git -c`` set stays.  Replacement objects are
    off, because a push sends the originals.
    """
    kept = {name: value for name, value in env.items() if name not in GIT_LOCAL}
    kept.update(GIT_NO_REPLACE_OBJECTS="1", GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0", LC_ALL="C", GIT_FLUSH="0")
    return kept
