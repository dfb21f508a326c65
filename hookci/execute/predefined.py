"""What GitLab tells every job about itself, for jobs that were written for it.

Source: GitLab CI/CD, "Predefined CI/CD variables reference".
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from hookci.model.pipeline import When
from hookci.model.plan import Action
from hookci.model.slugs import slug

if TYPE_CHECKING:
    from hookci.model.pipeline import Job
    from hookci.model.plan import Plan

__all__ = ["attempt_facts", "job_facts"]


def job_facts(job: Job, plan: Plan) -> dict[str, str]:
    """What is known of a job that was written for GitLab before it runs; nothing of another one."""
    if not job.gitlab:
        return {}
    planned = plan.jobs.get(job.name)
    prefix = f"{planned.parent}/" if planned and planned.parent else ""
    name = job.name.removeprefix(prefix)
    facts = {
        "GITLAB_CI": "true",
        "CI_SERVER": "yes",
        "CI_SERVER_NAME": "GitLab",
        "CI_CONFIG_PATH": plan.source,
        "CI_JOB_NAME": name,
        "CI_JOB_NAME_SLUG": slug(name),
        "CI_JOB_GROUP_NAME": job.group.removeprefix(prefix),
        "CI_JOB_TIMEOUT": f"{job.timeout:.0f}",
        "CI_NODE_TOTAL": "1",
    }
    if plan.name:
        facts["CI_PIPELINE_NAME"] = plan.name
    if job.when is When.MANUAL or (planned and planned.action is Action.MANUAL):
        facts["CI_JOB_MANUAL"] = "true"
    return facts


def attempt_facts(job: Job, number: int, place: int, workspace: str, now: float) -> dict[str, str]:
    """What is known when an attempt begins.

    Args:
        job: the job.
        number: the number of the run.
        place: which job of its plan it is, from 1 on.
        workspace: the checkout, as the job's commands see it.
        now: unix seconds.
    """
    if not job.gitlab:
        return {}
    return {
        "CI_PIPELINE_IID": str(number),
        "CI_JOB_ID": f"{number}{place:04}",
        "CI_JOB_STATUS": "running",
        "CI_JOB_STARTED_AT": _written(int(now)),
        "CI_BUILDS_DIR": workspace.rpartition("/")[0] or "/",
    }


@functools.lru_cache(maxsize=1)  # many jobs start in one second
def _written(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
