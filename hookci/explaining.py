"""What becomes of the keywords of the ``.gitlab-ci.yml`` in a work tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.errors import UsageError
from hookci.including import surroundings_here
from hookci.session import Session
from hookci.upkeep import read_config

if TYPE_CHECKING:
    from hookci.model.explained import Explanation
    from hookci.session import Machine

__all__ = ["explain_work_tree"]


def explain_work_tree(machine: Machine) -> Explanation:
    """Say of every keyword in the work tree's pipeline what becomes of it.

    Raises:
        ConfigError: the pipeline is wrong.
        UsageError: it is not one in GitLab's words.
    """
    pipeline = read_config(machine)
    if not pipeline.gitlab:
        hint = "`hookci explain` is about what was written for GitLab"
        raise UsageError(f"{pipeline.source}: every key is executed", hint)
    from hookci.config.gitlab.explain import explain_gitlab  # noqa: PLC0415 (dear)

    return explain_gitlab(pipeline.source, surroundings_here(Session.open(machine)))
