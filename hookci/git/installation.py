"""What is installed: the record install made, ``hookci/install.json`` in the common directory, and what git finds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, to_builtins

from hookci.errors import StateError
from hookci.git.hookspath import chain_directory, find_hooks
from hookci.git.kept import sweep, write
from hookci.git.shims import find_shim
from hookci.model.snapshot import HookName

if TYPE_CHECKING:
    from hookci.git.hookspath import HooksPath
    from hookci.git.repository import Repository

__all__ = [
    "HOOKS",
    "JUDGING",
    "Installation",
    "Installed",
    "forget",
    "installed",
    "places",
    "read_installation",
    "remember",
    "wanted_hooks",
]

HOOKS = tuple(str(name) for name in HookName)
"""The hooks that are hookci's business, by their file names."""
JUDGING = tuple(name for name in HOOKS if name.startswith("pre-"))
"""Those that every clone has; the others tell that a branch has moved."""


class Installation(Struct, frozen=True):
    """What install did.

    ``common_dir`` is where the repository was, ``directories`` hold shims, ``made`` are those of them
    that were not there before, ``hooks_path`` is the value ``core.hooksPath`` was set to, or None.
    """

    common_dir: str
    directories: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    hooks_path: str | None = None

    @property
    def ours(self) -> tuple[str, ...]:
        """The values of ``core.hooksPath`` that were set by install."""
        return (self.hooks_path,) if self.hooks_path else ()

    def directories_of(self, repo: Repository) -> tuple[str, ...]:
        """``directories``, unless the repository was moved or copied since: then they may be another one's."""
        return self.directories if self.common_dir == str(repo.common_dir) else ()


class Installed(Struct, frozen=True, kw_only=True):
    """What git finds now.

    ``hooks`` are hookci's, ``replaced`` other hooks in their place, ``missing`` those that are not there.
    ``python`` and ``main`` are what the hooks start, ``gone`` what of that does not exist.
    ``elsewhere`` are directories with hooks of hookci's that git does not look at (any more).
    """

    directory: Path
    hooks: tuple[str, ...]
    replaced: tuple[str, ...]
    missing: tuple[str, ...]
    python: Path | None = None
    main: Path | None = None
    gone: tuple[Path, ...] = ()
    elsewhere: tuple[Path, ...] = ()


def wanted_hooks(repo: Repository, *, follows_branches: bool) -> tuple[str, ...]:
    """The hooks that have work to do: each that has none makes every commit a millisecond longer.

    Worktrees share them, so where each may have settings of its own it is not known that those of one are all.
    """
    of_one = repo.ask("config", "--get", "--type=bool", "extensions.worktreeConfig") != "true"
    return JUDGING if of_one and not follows_branches else HOOKS


def installed(repo: Repository) -> Installed:
    """Which hooks of hookci's git finds, and whether they can start."""
    record = read_installation(repo)
    found = find_hooks(repo, record.ours)
    directory = chain_directory(repo) if found.chained else found.directory
    shims = {name: find_shim(directory / name) for name in HOOKS}
    first = next((shim for shim in shims.values() if shim), None)
    others = [place for place in places(repo, record, found) if place != directory]
    return Installed(
        directory=directory,
        hooks=tuple(name for name in HOOKS if shims[name]),
        replaced=tuple(name for name in HOOKS if not shims[name] and os.path.lexists(directory / name)),
        missing=tuple(name for name in HOOKS if not os.path.lexists(directory / name)),
        python=first.python if first else None,
        main=first.main if first else None,
        gone=tuple(path for path in (first.python, first.main) if not path.exists()) if first else (),
        elsewhere=tuple(place for place in others if any(find_shim(place / name) for name in HOOKS)),
    )


def places(repo: Repository, record: Installation, found: HooksPath) -> list[Path]:
    """Every directory that may hold shims of this repository; never one that other repositories share."""
    looked_at = [] if found.before is not None else [found.directory]
    recorded = [Path(name) for name in record.directories_of(repo)]
    return list(dict.fromkeys([repo.common_dir / "hooks", chain_directory(repo), *looked_at, *recorded]))


def read_installation(repo: Repository) -> Installation:
    """What was recorded; an empty record when there is none that can be read."""
    try:
        return _installation(json.loads(_path(repo).read_bytes()))
    except (OSError, ValueError, TypeError, KeyError):
        return Installation(str(repo.common_dir))


def remember(repo: Repository, installation: Installation) -> None:
    """Write the record, readable for its owner alone.

    Raises:
        StateError: something else is in the place of hookci's own directory.
    """
    directory = _path(repo).parent
    if directory.is_symlink():
        raise StateError(f"{directory} is a symlink; hookci makes that directory itself")
    directory.mkdir(mode=0o700, exist_ok=True)
    text = json.dumps({"version": 1, **to_builtins(installation)}, indent=2, sort_keys=True)
    write(_path(repo), f"{text}\n".encode(), 0o600)


def forget(repo: Repository) -> None:
    """Remove the record."""
    _path(repo).unlink(missing_ok=True)
    sweep(_path(repo).parent)


def _path(repo: Repository) -> Path:
    return repo.common_dir / "hookci" / "install.json"


def _installation(record: dict[str, Any]) -> Installation:
    path = record["hooks_path"]
    directories, made = (tuple(str(Path(name)) for name in record[key]) for key in ("directories", "made"))
    return Installation(str(record["common_dir"]), directories, made, None if path is None else str(path))
