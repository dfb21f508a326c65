"""Putting hookci's hooks where git looks for them.

At every instant git finds either the old hook or the new one: the old one is kept before the new one
replaces it in one step.  What is interrupted is finished by doing it again, or undone by uninstall.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import StateError
from hookci.git.hookspath import chain, chain_directory, find_hooks, is_tracked, unchain
from hookci.git.installation import HOOKS, Installation, read_installation, remember
from hookci.git.kept import BEFORE, is_shims, keep, link_surroundings, put_back, sweep, write, writing
from hookci.git.shims import Shim
from hookci.git.uninstall import take_away

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hookci.git.hookspath import HooksPath
    from hookci.git.repository import Repository

__all__ = [
    "InstallReport",
    "add_deploys",
    "install",
    "interpreter_warnings",
    "no_deploys",
    "refuse_husky",
    "set_background_setting",
]

_HOOK_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_MODE = 0o755
_DEPLOYS = "hookci.deploys"
_BACKGROUND = "hookci.background"
# Where `uvx`, `uv run --with` and `pipx run` make environments they throw away: the buckets of their caches.
_THROW_AWAY = re.compile(r"/(?:(?:archive|environments|builds)-v[0-9]+|\.cache/pipx|Caches/pipx|pipx/\.cache)/")
_LASTING = "run `uv tool install hookci` or `pipx install hookci`, then `hookci install` with that one"


class InstallReport(Struct, frozen=True, kw_only=True):
    """What install did.

    ``installed`` are the hooks that were written, ``unchanged`` those that were there already, ``withdrawn`` those that
    were removed, as they have no work any more, ``kept`` the hooks of others that were found in their place and now run
    first.  ``before`` is the directory of a global ``core.hooksPath`` whose hooks run first, ``passed_on`` its others.
    """

    directory: Path
    installed: tuple[str, ...]
    unchanged: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    before: Path | None = None
    passed_on: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def install(repo: Repository, shim: bytes, *, python: Path, main: Path, wanted: Sequence[str] = HOOKS) -> InstallReport:
    """Install hookci's hooks; doing it again changes nothing, or only what has to change.

    Args:
        repo: the repository; its linked worktrees share the hooks.
        shim: see `hookci.git.shims.read_shim`.
        python: the interpreter the hooks start, absolute.
        main: hookci's ``__main__.py``, absolute.
        wanted: which of `HOOKS`; the others are taken away, and what was there before them is put back.

    Raises:
        StateError: the hooks cannot be written, or something stands in their way.
        UsageError: ``core.hooksPath`` is relative to a work tree that is not known.
    """
    record = read_installation(repo)
    found = find_hooks(repo, record.ours)
    chained = found.before is not None
    directory = chain_directory(repo) if chained else found.directory
    refuse_husky(directory)
    others = _other_hooks(found, wanted)
    with writing(repo.common_dir / "hookci"):
        remember(repo, _extended(repo, record, directory, chained=chained))
    with writing(directory):
        directory.mkdir(mode=0o700 if chained else 0o777, parents=True, exist_ok=True)
        sweep(directory)
        kept = tuple(name for name in wanted if keep(directory, name))
        withdrawn = tuple(name for name in HOOKS if name not in {*wanted, *others} and _withdraw(directory, name))
        link_surroundings(directory)
        written = [
            name
            for name in (*wanted, *others)
            if _put(directory / name, Shim(name, python, main, found.before or "").fill(shim))
        ]
        _remove_strays(directory, {*wanted, *others})
        _point_git_at(repo, found, record)
    return InstallReport(
        directory=directory,
        installed=tuple(name for name in wanted if name in written),
        unchanged=tuple(name for name in wanted if name not in written),
        withdrawn=withdrawn,
        kept=kept,
        before=found.directory if chained else None,
        passed_on=others,
        warnings=(*_place_warnings(repo, found), *interpreter_warnings(repo, python, main)),
    )


def add_deploys(repo: Repository, names: Sequence[str]) -> None:
    """Have the hooks of this clone deploy to the environments ``names``, besides those they deploy to already."""
    there = (repo.ask("config", "--local", "--get-all", _DEPLOYS) or "").split("\n")
    for name in dict.fromkeys(names):
        if name not in there:
            repo.git("config", "--local", "--add", _DEPLOYS, name)


def no_deploys(repo: Repository) -> bool:
    """Have the hooks of this clone deploy nothing; whether they did."""
    return repo.git("config", "--local", "--unset-all", _DEPLOYS, check=False).returncode == 0


def set_background_setting(repo: Repository, *, on: bool) -> bool:
    """Have the hooks of this clone verify commits in the background, or not; whether that is new.

    Where it is on for all clones of a user, it is said to be off here.
    """
    was = repo.ask("config", "--get", "--type=bool", _BACKGROUND) == "true"
    if on:
        repo.git("config", "--local", "--replace-all", _BACKGROUND, "true")
        return not was
    repo.git("config", "--local", "--unset-all", _BACKGROUND, check=False)
    if repo.ask("config", "--get", "--type=bool", _BACKGROUND) == "true":
        repo.git("config", "--local", _BACKGROUND, "false")
    return was


def _extended(repo: Repository, record: Installation, directory: Path, *, chained: bool) -> Installation:
    """The record with ``directory``; what was recorded before the repository was moved or copied counts no more."""
    known = record.directories_of(repo)
    made = tuple(name for name in record.made if name in known)
    if str(directory) not in known:
        known = (*known, str(directory))
    if not directory.is_dir() and str(directory) not in made:
        made = (*made, str(directory))
    return Installation(str(repo.common_dir), known, made, str(directory) if chained else None)


def _withdraw(directory: Path, name: str) -> bool:
    """Take the shim ``name`` away, and give a kept hook its place back; whether there was one."""
    place, kept = directory / name, directory / BEFORE / name
    if not is_shims(place):
        return False
    if os.path.lexists(kept):
        put_back(kept, place)
    else:
        place.unlink()
    return True


def _put(place: Path, data: bytes) -> bool:
    """Write a shim; whether that was necessary."""
    if is_shims(place) and place.read_bytes() == data and os.access(place, os.X_OK):
        return False
    write(place, data, _MODE)
    return True


def _remove_strays(directory: Path, wanted: set[str]) -> None:
    """Remove shims that another tool has renamed, or that pass on a hook which is no more."""
    for path in list(directory.iterdir()):
        if path.name not in wanted and is_shims(path):
            path.unlink()


def _point_git_at(repo: Repository, found: HooksPath, record: Installation) -> None:
    if found.before is not None:
        chain(repo)
    elif found.chained:  # the setting that had to be left alone is no more
        unchain(repo, record.ours)
        take_away(chain_directory(repo))


def _other_hooks(found: HooksPath, wanted: Sequence[str]) -> tuple[str, ...]:
    """The hooks of a global directory beside those ``wanted``: they have to run all the same."""
    if found.before is None or not found.directory.is_dir():
        return ()
    names = (path.name for path in found.directory.iterdir() if path.is_file() and os.access(path, os.X_OK))
    return tuple(sorted(name for name in names if _HOOK_NAME.fullmatch(name) and name not in wanted))


def refuse_husky(directory: Path) -> None:
    """Refuse to put hooks where husky puts its own.

    Raises:
        StateError: it does so in ``directory``.
    """
    if directory.name == "_" and (directory / "husky.sh").exists() and (directory / "h").exists():
        raise StateError(
            f"{directory} belongs to husky, which writes every hook there again",
            f'put `hookci hook pre-push -- "$@"` into {directory.parent / "pre-push"}, and so on for the other hooks',
        )


def _place_warnings(repo: Repository, found: HooksPath) -> list[str]:
    if found.before is not None:
        return []
    warnings = []
    if is_tracked(repo, found.directory):
        warnings.append(
            f"{found.directory} is tracked by git: do not commit the hooks in it, they name paths of this machine"
        )
    if found.relative:
        warnings.append("core.hooksPath is relative: every worktree has hooks of its own, so install in each")
    return warnings


def interpreter_warnings(repo: Repository, python: Path, main: Path) -> list[str]:
    """What may take away from the hooks what they start, as ``WHAT; WHAT TO DO``."""
    top = None if repo.top is None else repo.top.resolve()
    for path in (python, main):
        if _THROW_AWAY.search(str(path)):
            return [f"{path} is in an environment that is thrown away; {_LASTING}"]
        if top is not None and path.parent.resolve().is_relative_to(top):
            return [f"{path} is in this work tree, and the hooks refuse everything once it is gone; {_LASTING}"]
    return []
