"""Jobs that deploy and were started by themselves: no release, but what is live is not known any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.git.releases import releases
from hookci.git.tags import person
from hookci.model.release import DeploymentState, Kind
from hookci.model.result import Outcome
from hookci.store.deployments import DeploymentStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hookci.git.repository import Repository
    from hookci.model.plan import Plan
    from hookci.model.result import RunResult

__all__ = ["note_started"]

_STARTED = frozenset({Outcome.PASSED, Outcome.ALLOWED_FAILURE, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CANCELLED})


def note_started(
    repository: Repository, state: Path, clock: Callable[[], float], plan: Plan, result: RunResult
) -> list[str]:
    """Write down which environments with releases jobs of a run have deployed to; in words, what was done.

    Args:
        repository: where the releases are.
        state: the directory of hookci's files.
        clock: tells unix seconds.
        plan: of the run, which is no deployment.
        result: what came of it.
    """
    noted = []
    for environment, jobs in _deployed(plan, result).items():
        known = releases(repository, environment)
        if not known:
            continue
        named = " and ".join(f"`{job}`" for job in jobs)
        with DeploymentStore(state, clock) as store:
            begun = store.begin(environment, plan.snapshot.commit, Kind.DEPLOY, person(repository))
            reason = f"{named} ran by itself, in run {result.number}"
            live = f"what {named} has made of release {known[0].number}"
            store.update(replace(begun, state=DeploymentState.PLAYED, reason=reason, live=live, told=True))
        noted.append(
            f"{environment}: {named} is done, but no release is written down: `hookci deploy {environment}` does that"
        )
    return noted


def _deployed(plan: Plan, result: RunResult) -> dict[str, list[str]]:
    """By environment, the jobs of a run that have deployed to it, or tried."""
    found: dict[str, list[str]] = {}
    for job in _started(result):
        where = plan.jobs[job].job.environment
        if where is not None and where.action == "start":
            found.setdefault(where.name, []).append(job)
    return found


def _started(result: RunResult) -> Iterator[str]:
    return (job.name for job in result.jobs if job.outcome in _STARTED and job.attempts)
