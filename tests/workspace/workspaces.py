"""One kept workspace of a repository, brought to a revision again and again."""

from __future__ import annotations

import functools
import itertools
import os
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from guarded import contents, fresh

from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch
from hookci.workspace.checkout import Source
from hookci.workspace.kinds import Kind
from hookci.workspace.mounts import mount_overlay, unmount
from hookci.workspace.slot import Slot, Wanted
from hookci.workspace.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from conftest import Repo

UMASK = 0o022


@functools.cache
def can_overlay() -> bool:
    """Whether this process may mount overlays for all to see."""
    with tempfile.TemporaryDirectory() as top:
        places = [os.fsencode(tempfile.mkdtemp(dir=top)) for _ in range(4)]
        try:
            mount_overlay(*places)
        except OSError:
            return False
        unmount(places[-1])
        return True


KINDS = [
    pytest.param(Kind.COPY, id="copy"),
    pytest.param(
        Kind.OVERLAY,
        id="overlay",
        marks=pytest.mark.skipif(not can_overlay(), reason="overlays cannot be mounted here"),
    ),
]


@dataclass
class Bench:
    """``place`` is kept from one `reset` to the next."""

    repo: Repo
    place: Path
    kind: Kind = Kind.COPY
    settings: Mapping[str, str] = field(default_factory=dict)
    """What git is told in the clone that workspaces are compared with; the user's repository is set by hand."""
    said: list[str] = field(default_factory=list)
    leaving: ExitStack = field(default_factory=ExitStack)
    """What is done when the bench is over."""
    _slots: Slots | None = None
    _slot: Slot | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def slot(self) -> Slot:
        """The slot that holds what `reset` made."""
        assert self._slot is not None
        return self._slot

    @property
    def top(self) -> Path:
        """The workspace, as the job and we see it."""
        return self.slot.checkout.tree_path

    @property
    def private(self) -> Path:
        """The git directory that no job sees."""
        if self.kind is Kind.COPY:
            return self.slot.checkout.private
        return self.place / "work" / "pristine-0" / "git"

    def source(self) -> Source:
        repository = Repository.discover(self.repo.path, self.repo.env)
        return Source.of(repository, Scratch(self.place / "scratch"), workers=1, umask=UMASK)

    def run(self) -> Slots:
        """The workspaces of another run, which is over when the bench is."""
        slots = Slots(self.place / "work", "project", self.kind, sys.executable)
        self.leaving.callback(slots.close)
        return slots

    def take(self, slot: Slot) -> Slot:
        """Have ``slot`` given back with the bench."""
        self._slot = slot
        return slot

    def release(self) -> None:
        """End the job."""
        if self._slot is not None:
            self._slot.release()
            self._slot = None
        if self._slots is not None:
            self._slots.close()

    def prepare(self, tree: str, commit: str) -> None:
        """Make the workspace hold ``tree`` as for the first job of a new run."""
        self.release()
        self._slots = Slots(self.place / "work", "project", self.kind, sys.executable)
        self._slot = self._slots.acquire("job")
        before = os.umask(UMASK)
        try:
            self._slot.prepare(self.source(), Wanted(tree=tree, commit=commit, local=True), self.said.append)
        finally:
            os.umask(before)

    def reset(self, revision: str = "HEAD") -> dict[str, str]:
        """Make the workspace hold ``revision``, as for a job; what it holds then."""
        tree, commit = (self.repo.out("rev-parse", f"{revision}^{{{kind}}}") for kind in ("tree", "commit"))
        self.prepare(tree, commit)
        assert os.path.ismount(self.top) is (self.kind is Kind.OVERLAY)
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


@contextmanager
def opened(repo: Repo, place: Path, kind: Kind) -> Iterator[Bench]:
    """A bench whose last job has ended afterwards."""
    bench = Bench(repo, place, kind)
    try:
        yield bench
    finally:
        bench.release()
        bench.leaving.close()
