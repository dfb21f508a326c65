"""What a lock file of npm says is installed.

Source: npm's documentation, "package-lock.json": ``packages`` from version 2 of the format on, ``dependencies`` before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.scan.advisories.advisory import NPM
from hookci.scan.dependencies.tables import load_json, members
from hookci.scan.dependencies.text import UnreadableError

if TYPE_CHECKING:
    from hookci.scan.dependencies.dependency import Manifest
    from hookci.scan.dependencies.tables import Member
    from hookci.scan.dependencies.text import Text

__all__ = ["read_npm_lock"]

_INSTALLED = "node_modules/"
_ALIAS = "npm:"


def read_npm_lock(text: Text, manifest: Manifest) -> None:
    """Read a ``package-lock.json`` or ``npm-shrinkwrap.json``; workspaces, which are of the project, are left out.

    Raises:
        UnreadableError: it is no such lock.
    """
    top = load_json(text)
    if "packages" in top:
        for package in _packages(top["packages"], text):
            _package(package, text, manifest)
        return
    above = [top["dependencies"]] if "dependencies" in top else []
    while above:
        for package in _packages(above.pop(), text):
            _first_form(package, text, manifest)
            if "dependencies" in package.value:
                above += [one for one in members(text, package.begin) if one.name == "dependencies"]


def _packages(table: Member, text: Text) -> list[Member]:
    if not isinstance(table.value, dict) or not all(isinstance(package, dict) for package in table.value.values()):
        raise UnreadableError(f"{table.name} is no table of tables", text.at(table.at).line)
    return list(members(text, table.begin))


def _package(package: Member, text: Text, manifest: Manifest) -> None:
    if _INSTALLED not in package.name or package.value.get("link"):
        return
    name = package.value.get("name") or package.name.rpartition(_INSTALLED)[2]
    manifest.locked(NPM, str(name), package.value.get("version"), text.at(package.at))


def _first_form(package: Member, text: Text, manifest: Manifest) -> None:
    name, version = package.name, package.value.get("version")
    if isinstance(version, str) and version.startswith(_ALIAS):
        name, _, version = version.removeprefix(_ALIAS).rpartition("@")
    elif isinstance(version, str) and version.startswith("file:"):
        return
    elif isinstance(version, str) and ("/" in version or ":" in version):
        version = None  # an address
    manifest.locked(NPM, name, version, text.at(package.at))
