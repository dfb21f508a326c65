"""Which files of a tree the scanners that ask a service look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.scan.dependencies.manifests import Kind, kind_of, with_included

if TYPE_CHECKING:
    from hookci.scan.adapter import Tree

__all__ = ["python_manifests"]


def python_manifests(tree: Tree) -> list[str]:
    """The files that declare or lock Python packages, and the requirements files they take in."""
    return with_included(tree, [path for path in tree.oids if kind_of(path) not in {None, Kind.NPM_LOCK}])
