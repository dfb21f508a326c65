"""What the lock files of Python's installers say is installed.

Sources: the files that uv, Poetry and Pipenv write, and PEP 751 (``pylock.toml``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hookci.scan.advisories.advisory import PYPI
from hookci.scan.dependencies.tables import load_json, load_toml, members
from hookci.scan.dependencies.text import NOWHERE, UnreadableError

if TYPE_CHECKING:
    from hookci.scan.dependencies.dependency import Manifest
    from hookci.scan.dependencies.tables import Member
    from hookci.scan.dependencies.text import Place, Text

__all__ = ["read_pipfile_lock", "read_poetry_lock", "read_pylock", "read_uv_lock"]

_NAME = re.compile(r"^[ \t]*name[ \t]*=", re.MULTILINE)
_LOCAL = frozenset({"editable", "virtual", "directory"})


def read_uv_lock(text: Text, manifest: Manifest) -> None:
    """Read a ``uv.lock``; what is in a directory of the project is left out.

    Raises:
        UnreadableError: it is no such lock; the same for the others here.
    """
    for package, place in _packages(text, "package"):
        if _LOCAL.isdisjoint(_source(package)):
            manifest.locked(PYPI, package["name"], package.get("version"), place)


def read_poetry_lock(text: Text, manifest: Manifest) -> None:
    """Read a ``poetry.lock``, of any version of Poetry."""
    for package, place in _packages(text, "package"):
        if _source(package).get("type") != "directory":
            manifest.locked(PYPI, package["name"], package.get("version"), place)


def read_pylock(text: Text, manifest: Manifest) -> None:
    """Read a ``pylock.toml``."""
    for package, place in _packages(text, "packages"):
        if "directory" not in package:
            manifest.locked(PYPI, package["name"], package.get("version"), place)


def read_pipfile_lock(text: Text, manifest: Manifest) -> None:
    """Read a ``Pipfile.lock``, with all its categories."""
    for category in load_json(text).values():
        if category.name != "_meta" and isinstance(category.value, dict):
            for entry in members(text, category.begin):
                _pipfile(entry, text.at(entry.at), manifest)


def _pipfile(entry: Member, place: Place, manifest: Manifest) -> None:
    if not isinstance(entry.value, dict):
        raise UnreadableError(f"{entry.name} is no table", place.line)
    version = entry.value.get("version")
    if isinstance(version, str):
        manifest.requirement(f"{entry.name}{version.removeprefix('*')}", place)
    elif "path" not in entry.value:
        manifest.addresses.append(entry.name)


def _packages(text: Text, key: str) -> list[tuple[dict[str, Any], Place]]:
    """The tables of an array of tables, each with the place of its name."""
    packages = load_toml(text).get(key, [])
    if not isinstance(packages, list) or not all(_is_package(package) for package in packages):
        raise UnreadableError(f"{key} is no list of tables with a name")
    headers = list(re.finditer(rf"^[ \t]*\[\[[ \t]*{key}[ \t]*\]\]", text.text, re.MULTILINE))
    if len(headers) != len(packages):  # written in some other way
        return [(package, NOWHERE) for package in packages]
    names = (_NAME.search(text.text, header.end()) for header in headers)
    places = [text.at(name.start()) if name else NOWHERE for name in names]
    return list(zip(packages, places, strict=True))


def _is_package(package: object) -> bool:
    return isinstance(package, dict) and isinstance(package.get("name"), str)


def _source(package: dict[str, Any]) -> dict[str, Any]:
    source = package.get("source")
    return source if isinstance(source, dict) else {}
