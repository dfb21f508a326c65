"""What a ``pyproject.toml`` declares.

Sources: PEP 621 (``project``), PEP 735 (``dependency-groups``), PEP 518 (``build-system``), and Poetry's own tables.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hookci.config.detect.python.poetry import poetry_requirements
from hookci.scan.dependencies.tables import load_toml
from hookci.scan.dependencies.text import Place, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.scan.dependencies.dependency import Manifest
    from hookci.scan.dependencies.text import Text

__all__ = ["read_pyproject"]

# comments are matched so that nothing in them is
_STRING = re.compile(r"""#[^\n]*|"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'""")
_HEADER = re.compile(r"\[([^\[\]]+)\]\s*(?:#.*)?")
_KEY = re.compile(r"""\s*["']?([\w.-]+?)["']?\s*=""")
_ADDRESSES = frozenset({"git", "url"})


def read_pyproject(text: Text, manifest: Manifest) -> None:
    """Read a ``pyproject.toml``.

    Raises:
        UnreadableError: it is no TOML, or what it declares is not in the form that the standards want.
    """
    data = load_toml(text)
    strings = _strings(text)
    for requirement in _requirements(data):
        manifest.requirement(requirement, strings.get(requirement, Place(0, requirement)))
    keys = _keys(text) if "tool" in data else {}
    for where, table in _poetry_tables(data):
        for name, value in table.items():
            place = keys.get((where, name), keys.get((f"{where}.{name}", ""), Place(0, name)))
            for item in value if isinstance(value, list) else [value]:
                _poetry(name, item, place, manifest)


def _requirements(data: dict[str, Any]) -> Iterator[str]:
    project = _table(data, "project")
    yield from _list(project, "dependencies")
    for table in (_table(project, "optional-dependencies"), _table(data, "dependency-groups")):
        for name in table:
            yield from _list(table, name)
    yield from _list(_table(data, "build-system"), "requires")


def _table(above: dict[str, Any], name: str) -> dict[str, Any]:
    value = above.get(name, {})
    if not isinstance(value, dict):
        raise UnreadableError(f"{name} is no table")
    return value


def _list(above: dict[str, Any], name: str) -> list[str]:
    """The requirements in a list; what else is in one includes another group."""
    value = above.get(name, [])
    if not isinstance(value, list):
        raise UnreadableError(f"{name} is no list of requirements")
    return [item for item in value if isinstance(item, str)]


def _poetry_tables(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    poetry = _table(_table(data, "tool"), "poetry")
    for name in ("dependencies", "dev-dependencies"):
        yield f"tool.poetry.{name}", _table(poetry, name)
    groups = _table(poetry, "group")
    for name in groups:
        yield f"tool.poetry.group.{name}.dependencies", _table(_table(groups, name), "dependencies")


def _poetry(name: str, item: object, place: Place, manifest: Manifest) -> None:
    detail: dict[str, Any] = item if isinstance(item, dict) else {"version": item}
    if not _ADDRESSES.isdisjoint(detail):
        manifest.addresses.append(name)
    elif name.lower() != "python" and "path" not in detail:
        alternatives = re.split(r"\|\|?", str(detail.get("version", "*")))
        manifest.any_of([one for part in alternatives for one in poetry_requirements({name: part})], place)


def _strings(text: Text) -> dict[str, Place]:
    """Where each quoted string is first."""
    found: dict[str, int] = {}
    for match in _STRING.finditer(text.text):
        found.setdefault(match[1] or match[2] or "", match.start())
    return {string: text.at(offset) for string, offset in found.items()}


def _keys(text: Text) -> dict[tuple[str, str], Place]:
    """Where each key of each table is first; the key of a table's own header is empty."""
    found: dict[tuple[str, str], Place] = {}
    header = ""
    for number, line in enumerate(text.text.split("\n"), 1):
        if match := _HEADER.fullmatch(line.strip()):
            header = re.sub(r"[\s\"']", "", match[1])
            found.setdefault((header, ""), text.line(number))
        elif match := _KEY.match(line):
            found.setdefault((header, match[1]), text.line(number))
    return found
