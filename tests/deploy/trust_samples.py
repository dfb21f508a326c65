"""Trees of a commit without a repository, and environments that deploy from them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hookci.deploy.files import files_run
from hookci.deploy.trust import Executed, executed
from hookci.errors import GitError
from hookci.model.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["SUBMODULE", "Tree", "of", "production", "run_by"]

SUBMODULE = "160000"


@dataclass
class Tree:
    """The files of a commit, and the objects of all commits so far."""

    blobs: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, path: str, content: bytes | str = "", mode: str = "100644") -> Tree:
        data = content.encode() if isinstance(content, str) else content
        oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        self.blobs[path] = f"{mode} {oid}"
        if mode != SUBMODULE:
            self.objects[oid] = data
        return self

    def script(self, path: str, content: bytes | str = "") -> Tree:
        return self.put(path, content, "100755")

    def link(self, path: str, target: str) -> Tree:
        return self.put(path, target, "120000")

    def read(self, oid: str) -> bytes:
        self.asked.append(oid)
        if oid not in self.objects:
            raise GitError(f"no object {oid}")
        return self.objects[oid]

    def changed(self) -> Tree:
        """Another commit, of the same files until one is put."""
        return Tree(dict(self.blobs), self.objects)


def run_by(tree: Tree, *commands: str, values: Iterable[str] = ()) -> set[str]:
    """The files of ``tree`` that ``commands`` run."""
    return files_run(commands, values, tree.blobs, tree.read)


def production(*script: str, trust: tuple[str, ...] = (), variables: Mapping[str, str] | None = None) -> Environment:
    return Environment(name="production", script=script, trust=trust, variables=variables or {})


def of(environment: Environment, tree: Tree) -> Executed:
    return executed(environment, tree.blobs, tree.read)
