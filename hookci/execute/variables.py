"""The variables of a job: those it sets, those others hand to it, and which of them nobody may see.

Source: GitLab CI/CD, "CI/CD variable precedence".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.execute.environment import expand, expand_all, secret_values
from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.model.pipeline import Job
    from hookci.model.plan import Plan, PlannedJob

__all__ = ["ASKING", "Asked", "hidden_values", "job_variables"]

ASKING = frozenset(
    {"GIT_STRATEGY", "RUNNER_SCRIPT_TIMEOUT", "RUNNER_AFTER_SCRIPT_TIMEOUT", "AFTER_SCRIPT_IGNORE_ERRORS"}
)
"""The names of variables by which a job of a GitLab file asks something of its runner."""

_SECRET = pattern(
    r"(?:^|_)(?:TOKEN|SECRETS?|PASS(?:WORD|WD|PHRASE)?|PWD|CREDENTIALS?|AUTH|PAT|"
    r"(?:API|ACCESS|PRIVATE|SECRET|DEPLOY|SIGNING|ENCRYPTION|SSH|GPG)_?KEY)(?:_|$|[0-9])",
    re.IGNORECASE,
)
"""The names of variables whose values are nobody's business; a person gives them by hand."""


class Asked(Struct, frozen=True, kw_only=True):
    """What a job asks of its runner (`hookci.execute.runner` reads it).

    ``sources`` says whether there is a checkout, ``script_timeout`` and ``after_timeout`` are in seconds, None for
    those that every job has, ``after_counts`` says whether an after_script that fails fails the job, ``wrong`` why
    the job cannot be run.
    """

    sources: bool = True
    script_timeout: float | None = None
    after_timeout: float | None = None
    after_counts: bool = False
    wrong: str = ""


def job_variables(planned: PlannedJob, known: Mapping[str, str], handed: Mapping[str, str]) -> dict[str, str]:
    """All variables that a job sets or is given, with what they refer to in place.

    Args:
        planned: the job.
        known: what is set beside them; they win over it.
        handed: what jobs before it handed on in ``dotenv`` reports; they win over the job's own.
    """
    job = planned.job
    variables = {**job.variables, **handed, **planned.given}
    if not job.gitlab:
        return expand_all(variables, known)
    raw = planned.raw - (handed.keys() - planned.given.keys())
    done = expand_all(variables, known, gitlab=True, raw=raw)
    told = _told(job, {**known, **done})
    again = expand_all(variables, {**known, **told}, gitlab=True, raw=raw) if told else done
    return {**told, **again}


def _told(job: Job, known: Mapping[str, str]) -> dict[str, str]:
    """What depends on the job's variables, and they may name in turn."""
    told = {}
    if job.image is not None:
        told["CI_JOB_IMAGE"] = expand(job.image.name, known, gitlab=True)
    if job.environment is not None:
        from hookci.model.deployed import environment_facts  # noqa: PLC0415 (few jobs deploy)

        told |= environment_facts(job.environment, lambda text, more: expand(text, {**known, **more}, gitlab=True))
    return told


def hidden_values(plan: Plan, user: Mapping[str, str]) -> frozenset[str]:
    """What must not be shown of any job's output, beside what it has of secrets of its own.

    The secrets of all jobs, since another one may have handed them over in a file, and what a person gave under a
    secret's name.

    Args:
        plan: that of a run.
        user: the environment that hookci was started in.
    """
    everyones = {name for other in plan.jobs.values() for name in other.job.secrets}
    asked = {
        value
        for other in plan.jobs.values()
        if other.parent is None
        for name, value in other.given.items()
        if value and _SECRET.search(name)
    }
    return frozenset(secret_values(user, sorted(everyones)) | asked)
