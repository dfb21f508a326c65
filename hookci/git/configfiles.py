"""Which files git's settings come from, and could come from: whoever watches all of them learns of every change."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from hookci.git.repository import Repository

__all__ = ["ConfigFiles", "config_files", "exec_path"]

_FILE = "file:"


class ConfigFiles(Struct, frozen=True):
    """Files that settings come from, or would if they were there; ``own`` says that other worktrees may have others."""

    paths: tuple[str, ...]
    own: bool


def exec_path(repository: Repository) -> str:
    """Where git's own programs are: first on the PATH of every hook."""
    return repository.env.get("GIT_EXEC_PATH") or repository.ask("--exec-path") or ""


def config_files(repository: Repository, programs: str) -> ConfigFiles | None:
    """The files of all scopes, included ones too; None when they depend on more than where the repository is.

    Args:
        repository: the repository.
        programs: see `exec_path`.
    """
    paths = _usual_places(repository, programs)
    own = False
    for origin, key, value in repository.config.origins:
        if origin.startswith(_FILE):
            paths.append(origin.removeprefix(_FILE))
        if key == "extensions.worktreeconfig":
            own = True
        if key == "include.path" or (key.startswith("includeif.") and key.endswith(".path")):
            condition = key.removeprefix("includeif.")
            if key != "include.path":
                if not condition.startswith(("gitdir:", "gitdir/i:")):
                    return None
                own = True
            included = _included(repository, origin, value)
            if included is None:
                return None
            paths.append(included)
    return ConfigFiles(tuple(dict.fromkeys(paths)), own)


def _usual_places(repository: Repository, programs: str) -> list[str]:
    """Where git looks, whether there is anything or not (git-config(1), FILES)."""
    env = repository.env
    home = env.get("HOME", "")
    prefix = programs.removesuffix("/git-core").removesuffix("/lib").removesuffix("/libexec")
    named = [env[name] for name in ("GIT_CONFIG_SYSTEM", "GIT_CONFIG_GLOBAL") if env.get(name)]
    return [
        *named,
        "/etc/gitconfig",
        f"{prefix}/etc/gitconfig",
        posixpath.join(env.get("XDG_CONFIG_HOME") or f"{home}/.config", "git", "config"),
        f"{home}/.gitconfig",
        str(repository.common_dir / "config"),
        str(repository.common_dir / "config.worktree"),
        str(repository.git_dir / "config.worktree"),
    ]


def _included(repository: Repository, origin: str, value: str) -> str | None:
    if value.startswith("~/"):
        return posixpath.join(repository.env.get("HOME", ""), value[2:])
    if value.startswith("/"):
        return value
    if value.startswith(("~", "%")) or not origin.startswith(_FILE):
        return None
    return posixpath.join(posixpath.dirname(origin.removeprefix(_FILE)), value)
