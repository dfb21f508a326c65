"""From the files of a tree to the dependencies in them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.scan.dependencies.dependency import Manifest, not_scanned
from hookci.scan.dependencies.locks import read_pipfile_lock, read_poetry_lock, read_pylock, read_uv_lock
from hookci.scan.dependencies.manifests import Kind, included_path, kind_of
from hookci.scan.dependencies.npm import read_npm_lock
from hookci.scan.dependencies.pyproject import read_pyproject
from hookci.scan.dependencies.requirements import includes, read_requirements, requirements_text
from hookci.scan.dependencies.text import NOWHERE, Text, UnreadableError, decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from hookci.model.finding import Finding
    from hookci.scan.adapter import Tree
    from hookci.scan.dependencies.dependency import Dependency

__all__ = ["Declared", "read_declared"]

_LARGEST = 32 * 2**20
_PYTHON_LOCKS = frozenset({Kind.UV_LOCK, Kind.POETRY_LOCK, Kind.PYLOCK, Kind.PIPFILE_LOCK})
_READERS: dict[Kind, Callable[[Text, Manifest], None]] = {
    Kind.REQUIREMENTS: read_requirements,
    Kind.PYPROJECT: read_pyproject,
    Kind.UV_LOCK: read_uv_lock,
    Kind.POETRY_LOCK: read_poetry_lock,
    Kind.PYLOCK: read_pylock,
    Kind.PIPFILE_LOCK: read_pipfile_lock,
    Kind.NPM_LOCK: read_npm_lock,
}


class Declared(Struct, frozen=True):
    """What a tree declares and locks.

    ``addresses`` are the names of what cannot be judged since it comes from an address; ``findings`` say what could
    not be read; ``files`` counts those that could.
    """

    dependencies: tuple[Dependency, ...]
    addresses: tuple[str, ...]
    findings: tuple[Finding, ...]
    files: int


def read_declared(tree: Tree, paths: Sequence[str], check: Callable[[], None]) -> Declared:
    """Read the files ``paths``; ``check`` is called again and again."""
    manifests: list[Manifest] = []
    findings: list[Finding] = []
    for path, data in tree.contents(paths).items():
        manifest = Manifest(path, check)
        try:
            text = _read(data, manifest)
        except UnreadableError as error:
            place = Text(decoded(data)).line(error.line) if error.line else NOWHERE
            findings.append(not_scanned(path, f"cannot be read: {error.message}", place, tree.oids[path]))
            continue
        manifests.append(manifest)
        findings += _unread_lines(manifest, tree.oids[path])
        findings += _lost_includes(path, text, tree)
    addresses = dict.fromkeys(name for manifest in manifests for name in manifest.addresses)
    return Declared(tuple(_to_judge(manifests)), tuple(addresses), tuple(findings), len(manifests))


def _read(data: bytes, manifest: Manifest) -> Text:
    if len(data) > _LARGEST:
        raise UnreadableError(f"larger than {_LARGEST // 2**20} MiB")
    kind = kind_of(manifest.path) or Kind.REQUIREMENTS  # any other name is one that a requirements file takes in
    text = Text(requirements_text(data) if kind is Kind.REQUIREMENTS else decoded(data))
    _READERS[kind](text, manifest)
    return text


def _unread_lines(manifest: Manifest, oid: str) -> Iterator[Finding]:
    """One finding for all the lines of a file: prose that is called ``requirements.txt`` has many."""
    if manifest.problems:
        reason, place = manifest.problems[0]
        others = len(manifest.problems) - 1
        more = f" (and {others} more)" if others else ""
        yield not_scanned(manifest.path, f"{reason}{more}", place, oid)


def _lost_includes(path: str, text: Text, tree: Tree) -> Iterator[Finding]:
    if (kind_of(path) or Kind.REQUIREMENTS) is not Kind.REQUIREMENTS:
        return
    for target, place in includes(text):
        taken = included_path(path, target)
        if taken not in tree.oids:
            reason = f"takes in {target}, which is not in the repository"
            yield not_scanned(path, reason, place, target)


def _to_judge(manifests: Iterable[Manifest]) -> Iterator[Dependency]:
    """All of them but what a pyproject.toml leaves open and a lock beside it settles."""
    locked = {
        (posixpath.dirname(manifest.path), dependency.name)
        for manifest in manifests
        if kind_of(manifest.path) in _PYTHON_LOCKS
        for dependency in manifest.dependencies
    }
    for manifest in manifests:
        open_here = kind_of(manifest.path) is Kind.PYPROJECT
        directory = posixpath.dirname(manifest.path)
        for dependency in manifest.dependencies:
            if not (open_here and dependency.version is None and (directory, dependency.name) in locked):
                yield dependency
