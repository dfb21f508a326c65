"""Repositories whose git hooks belong to another manager, which runs hookci."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from guarded import NO_BAD

if TYPE_CHECKING:
    from conftest import Ran, Repo

MANAGERS = ("pre-commit", "prek")
STAGES = ("pre-commit", "pre-merge-commit", "pre-push", "post-merge")
HOOKS = {
    "hookci-commit": ("managed-commit", ["pre-commit", "pre-merge-commit"]),
    "hookci-push": ("managed-push", ["pre-push"]),
    "hookci-post-merge": ("managed-post-merge", ["post-merge"]),
}
"""What `.pre-commit-hooks.yaml` says, for hooks of this installation."""


def local_hooks(*more: dict[str, object]) -> str:
    """A `.pre-commit-config.yaml` with hookci's hooks as this interpreter has them (JSON is YAML)."""
    ours = [
        {
            "id": name,
            "name": name,
            "language": "system",
            "stages": stages,
            "entry": f"{sys.executable} -I -m hookci hook {entry}",
            "pass_filenames": False,
            "always_run": True,
            "require_serial": True,
            "verbose": True,
        }
        for name, (entry, stages) in HOOKS.items()
    ]
    return json.dumps({"repos": [{"repo": "local", "hooks": [*more, *ours]}]})


def managed(repo: Repo, manager: str, config: str = NO_BAD, hooks: str | None = None) -> Repo:
    """Commit ``config`` and let ``manager`` own the hooks; nothing is pushed yet."""
    repo.commit({"hookci.toml": config, ".pre-commit-config.yaml": hooks or local_hooks(), "a.txt": "one\n"}, "first")
    own(repo, manager)
    return repo


def own(repo: Repo, manager: str) -> None:
    """Let ``manager`` install its hooks."""
    repo.run(manager, "install", *(f"--hook-type={stage}" for stage in STAGES))


def refused(ran: Ran) -> str:
    """What was said, also by the manager on git's standard output; fails unless the hook refused."""
    assert ran.returncode != 0, f"{ran.argv} went through:\n{ran.output}"
    return ran.output
