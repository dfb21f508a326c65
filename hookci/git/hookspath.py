"""Where git looks for hooks: ``core.hooksPath``, whose setting that is, and hookci's own one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import GitError, StateError, UsageError
from hookci.proc.run import run

if TYPE_CHECKING:
    from hookci.git.repository import Repository
    from hookci.proc.run import Done

__all__ = ["HooksPath", "chain", "chain_directory", "find_hooks", "is_tracked", "unchain"]

_TIMEOUT = 60.0
_KEY = "core.hooksPath"


class HooksPath(Struct, frozen=True):
    """Where hooks are, by what others have set.

    ``directory`` is where git finds the hooks of this repository, or would, were hookci's own setting not there.
    ``before`` is the user's or the system's ``core.hooksPath`` as it is set, when that is what decides: such a
    directory is every repository's, so hookci's hooks go to `chain_directory` and run it first.  ``relative``
    says that every worktree has a ``directory`` of its own, ``chained`` that hookci's own setting is there.
    """

    directory: Path
    before: str | None = None
    relative: bool = False
    chained: bool = False


def chain_directory(repo: Repository) -> Path:
    """Where hookci's hooks are when a ``core.hooksPath`` for all repositories has to be left alone."""
    return repo.common_dir / "hookci" / "hooks"


def find_hooks(repo: Repository, ours: tuple[str, ...] = ()) -> HooksPath:
    """Where git looks for the hooks of ``repo``.

    Args:
        repo: the repository.
        ours: further values of ``core.hooksPath`` that hookci has set (the repository may have been moved since).

    Raises:
        StateError: the setting is empty, which makes git run no hooks at all.
        UsageError: it is relative to a work tree that is not known here.
    """
    settings = _settings(repo)
    own = {str(chain_directory(repo)), *ours}
    theirs = [(scope, value) for scope, value in settings if value not in own]
    chained = len(theirs) < len(settings)
    if not theirs:
        return HooksPath(repo.common_dir / "hooks", chained=chained)
    scope, value = theirs[-1]
    if not value:
        raise StateError(f"the {scope} {_KEY} is empty", f"run `git config --{scope} --unset {_KEY}`")
    directory = _base(repo, value) / value
    shared = scope in {"global", "system"}
    return HooksPath(directory, value if shared else None, not Path(value).is_absolute(), chained)


def chain(repo: Repository) -> None:
    """Make git look into `chain_directory`, in this repository alone."""
    _git(repo, "config", "--local", _KEY, str(chain_directory(repo)), check=True)


def unchain(repo: Repository, ours: tuple[str, ...] = ()) -> None:
    """Take back what `chain` did, and nothing else."""
    local = {value for scope, value in _settings(repo) if scope == "local"}
    for value in local & {str(chain_directory(repo)), *ours}:
        _git(repo, "config", "--local", "--fixed-value", "--unset-all", _KEY, value)


def is_tracked(repo: Repository, directory: Path) -> bool:
    """Whether git has files of ``directory`` in its index."""
    if repo.top is None or not directory.resolve().is_relative_to(repo.top.resolve()):
        return False
    inside = directory.resolve().relative_to(repo.top.resolve())
    return bool(_git(repo, "--literal-pathspecs", "ls-files", "-z", "--", str(inside)).stdout)


def _settings(repo: Repository) -> list[tuple[str, str]]:
    """Scope and value of every ``core.hooksPath``; the last one counts."""
    listing = _git(repo, "config", "--show-scope", "-z", "--type=path", "--get-all", _KEY).stdout
    fields = os.fsdecode(listing).split("\0")
    return list(zip(fields[::2], fields[1::2], strict=False))


def _base(repo: Repository, value: str) -> Path:
    """What a relative value is relative to: git-config(1), "the directory where the hooks are run"."""
    if repo.top is not None or Path(value).is_absolute():
        return repo.top or Path("/")
    if _git(repo, "rev-parse", "--is-bare-repository").stdout.strip() != b"true":
        raise UsageError(f"{_KEY} is {value}, relative to the work tree", "run this in the work tree")
    return repo.git_dir


def _git(repo: Repository, *arguments: str, check: bool = False) -> Done:
    # not repo.git(): that one overrides the very setting this is about
    cwd = repo.top or repo.git_dir
    done = run(["git", f"--git-dir={repo.git_dir}", *arguments], cwd=cwd, env=repo.env, timeout=_TIMEOUT)
    if done.returncode > 1 or (check and done.returncode != 0):
        raise GitError(f"`git {' '.join(arguments)}` failed: {done.complaint}")
    return done
