"""One kept checkout of a repository, brought to a revision again and again."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guarded import contents, fresh

from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch
from hookci.workspace.checkout import Checkout, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from conftest import Repo

UMASK = 0o022


@dataclass
class Bench:
    """``place`` is kept from one `reset` to the next, as a slot is."""

    repo: Repo
    place: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    """What git is told in the clone that workspaces are compared with; the user's repository is set by hand."""
    said: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def checkout(self) -> Checkout:
        return Checkout(self.place / "work" / "project", self.place / "work" / "git")

    @property
    def top(self) -> Path:
        return self.checkout.tree_path

    def source(self) -> Source:
        repository = Repository.discover(self.repo.path, self.repo.env)
        return Source.of(repository, Scratch(self.place / "scratch"), workers=1, umask=UMASK)

    def reset(self, revision: str = "HEAD") -> dict[str, str]:
        """Make the checkout hold ``revision``, as for a job; what it holds then."""
        source = self.source()
        tree = self.repo.out("rev-parse", f"{revision}^{{tree}}")
        before = os.umask(UMASK)
        try:
            self.checkout.reset(source, tree, keep=frozenset(), fill=lambda: None, say=self.said.append)
            self.checkout.expose(source, self.repo.out("rev-parse", f"{revision}^{{commit}}"))
        finally:
            os.umask(before)
        return contents(self.top)

    def fresh(self, revision: str = "HEAD") -> dict[str, str]:
        """What git itself makes of ``revision`` in a new clone."""
        before = os.umask(UMASK)
        try:
            return fresh(self.repo, revision, self.place / f"fresh-{next(self._numbers)}", self.settings)
        finally:
            os.umask(before)

    def git(self, *arguments: str) -> str:
        """What git says to a job that stands in the workspace."""
        return self.repo.run("git", *arguments, cwd=self.top).stdout
