"""The keys under which passes are remembered: everything a result depends on, compared whole."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from hookci.model.globs import matcher
from hookci.model.memory import JobKey
from hookci.model.scan import BASELINE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.execute.observations import Observatory
    from hookci.model.pipeline import Job
    from hookci.model.plan import Plan, PlannedJob

__all__ = ["definition", "job_keys", "narrowed"]

_ALWAYS = (".gitattributes", ".gitmodules")

_SCHEMA = 1
"""Raised when the meaning of a key, or of what a job runs in, changes: older passes then count no more."""


def job_keys(plan: Plan, observatory: Observatory, blobs: Callable[[], Mapping[str, str]]) -> dict[str, JobKey]:
    """The key of each planned job.

    Args:
        plan: what is to run; needed jobs come before those that need them.
        observatory: looks at this machine.
        blobs: lists the snapshot's paths with mode and object name; called only when a job declares inputs.
    """
    keys: dict[str, JobKey] = {}
    for name, planned in plan.jobs.items():
        needs = {needed: _key_of(needed, plan, keys, observatory, blobs).digest for needed in planned.depends_on}
        keys[name] = _key(planned, plan, needs, observatory, blobs)
    return keys


def _key_of(
    name: str,
    plan: Plan,
    keys: dict[str, JobKey],
    observatory: Observatory,
    blobs: Callable[[], Mapping[str, str]],
) -> JobKey:
    """The key of a needed job, which may belong to a later stage and so come later in the plan."""
    if name not in keys:
        planned = plan.jobs[name]
        needs = {needed: _key_of(needed, plan, keys, observatory, blobs).digest for needed in planned.depends_on}
        keys[name] = _key(planned, plan, needs, observatory, blobs)
    return keys[name]


def _key(
    planned: PlannedJob,
    plan: Plan,
    needs: Mapping[str, str],
    observatory: Observatory,
    blobs: Callable[[], Mapping[str, str]],
) -> JobKey:
    job = planned.job
    observations = tuple(observatory.of_job(job))
    known = {
        **plan.snapshot.facts,
        **dict.fromkeys(("HOOKCI_JOB", "CI_JOB_NAME"), job.name),
        **dict.fromkeys(("HOOKCI_STAGE", "CI_JOB_STAGE"), job.stage),
        "HOOKCI_HOOK": plan.hook,
    }
    parts = {
        "schema": _SCHEMA,
        "inputs": _inputs(job, plan, blobs),
        "definition": definition(job),
        "facts": {name: known.get(name) for name in planned.facts},
        "needs": dict(needs),
        "observations": observations,
        # the tree has it, but declared inputs need not
        "baseline": blobs().get(BASELINE_FILE) if job.scan and job.inputs is not None else None,
    }
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return JobKey(hashlib.sha256(text.encode()).hexdigest(), text, observations)


def _inputs(job: Job, plan: Plan, blobs: Callable[[], Mapping[str, str]]) -> str:
    """The tree, or the digest of mode, object name and path of each declared input."""
    if job.inputs is None:
        return plan.snapshot.tree
    rows = [f"{found}\t{path}" for path, found in sorted(narrowed(blobs(), job.inputs).items())]
    return hashlib.sha256("\0".join(rows).encode(errors="surrogateescape")).hexdigest()


def narrowed(blobs: Mapping[str, str], inputs: tuple[str, ...]) -> dict[str, str]:
    """Those of a snapshot's files that declared inputs name, and those that say how git writes files."""
    tests = [matcher(pattern) for pattern in inputs]
    return {
        path: found
        for path, found in blobs.items()
        if path.rpartition("/")[2] in _ALWAYS or any(test(path) for test in tests)
    }


def definition(job: Job) -> dict[str, object]:
    """What a job does; how it is scheduled (stage, retry, deadline) changes no pass."""
    return {
        "shell": job.shell,
        "before_script": job.before_script,
        "script": job.script,
        "after_script": job.after_script,
        "variables": dict(job.variables),
        "pass_env": job.pass_env,
        "secrets": job.secrets,
        "carry": job.carry,
        "inputs": job.inputs,
        "artifacts": [job.artifacts.paths, job.artifacts.exclude, job.artifacts.when],
        "junit": job.junit,
        "cache": [[cache.key, cache.key_files, cache.paths, cache.policy] for cache in job.cache],
        "scan": repr(job.scan),
    }
