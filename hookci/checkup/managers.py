"""What the hooks of other managers do beside, before, or instead of hookci's."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import StateError
from hookci.git.install import refuse_husky
from hookci.git.kept import BEFORE
from hookci.git.managers import owner
from hookci.git.shims import find_shim
from hookci.model.snapshot import HookName

if TYPE_CHECKING:
    from pathlib import Path

    from hookci.git.installation import Installed
    from hookci.git.repository import Repository

__all__ = ["Other", "Part", "others"]

_PRE_COMMIT = (".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml")
_LEFTHOOK = tuple(
    f"{dot}lefthook.{kind}" for dot in ("", ".", ".config/") for kind in ("yml", "yaml", "json", "jsonc", "toml")
)
_CONFIGS = {"pre-commit": _PRE_COMMIT, "prek": _PRE_COMMIT, "lefthook": _LEFTHOOK}
_IDS = {
    HookName.PRE_COMMIT: "commit",
    HookName.PRE_MERGE_COMMIT: "commit",
    HookName.PRE_PUSH: "push",
    HookName.POST_MERGE: "post-merge",
}


class Part(StrEnum):
    """What another's hook has to do with hookci's."""

    FIRST = "first"
    """hookci runs it before itself."""
    TWICE = "twice"
    """The same, and it calls hookci too."""
    KEEPS = "keeps"
    """It stands in our place, and runs the hook that was there: hookci's."""
    CALLS = "calls"
    """It stands in our place, and its config names hookci."""
    ALONE = "alone"
    """It stands in our place."""


class Other(Struct, frozen=True):
    """Somebody else's hook; ``config`` is the manager's config that names hookci."""

    hook: str
    owner: str
    part: Part
    config: str | None = None


def others(repository: Repository, here: Installed) -> tuple[Other, ...]:
    """The hooks of others, in the place of hookci's or kept beside them.

    Raises:
        StateError: husky owns the place and does not call hookci.
    """
    if _is_huskys(here.directory):
        return tuple(Other(name, "husky", Part.CALLS) for name in here.replaced if _in_husky(here.directory, name))
    kept = [(name, here.directory / BEFORE / name) for name in here.hooks]
    first = [_first(repository, name, path) for name, path in kept if path.exists()]
    return (*first, *(_instead(repository, here.directory, name) for name in here.replaced))


def _first(repository: Repository, name: str, path: Path) -> Other:
    who = owner(path)
    config = _config_with(repository, who, name)
    return Other(name, who or "a hook of yours", Part.TWICE if config else Part.FIRST, config)


def _instead(repository: Repository, directory: Path, name: str) -> Other:
    who = owner(directory / name)
    # pre-commit and prek put aside, and run, what they find; lefthook only puts it aside
    if who in {"pre-commit", "prek"} and find_shim(directory / f"{name}.legacy"):
        return Other(name, who, Part.KEEPS)
    config = _config_with(repository, who, name)
    return Other(name, who or "another hook", Part.CALLS if config else Part.ALONE, config)


def _config_with(repository: Repository, who: str | None, hook: str) -> str | None:
    """The manager's config that names hookci for ``hook``; looked for as text, since it may be YAML, TOML or JSON."""
    if repository.top is None:
        return None
    kind = _IDS.get(HookName(hook))
    wanted = re.compile(rf"hookci hook (?:{hook}|managed-{kind})\b|\bid\W{{1,5}}hookci-{kind}\b")
    for name in _CONFIGS.get(who or "", ()):
        path = repository.top / name
        if path.is_file() and wanted.search(path.read_text(encoding="utf-8", errors="replace")):
            return name
    return None


def _is_huskys(directory: Path) -> bool:
    try:
        refuse_husky(directory)
    except StateError:
        if not _in_husky(directory, HookName.PRE_PUSH):
            raise
        return True
    return False


def _in_husky(directory: Path, name: str) -> bool:
    script = directory.parent / name
    return script.is_file() and f"hookci hook {name}" in script.read_text(encoding="utf-8", errors="replace")
