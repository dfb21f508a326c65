"""The keys under which passes are remembered: everything a result depends on, compared whole."""

from __future__ import annotations

import hashlib
import json
import posixpath
from typing import TYPE_CHECKING

from hookci.execute.environment import expand, planned_environment
from hookci.execute.observations import ON_ENGINE
from hookci.execute.predefined import job_facts
from hookci.execute.variables import job_variables
from hookci.model.container import images_of
from hookci.model.dockerfile import bases
from hookci.model.globs import matcher
from hookci.model.memory import JobKey
from hookci.model.scan import BASELINE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.execute.observations import Observation, Observatory
    from hookci.model.pipeline import Job
    from hookci.model.plan import Plan, PlannedJob

__all__ = ["definition", "is_known", "job_keys", "looked_again", "narrowed"]

_FILE = "100"
"""What the modes of regular files begin with (gitformat-index(5))."""
_ALWAYS = (".gitattributes", ".gitmodules")

_SCHEMA = 2
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
    observations = tuple(observatory.of_job(job, _images(job, plan, observatory, blobs) if job.contained else ()))
    known = {
        **plan.snapshot.facts,
        **dict.fromkeys(("HOOKCI_JOB", "CI_JOB_NAME"), job.name),
        **dict.fromkeys(("HOOKCI_STAGE", "CI_JOB_STAGE"), job.stage),
        "HOOKCI_HOOK": plan.hook,
        **job_facts(job, plan),
    }
    parts = {
        "schema": _SCHEMA,
        "inputs": _inputs(job, plan, blobs),
        "definition": definition(job),
        "facts": {name: known.get(name) for name in planned.facts},
        "given": dict(planned.given),
        "needs": dict(needs),
        "observations": observations,
        # the tree has it, but declared inputs need not
        "baseline": blobs().get(BASELINE_FILE) if job.scan and job.inputs is not None else None,
    }
    return _made(parts, observations)


def _made(parts: Mapping[str, object], observations: tuple[Observation, ...]) -> JobKey:
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return JobKey(hashlib.sha256(text.encode()).hexdigest(), text, observations)


def _images(
    job: Job, plan: Plan, observatory: Observatory, blobs: Callable[[], Mapping[str, str]]
) -> list[tuple[str, str | None]]:
    """The names and platforms of what it is started or built from; images of other jobs are in its needs already."""
    environment = planned_environment(observatory.user, job, plan)
    environment.update(job_variables(plan.jobs[job.name], environment, {}))
    named = [
        (expand(image.name, environment, gitlab=job.gitlab), image.platform)
        for image in images_of(job)
        if image.builder is None
    ]
    if job.build is None:
        return named
    path = posixpath.normpath(posixpath.join(job.build.context, job.build.dockerfile))
    mode, _, oid = blobs().get(path, "").partition(" ")
    if not mode.startswith(_FILE):
        return named
    args = {name: expand(value, environment) for name, value in job.build.args.items()}
    recipe = observatory.blob(oid).decode(errors="replace")
    return [*named, *bases(recipe, args, job.build.target)]


def is_known(key: JobKey) -> bool:
    """Whether all was there that had to be looked at; under any other key nothing can be remembered."""
    return all(value for kind, _, value in key.observations if kind in ON_ENGINE)


def looked_again(
    keys: Mapping[str, JobKey], plan: Plan, name: str, look: Callable[[str, str], Observation]
) -> Mapping[str, JobKey]:
    """The same keys once the job ``name`` has run: which images it was started from may be known only now.

    What was fetched for it is then known of the jobs that wait for the same images too.
    """
    now = {subject: look(kind, subject)[2] for kind, subject, _ in keys[name].observations if kind == "image"}
    if all(now.get(subject, value) == value for _, subject, value in keys[name].observations):
        return keys
    fresh: dict[str, JobKey] = {}

    def again(job: str) -> JobKey:
        if job not in fresh:
            observations = tuple(
                (kind, subject, now.get(subject, value) if kind == "image" and (job == name or not value) else value)
                for kind, subject, value in keys[job].observations
            )
            needs = {needed: again(needed).digest for needed in plan.jobs[job].depends_on}
            parts = json.loads(keys[job].text)
            fresh[job] = _made({**parts, "needs": needs, "observations": observations}, observations)
        return fresh[job]

    return {job: again(job) for job in keys}


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
        "artifacts": [
            job.artifacts.paths,
            job.artifacts.exclude,
            job.artifacts.when,
            job.artifacts.untracked,
            job.artifacts.dotenv,
        ],
        "junit": job.junit,
        "cache": [[cache.key, cache.key_files, cache.paths, cache.policy, cache.untracked] for cache in job.cache],
        "scan": repr(job.scan),
        "gitlab": [job.gitlab, sorted(job.raw), job.before_checkout, repr(job.environment), job.coverage],
        **({"containers": repr((job.image, job.services, job.build))} if job.contained else {}),
    }
