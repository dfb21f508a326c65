"""What is remembered, looked up and written down: passes of jobs, and verdicts as a whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.execute.environment import planned_environment
from hookci.execute.keys import is_known, job_keys, looked_again
from hookci.execute.variables import job_variables
from hookci.model.memory import RememberedVerdict
from hookci.model.result import Outcome, Verdict
from hookci.model.snapshot import DEPLOYS, FORK_POINT
from hookci.recall.marking import usable, with_memory
from hookci.store.private import is_private_file, private_file, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from hookci.execute.circumstances import Witness
    from hookci.execute.observations import Observatory
    from hookci.model.files import Files
    from hookci.model.memory import JobKey, Pass
    from hookci.model.plan import Plan, PlannedJob
    from hookci.model.result import RunResult
    from hookci.model.snapshot import Snapshot
    from hookci.store.memory import Memory
    from hookci.workspace.artifacts import ArtifactStore
    from hookci.workspace.cache import CacheStore

__all__ = ["Recall", "Remembering", "read_salt"]

_SALT = 32


def _no_shortcut(_hook: str, _tree: str, _known: RememberedVerdict) -> None:
    pass


class Recall(Struct, frozen=True):
    """A plan in which remembered jobs are marked, and the key of every job.

    The keys become others while the plan is run and images are fetched.  The jobs ``again`` run all the same.
    """

    plan: Plan
    keys: dict[str, JobKey]
    again: Collection[str] = ()

    def key_of(self, name: str, observatory: Observatory, witness: Witness) -> JobKey | None:
        """The key of a job that has run, by the images it ran in; None when that cannot be known."""
        now = looked_again(self.keys, self.plan, name, observatory.look)
        if now is not self.keys:
            self.keys.update(now)
        key = self.keys[name]
        return replace(key, circumstances=witness.text(key)) if is_known(key) else None


class Remembering(Struct, frozen=True, kw_only=True):
    """The memory of one repository, on one machine, for one installation of hookci.

    ``use`` says whether what is remembered may answer; ``clock`` tells unix seconds.  ``compared`` finds out what a
    snapshot is compared with, which costs a look at git and which only scans ask for; ``deploys`` are the environments
    that this clone deploys.  ``shortcut`` lets the hooks' shim know of a verdict, by hook and tree.
    """

    memory: Memory
    observatory: Observatory
    artifacts: ArtifactStore
    caches: CacheStore
    user: Mapping[str, str]
    installation: str
    clock: Callable[[], float]
    compared: Callable[[Snapshot], Snapshot]
    deploys: tuple[str, ...] = ()
    use: bool = True
    shortcut: Callable[[str, str, RememberedVerdict], None] = _no_shortcut

    def recall(
        self, plan: Plan, blobs: Callable[[], Files], files_of: Collection[str] = (), again: Collection[str] = ()
    ) -> Recall:
        """Mark the jobs of ``plan`` that need not run.

        Of the jobs ``files_of`` the files must be there, too; the jobs ``again`` run in any case.
        """
        keys = job_keys(plan, self.observatory, blobs)
        if not self.use:
            return Recall(plan, keys, again)
        passes = {
            name: found
            for name, key in keys.items()
            if name not in again and (found := self._passed(plan.jobs[name], key)) is not None
        }

        def still_there(planned: PlannedJob, run: int) -> bool:
            return self._still_there(planned, run, plan, blobs)

        marked = with_memory(plan, passes, now=self.clock(), still_there=still_there, files_of=files_of)
        return Recall(marked, keys, again)

    def find(self, recall: Recall, blobs: Callable[[], Files]) -> Callable[[PlannedJob, JobKey], Pass | None]:
        """A look for one job, by when it is about to run: another run may have passed it meanwhile."""

        def look(planned: PlannedJob, key: JobKey) -> Pass | None:
            found = self.memory.passed(key) if self.use and planned.job.name not in recall.again else None
            if found is None or not usable(planned.job, found, self.clock()):
                return None
            return found if self._still_there(planned, found.run, recall.plan, blobs) else None

        return look

    def _still_there(self, planned: PlannedJob, run: int, plan: Plan, blobs: Callable[[], Files]) -> bool:
        """Whether the files that a job handed on in a run can still be had."""
        job = planned.job
        if job.artifacts.any and not self.artifacts.has(run, job.name):
            return False
        if job.build is not None and not self._is_built(run, job.name):
            return False
        if not job.cache:
            return True
        from hookci.execute.caching import cache_places  # noqa: PLC0415 (few jobs hand files on)
        from hookci.execute.handing import SOMEWHERE  # noqa: PLC0415
        from hookci.model.pipeline import CachePolicy  # noqa: PLC0415

        environment = {"CI_PROJECT_DIR": SOMEWHERE, **planned_environment(self.user, job, plan)}
        environment.update(job_variables(planned, environment, {}))
        places = cache_places(job, environment, blobs)
        return all(self.caches.has(place) for cache, place in places if cache.policy is not CachePolicy.PULL)

    def _passed(self, planned: PlannedJob, key: JobKey) -> Pass | None:
        """The pass that is remembered; that of a job that builds an image only while there is one to be deployed."""
        found = self.memory.passed(key)
        if found is None or planned.job.build is None or self._is_built(found.run, planned.job.name):
            return found
        return None

    def _is_built(self, run: int, job: str) -> bool:
        """Whether the engine still has the image that a job built in a run."""
        image = self.artifacts.image(run, job)
        return image is not None and self.observatory.image_id(image.id, None) == image.id

    # -- verdicts

    def known_green(self, hook: str, snapshot: Snapshot) -> int | None:
        """The run whose green verdict holds for ``snapshot`` too; None when there is none."""
        if not self.use:
            return None
        now = self.clock()
        for known in self.memory.verdicts(hook, snapshot.tree, self.installation):
            if known.expires is not None and not known.since <= now < known.expires:
                continue
            if FORK_POINT in dict(known.facts):
                snapshot = self.compared(snapshot)
            if any(self._fact(snapshot, name) != value for name, value in known.facts):
                continue
            if all(self.observatory.look(kind, subject)[2] == value for kind, subject, value in known.observations):
                self.shortcut(hook, snapshot.tree, known)
                return known.run
        return None

    def _fact(self, snapshot: Snapshot, name: str) -> str | None:
        return ",".join(sorted(self.deploys)) if name == DEPLOYS else snapshot.fact(name)

    def remember(self, recall: Recall, result: RunResult) -> None:
        """Write a verdict down, if it is green in all its parts and about all that the hook asks for."""
        plan = recall.plan
        outcomes = {job.name: job.outcome for job in result.jobs}
        ran = {
            name
            for name, outcome in outcomes.items()
            if outcome in {Outcome.PASSED, Outcome.REMEMBERED} and plan.jobs[name].job.trigger is None
        }
        overlooked = set(outcomes.values()) & {Outcome.ALLOWED_FAILURE, Outcome.UNSUPPORTED}
        if result.verdict is not Verdict.GREEN or not plan.whole or plan.skip or overlooked:
            return
        if not all(plan.jobs[name].job.memory and is_known(recall.keys[name]) for name in ran):
            return
        observations = {observation for name in ran for observation in recall.keys[name].observations}
        verdict = RememberedVerdict(
            run=result.number,
            facts=tuple(plan.facts_read.items()),
            observations=tuple(sorted(observations)),
            since=self.clock(),
            expires=min((end for name in ran if (end := self._end(recall, name)) is not None), default=None),
        )
        self.memory.remember_verdict(plan.hook, plan.snapshot.tree, self.installation, verdict)
        self.shortcut(plan.hook, plan.snapshot.tree, verdict)

    def _end(self, recall: Recall, name: str) -> float | None:
        """Until when the pass of a job counts, in unix seconds; None for ever."""
        age, found = recall.plan.jobs[name].job.max_age, self.memory.passed(recall.keys[name])
        ends = [] if age is None else [(found.finished if found else 0.0) + age]
        if found is not None and found.expires is not None:
            ends.append(found.expires)
        return min(ends, default=None)


def read_salt(state: Path) -> bytes:
    """This clone's own secret, made when it is missing; digests of the environment are made with it."""
    path = state / "salt"
    if not is_private_file(path):
        write_atomic(path, os.urandom(_SALT))
    with os.fdopen(private_file(path, os.O_RDONLY), "rb") as file:
        return file.read()
