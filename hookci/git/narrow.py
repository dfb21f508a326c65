"""A tree with some of a snapshot's files only, for jobs that declare what they depend on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.git.repository import Repository
    from hookci.git.snapshots import Scratch

__all__ = ["narrow_tree"]


def narrow_tree(repository: Repository, scratch: Scratch, files: Mapping[str, str], marker: str) -> str:
    """Write the tree that holds exactly ``files`` among hookci's own objects.

    Args:
        repository: where the files' objects are.
        scratch: where the tree goes.
        files: mode and object name (``100644 <oid>``) by path.
        marker: tells apart those who do this at the same time.
    """
    index = scratch.directory / f"narrow-{os.getpid()}-{marker}"
    environment = {**scratch.environment(repository), "GIT_INDEX_FILE": str(index)}
    rows = "".join(f"{found}\t{path}\0" for path, found in files.items())
    try:
        repository.git("update-index", "-z", "--index-info", stdin=os.fsencode(rows), env=environment)
        return repository.git("write-tree", env=environment).stdout.decode("ascii").strip()
    finally:
        index.unlink(missing_ok=True)
