"""What the scanners that ask a service are asked: names and versions, read by ourselves.

They would pass over in silence what they cannot read, what a marker takes out, and what a file takes in from elsewhere.
So nothing of the tree is given to them as a file, and no option in one reaches them.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from hookci.scan.dependencies.dependency import Manifest
from hookci.scan.dependencies.manifests import Kind, kind_of, with_included
from hookci.scan.dependencies.requirements import read_requirements, requirements_text
from hookci.scan.dependencies.text import Text, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hookci.scan.adapter import Tree
    from hookci.scan.dependencies.dependency import Dependency
    from hookci.scan.dependencies.text import Place

__all__ = ["Open", "left_open", "open_elsewhere", "released", "rounds"]

_REQUIREMENTS = (Kind.REQUIREMENTS, None)  # any other name is one that a requirements file takes in


class Open(Struct, frozen=True, kw_only=True):
    """What the requirements file ``path`` and those it takes in (``files``) leave open, and what they pin beside that.

    ``requirements`` and ``constraints`` are in PEP 508's form.
    """

    path: str
    files: frozenset[str]
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]

    def names(self, *, here: bool = False) -> set[str]:
        """The canonical names of the packages; ``here``: of those that a marker does not rule out on this machine."""
        read = map(Requirement, self.requirements)
        return {
            str(canonicalize_name(one.name)) for one in read if not here or one.marker is None or one.marker.evaluate()
        }


def released(version: str | None) -> str:
    """A version as it was released, in PEP 440's form: advisories know no local builds; empty when it is none."""
    try:
        return Version(version or "").public
    except InvalidVersion:
        return ""


def rounds(dependencies: Iterable[Dependency]) -> list[dict[str, str]]:
    """The versions to ask about, each name once in a round: scanners take a second version for a contradiction."""
    versions: dict[str, list[str]] = {}
    for one in dependencies:
        version, known = released(one.version), versions.setdefault(one.name, [])
        if version and version not in known:
            known.append(version)
    count = max(map(len, versions.values()), default=0)
    return [{name: known[i] for name, known in sorted(versions.items()) if i < len(known)} for i in range(count)]


def left_open(tree: Tree, paths: Sequence[str], check: Callable[[], None]) -> list[Open]:
    """The requirements files that no other takes in, where they leave something open."""
    files = {path: with_included(tree, [path]) for path in paths if kind_of(path) in _REQUIREMENTS}
    # two files may take in each other
    tops = [path for path in files if not any(path in files[other] and other not in files[path] for other in files)]
    return [found for path in tops if (found := _open(tree, path, files[path], check)).requirements]


def open_elsewhere(dependencies: Iterable[Dependency]) -> list[str]:
    """The names of the packages that other files than requirements files name without a version."""
    names = {one.name for one in dependencies if not released(one.version) and kind_of(one.path) not in _REQUIREMENTS}
    return sorted(names)


def _open(tree: Tree, path: str, files: Sequence[str], check: Callable[[], None]) -> Open:
    read = [one for content in tree.contents(files).values() for one in _requirements(content, check)]
    pins = [one for one in read if _version(one)]
    return Open(
        path=path,
        files=frozenset(files),
        requirements=tuple(dict.fromkeys(str(one) for one in read if not _is_settled(one, pins))),
        constraints=tuple(f"{one.name}{one.specifier}{f'; {one.marker}' if one.marker else ''}" for one in pins),
    )


def _is_settled(one: Requirement, pins: Iterable[Requirement]) -> bool:
    same = (_version(pin) for pin in pins if canonicalize_name(pin.name) == canonicalize_name(one.name))
    return any(one.specifier.contains(version, prereleases=True) for version in same)


def _version(one: Requirement) -> str:
    exact = (of.version for of in one.specifier if of.operator in {"==", "==="} and not of.version.endswith(".*"))
    return released(next(exact, None))


class _Entries(Manifest):
    """The requirements of a file with their extras and markers."""

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__("", check)
        self.read: list[Requirement] = []

    def requirement(self, requirement: str, _place: Place) -> None:
        with suppress(InvalidRequirement):  # told where the tree is read
            one = Requirement(requirement)
            if one.url is None:
                self.read.append(one)


def _requirements(content: bytes, check: Callable[[], None]) -> list[Requirement]:
    entries = _Entries(check)
    with suppress(UnreadableError):  # the same
        read_requirements(Text(requirements_text(content)), entries)
    return entries.read
