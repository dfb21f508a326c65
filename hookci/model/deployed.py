"""What a job that deploys is told of its environment.

Source: GitLab CI/CD, "Predefined CI/CD variables reference" and "Environments", "Deployment tier of environments".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.model.slugs import environment_slug

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.model.pipeline import JobEnvironment

__all__ = ["TIERS", "environment_facts"]

TIERS = ("production", "staging", "testing", "development", "other")
_GUESSES = {
    "development": r"dev|review|trunk",
    "testing": r"test|tst|int|ac(ce|)pt|qa|qc|control|quality",
    "staging": r"st(a|)g|mod(e|)l|pre|demo|non",
    "production": r"pr(o|)d|live",
}
"""What a name must hold, in the order in which GitLab tries them."""


def environment_facts(environment: JobEnvironment, expanded: Callable[[str, Mapping[str, str]], str]) -> dict[str, str]:
    """The ``CI_ENVIRONMENT_...`` variables of a job.

    Args:
        environment: what the job says.
        expanded: puts the variables into a text; those it is handed beside it win over others.
    """
    name = expanded(environment.name, {})
    told = {
        "CI_ENVIRONMENT_NAME": name,
        "CI_ENVIRONMENT_SLUG": environment_slug(name),
        "CI_ENVIRONMENT_ACTION": environment.action,
        "CI_ENVIRONMENT_TIER": expanded(environment.tier, {}) if environment.tier else _tier(name),
    }
    return {**told, "CI_ENVIRONMENT_URL": expanded(environment.url, told)} if environment.url else told


def _tier(name: str) -> str:
    return next((tier for tier, word in _GUESSES.items() if re.search(word, name, re.IGNORECASE)), "other")
