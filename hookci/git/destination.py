"""Where a branch would go if it were pushed now, as git's settings have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.git.facts import ORIGIN
from hookci.model.snapshot import RefUpdate

if TYPE_CHECKING:
    from hookci.git.repository import Repository

__all__ = ["usual_update"]

_HEADS = "refs/heads/"
_HERE = "."
"""What a branch has for a remote that follows another branch of the same repository."""


def usual_update(repository: Repository, branch: str, commit: str) -> tuple[RefUpdate, str]:
    """What `git push` would most likely tell its hook of ``branch``, and the remote's name; nothing is asked of that.

    What the remote has is taken to be what was fetched last.

    Source: git-config(1), ``branch.<name>.pushRemote``, ``remote.pushDefault`` and ``push.default``.
    """

    def setting(key: str) -> str:
        return repository.settings.get(key, [""])[-1]

    follows = setting(f"branch.{branch}.remote")
    found = setting(f"branch.{branch}.pushremote") or setting("remote.pushdefault") or follows
    remote = found if found not in {"", _HERE} else ORIGIN
    upstream = setting(f"branch.{branch}.merge")
    by_upstream = setting("push.default") in {"upstream", "tracking"} and remote == follows
    there = upstream if by_upstream and upstream else f"{_HEADS}{branch}"
    tracking = f"refs/remotes/{remote}/{there.removeprefix(_HEADS)}"
    before = repository.ask("rev-parse", "--verify", "-q", f"{tracking}^{{commit}}")
    return RefUpdate(f"{_HEADS}{branch}", commit, there, before or "0" * len(commit)), remote
