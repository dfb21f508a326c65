"""Where a job deploys to.

Source: GitLab CI/CD YAML reference, "environment"; the wording of the checks is GitLab's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.config.gitlab.inert import check_deployment
from hookci.config.gitlab.shapes import table, text
from hookci.config.words import did_you_mean, show
from hookci.model.pipeline import JobEnvironment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path
    from hookci.model.pipeline import Job

__all__ = ["check_stops", "read_environment"]

_KEYS = ("name", "url", "action", "on_stop", "auto_stop_in", "kubernetes", "deployment_tier")
_ACTIONS = ("start", "stop", "prepare", "verify", "access")
_NAME = re.compile(r"[A-Za-z0-9_/$\{\}. \-]+")


def read_environment(value: object, path: Path, ledger: Ledger) -> JobEnvironment | None:
    """``environment``: a name, or a hash with one."""
    said = {"name": value} if isinstance(value, str) else table(value, path, ledger, _KEYS)
    name = text(said.get("name", ""), (*path, "name"), ledger)
    if name is not None and not _NAME.fullmatch(name):
        allowed = "letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces"
        ledger.problem((*path, "name"), f"name can contain only {allowed}, saw {show(name)}")
    action = said.get("action", "start")
    if action not in _ACTIONS:
        hint = did_you_mean(action, _ACTIONS) if isinstance(action, str) else None
        ledger.problem((*path, "action"), f"action should be {', '.join(_ACTIONS[:-1])}, or access", hint)
    url = text(said["url"], (*path, "url"), ledger) if "url" in said else None
    tier = said.get("deployment_tier")
    on_stop = text(said["on_stop"], (*path, "on_stop"), ledger) if "on_stop" in said else None
    check_deployment(said, path, ledger)
    if name is None:
        return None
    return JobEnvironment(
        name=name, url=url, action=str(action), on_stop=on_stop, tier=tier if isinstance(tier, str) and tier else None
    )


def check_stops(jobs: Mapping[str, Job], ledger: Ledger) -> None:
    """A job that names another as the one that stops its environment names one that does."""
    for group, job in jobs.items():
        if job.environment is not None and job.environment.on_stop is not None:
            wrong = _wrong_stop(job.environment, job.environment.on_stop, jobs)
            if wrong:
                message = f"{group} job: on_stop job {job.environment.on_stop} {wrong}"
                hint = did_you_mean(job.environment.on_stop, jobs) if job.environment.on_stop not in jobs else None
                ledger.problem((group, "environment", "on_stop"), message, hint)


def _wrong_stop(environment: JobEnvironment, name: str, jobs: Mapping[str, Job]) -> str | None:
    if name not in jobs:
        return "is not defined"
    other = jobs[name].environment
    if other is None:
        return "does not have environment defined"
    if other.name != environment.name:
        return "have different environment name"
    return None if other.action == "stop" else "needs to have action stop defined"
