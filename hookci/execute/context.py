"""What all jobs of one run share."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.execute.environment import given_environment
from hookci.execute.variables import hidden_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from hookci.model.files import Files
    from hookci.model.pipeline import Job
    from hookci.model.plan import Plan
    from hookci.workspace.artifacts import ArtifactStore
    from hookci.workspace.cache import CacheStore
    from hookci.workspace.checkout import Source
    from hookci.workspace.slots import Slots

__all__ = ["RunContext"]


class RunContext(Struct, frozen=True, kw_only=True, dict=True):
    """One run's plan, and the places its jobs read from and write to.

    ``user`` is the environment hookci was started in.  ``carried_from`` is the top of the user's work
    tree, None in a bare repository.  ``blobs`` lists the snapshot's files with their object names;
    ``passed_in`` is the run a job's files come from, where that is another one; ``open_log`` makes a
    job's log and tells its path; ``which`` finds a program on a PATH, ``clock`` tells unix seconds.
    """

    number: int
    plan: Plan
    source: Source
    slots: Slots
    caches: CacheStore
    artifacts: ArtifactStore
    user: Mapping[str, str]
    carried_from: Path | None
    blobs: Callable[[], Files]
    passed_in: Mapping[str, int]
    open_log: Callable[[str], tuple[str, BinaryIO]]
    which: Callable[[str, str], str | None]
    clock: Callable[[], float]

    @functools.cached_property
    def hidden(self) -> frozenset[str]:
        """What no job of the run may show; found out once for all of them."""
        return hidden_values(self.plan, self.user)

    @functools.cached_property
    def places(self) -> Mapping[str, int]:
        """Which of the plan's jobs each is, from 1 on."""
        return {name: place for place, name in enumerate(self.plan.jobs, 1)}

    def given(self, job: Job) -> Mapping[str, str]:
        """What ``job`` gets of the environment that hookci was started in; jobs that name the same share it."""
        asked = (job.contained, job.pass_env, job.secrets)
        if asked not in self._given:
            self._given[asked] = given_environment(self.user, job)
        return self._given[asked]

    @functools.cached_property
    def _given(self) -> dict[tuple[object, ...], dict[str, str]]:
        return {}
