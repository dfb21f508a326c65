"""The keys under which passes are remembered: everything a result depends on, compared whole."""

from __future__ import annotations

import functools
import json
import posixpath
from typing import TYPE_CHECKING

from hookci.execute.environment import expand, planned_environment
from hookci.execute.observations import ON_ENGINE
from hookci.execute.predefined import job_facts
from hookci.execute.variables import job_variables
from hookci.model.digests import sha256
from hookci.model.memory import JobKey
from hookci.model.scan import BASELINE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.execute.observations import Observation, Observatory
    from hookci.model.files import Files
    from hookci.model.pipeline import Job
    from hookci.model.plan import Plan, PlannedJob

__all__ = ["definition", "is_known", "job_keys", "looked_again"]

_FILE = "100"
"""What the modes of regular files begin with (gitformat-index(5))."""

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_SCHEMA = 3
"""Raised when the meaning of a key, or of what a job runs in, changes: older passes then count no more."""


def job_keys(plan: Plan, observatory: Observatory, blobs: Callable[[], Files]) -> dict[str, JobKey]:
    """The key of each planned job.

    Args:
        plan: what is to run; needed jobs come before those that need them.
        observatory: looks at this machine, once for all jobs at everything.
        blobs: lists the snapshot's paths with mode and object name; called only when a job declares inputs.
    """
    makes = _Makes(plan, observatory, functools.cache(observatory.look), blobs)
    for name in plan.jobs:
        makes.key(name)
    return {name: makes.keys[name] for name in plan.jobs}


class _Makes:
    """Makes the keys of one plan's jobs."""

    def __init__(
        self,
        plan: Plan,
        observatory: Observatory,
        look: Callable[[str, str], Observation],
        blobs: Callable[[], Files],
    ) -> None:
        self.plan, self.observatory, self.look, self.blobs = plan, observatory, look, blobs
        self.keys: dict[str, JobKey] = {}

    def key(self, name: str) -> JobKey:
        """The key of a job; of one that is needed it is made first, though it may come later in the plan."""
        if name not in self.keys:
            planned = self.plan.jobs[name]
            needs = {needed: self.key(needed).digest for needed in planned.depends_on}
            self.keys[name] = self._made(planned, needs)
        return self.keys[name]

    def _made(self, planned: PlannedJob, needs: Mapping[str, str]) -> JobKey:
        job = planned.job
        images = self._images(job) if job.contained else ()
        observations = tuple(self.observatory.of_job(job, images, self.look))
        parts = {
            "schema": _SCHEMA,
            "inputs": self._inputs(job),
            "definition": definition(job),
            "facts": self._facts(planned),
            "given": dict(planned.given),
            **({"given raw": sorted(planned.given_raw)} if planned.given_raw else {}),
            "needs": dict(needs),
            "observations": observations,
            # the tree has it, but declared inputs need not
            "baseline": self.blobs().get(BASELINE_FILE) if job.scan and job.inputs is not None else None,
        }
        return _made(parts, observations)

    def _facts(self, planned: PlannedJob) -> dict[str, str | None]:
        if not planned.facts:
            return {}
        job, plan = planned.job, self.plan
        known = {
            **plan.snapshot.facts,
            **dict.fromkeys(("HOOKCI_JOB", "CI_JOB_NAME"), job.name),
            **dict.fromkeys(("HOOKCI_STAGE", "CI_JOB_STAGE"), job.stage),
            "HOOKCI_HOOK": plan.hook,
            **job_facts(job, plan),
        }
        return {name: known.get(name) for name in planned.facts}

    def _inputs(self, job: Job) -> str:
        """The tree, or the digest of mode, object name and path of each declared input."""
        if job.inputs is None:
            return self.plan.snapshot.tree
        rows = (f"{found}\t{path}" for path, found in self.blobs().named(job.inputs).items())
        return sha256("\0".join(rows).encode(errors="surrogateescape")).hexdigest()

    def _images(self, job: Job) -> list[tuple[str, str | None]]:
        """The names and platforms of what it starts from or is built from; images of other jobs are in its needs."""
        if not job.contained:
            return []
        from hookci.model.container import images_of  # noqa: PLC0415 (not all jobs have containers)

        environment = planned_environment(self.observatory.user, job, self.plan)
        environment.update(job_variables(self.plan.jobs[job.name], environment, {}))
        named = [
            (expand(image.name, environment, gitlab=job.gitlab), image.platform)
            for image in images_of(job)
            if image.builder is None
        ]
        if job.build is None:
            return named
        path = posixpath.normpath(posixpath.join(job.build.context, job.build.dockerfile))
        mode, _, oid = self.blobs().get(path, "").partition(" ")
        if not mode.startswith(_FILE):
            return named
        args = {name: expand(value, environment) for name, value in job.build.args.items()}
        recipe = self.observatory.blob(oid).decode(errors="replace")
        from hookci.model.dockerfile import bases  # noqa: PLC0415 (few jobs build images)

        return [*named, *bases(recipe, args, job.build.target)]


def _made(parts: Mapping[str, object], observations: tuple[Observation, ...]) -> JobKey:
    text = _encode(parts)
    return JobKey(sha256(text.encode()).hexdigest(), text, observations)


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
    if not now or all(now.get(subject, value) == value for _, subject, value in keys[name].observations):
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
