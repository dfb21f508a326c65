"""The names by which a person calls commits."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookci.git.repository import Repository

__all__ = ["branches_and_tags"]


def branches_and_tags(repository: Repository) -> list[str]:
    """Branches and then tags, each in the shortest form that names it alone."""
    listing = repository.git("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags").stdout
    return os.fsdecode(listing).splitlines()
