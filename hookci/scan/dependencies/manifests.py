"""Which files of a tree declare or lock dependencies."""

from __future__ import annotations

import posixpath
import re
from enum import Enum, auto
from typing import TYPE_CHECKING

from hookci.scan.dependencies.requirements import includes, requirements_text
from hookci.scan.dependencies.text import Text, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hookci.scan.adapter import Tree

__all__ = ["Kind", "included_path", "kind_of", "with_included"]

_ENDS = (".txt", ".toml", ".lock", ".json")
_INSTALLED = frozenset({"node_modules", ".venv", "venv", "site-packages"})
_REQUIREMENTS = re.compile(
    r"(?:.*/)?(?:requirements[^/]*|[^/]*requirements|constraints[^/]*|requirements/[^/]+)\.txt", re.IGNORECASE
)
_PYLOCK = re.compile(r"(?:.*/)?pylock(?:\.[^/.]+)?\.toml")  # PEP 751


class Kind(Enum):
    """The formats."""

    REQUIREMENTS = auto()
    PYPROJECT = auto()
    UV_LOCK = auto()
    POETRY_LOCK = auto()
    PYLOCK = auto()
    PIPFILE_LOCK = auto()
    NPM_LOCK = auto()


_NAMES = {
    "pyproject.toml": Kind.PYPROJECT,
    "uv.lock": Kind.UV_LOCK,
    "poetry.lock": Kind.POETRY_LOCK,
    "Pipfile.lock": Kind.PIPFILE_LOCK,
    "package-lock.json": Kind.NPM_LOCK,
    "npm-shrinkwrap.json": Kind.NPM_LOCK,
}


def kind_of(path: str) -> Kind | None:
    """What a file is by its path; None when it declares nothing, or belongs to something that is installed."""
    if not path.endswith(_ENDS) and not path.lower().endswith(".txt"):
        return None
    directory, _, name = path.rpartition("/")
    if not _INSTALLED.isdisjoint(directory.split("/")):
        return None
    if _REQUIREMENTS.fullmatch(path):
        return Kind.REQUIREMENTS
    return Kind.PYLOCK if _PYLOCK.fullmatch(path) else _NAMES.get(name)


def with_included(tree: Tree, paths: Iterable[str]) -> list[str]:
    """``paths``, and the files of the tree that the requirements files among them take in, sorted."""
    known = set(paths)
    new = {path for path in known if kind_of(path) in {Kind.REQUIREMENTS, None}}
    while new:
        taken = {found for path, contents in tree.contents(new).items() for found in _taken(path, contents)}
        new = {path for path in taken if path in tree.oids} - known
        known |= new
    return sorted(known)


def _taken(path: str, contents: bytes) -> list[str]:
    try:
        text = Text(requirements_text(contents))
    except UnreadableError:
        return []  # told when it is read
    return [included_path(path, target) for target, _place in includes(text)]


def included_path(path: str, target: str) -> str:
    """The path that a requirements file takes in; empty when it is not below the top of the tree."""
    if ":" in target or target.startswith("/"):
        return ""
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return "" if joined.split("/")[0] == ".." else joined
