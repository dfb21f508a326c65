"""What the scans of a run are given: the files of the snapshot, what it is compared with, and what it adds."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.execute.keys import definition
from hookci.execute.scans import Comparison, ScanContext
from hookci.git.comparison import read_blobs, renames
from hookci.git.patches import patches_of_commits, patches_of_index, patches_of_tree
from hookci.git.snapshots import config_files, of_revision, tree_blobs
from hookci.model.scan import BASELINE_FILE
from hookci.model.snapshot import FORK_POINT
from hookci.scan.adapter import Tree
from hookci.scan.baseline import read_baseline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hookci.execute.context import RunContext
    from hookci.execute.observations import Observatory
    from hookci.git.patches import Patches
    from hookci.git.repository import Repository
    from hookci.git.snapshots import Scratch
    from hookci.model.pipeline import Job
    from hookci.model.scan import ScanChoice
    from hookci.scan.trees import FindingMemory

__all__ = ["Scans"]

_FILE_MODES = {"100644", "100755"}


class Scans(Struct, frozen=True, kw_only=True):
    """All that scans need of the repository and the machine; nothing is asked of git before a scan wants it."""

    repository: Repository
    scratch: Scratch
    observatory: Observatory
    memory: FindingMemory
    python: str
    processors: int
    clock: Callable[[], float]

    def context(self, run: RunContext, choice: ScanChoice) -> ScanContext:
        """The context of the scans of ``run``."""
        snapshot = run.plan.snapshot
        point = snapshot.facts.get(FORK_POINT)
        return ScanContext(
            memory=self.memory,
            head=functools.cache(lambda: self._tree(run.blobs())),
            comparison=self._comparison(run, point) if point else None,
            patches=self._patches(run, point or None, choice),
            baseline=functools.cache(lambda: self._baseline(snapshot.tree)),
            key=self._key,
            data=self.observatory.data,
            salt=self.observatory.salt,
            python=self.python,
            processors=self.processors,
            clock=self.clock,
            wanted=choice.wants,
            everything=choice.everything,
        )

    def _tree(self, blobs: Mapping[str, str]) -> Tree:
        files = {path: found.split(" ") for path, found in blobs.items()}
        regular = {path: (mode, oid) for path, (mode, oid) in files.items() if mode in _FILE_MODES}

        def read(oids: Iterable[str]) -> Mapping[str, bytes]:
            return read_blobs(self.repository, self.scratch, oids)

        executable = frozenset(path for path, (mode, _oid) in regular.items() if mode == "100755")
        return Tree({path: oid for path, (_mode, oid) in regular.items()}, executable, read)

    def _comparison(self, run: RunContext, point: str) -> Comparison:
        base = functools.cache(lambda: of_revision(self.repository, point))
        blobs = functools.cache(lambda: tree_blobs(self.repository, self.scratch, self._base_tree(point)))
        return Comparison(
            label="HEAD" if run.plan.snapshot.source == "index" else point[:8],
            oid=self._base_tree(point),
            tree=functools.cache(lambda: self._tree(blobs())),
            renamed=functools.cache(
                lambda: renames(self.repository, self.scratch, self._base_tree(point), run.plan.snapshot.tree)
            ),
            context=lambda: replace(run, plan=replace(run.plan, snapshot=base()), blobs=blobs),
        )

    def _base_tree(self, point: str) -> str:
        name = f"{point}^{{tree}}"
        return self.repository.look_up([name])[name].oid

    def _patches(self, run: RunContext, point: str | None, choice: ScanChoice) -> Patches | None:
        """What the commit or push adds; None where the whole tree is to be looked at."""
        snapshot = run.plan.snapshot
        if choice.everything or (point is None and snapshot.source == "commit"):
            return None
        if snapshot.source == "index":
            patches = patches_of_index(self.repository, self.scratch, snapshot.commit)
        elif snapshot.source == "work tree":
            patches = patches_of_tree(self.repository, self.scratch, point, snapshot.tree)
        else:
            remote = snapshot.facts.get("HOOKCI_REMOTE", "origin")
            known = tuple(commit for commit in (snapshot.base, point) if commit)
            patches = patches_of_commits(self.repository, self.scratch, snapshot.commit, known, remote)
        return replace(patches, paths=choice.wants)

    def _baseline(self, tree: str) -> Mapping[str, int]:
        files = config_files(self.repository, self.scratch, tree, (BASELINE_FILE,))
        return read_baseline(files.get(BASELINE_FILE))

    def _key(self, job: Job, tree: str) -> str | None:
        """What a job's own scanner finds in a tree is remembered under; None when it is not to be."""
        if not job.memory or job.max_age is not None:
            return None
        scan = replace(job.scan, suppressions=()) if job.scan else None
        parts = [tree, definition(replace(job, scan=scan)), self.observatory.of_job(job)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
