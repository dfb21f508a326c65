"""What is known of a repository at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookci.model.record import RunRecord

__all__ = ["Status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where a repository stands.

    ``position`` says branch, commit and upstream in words.  ``hooks`` are those that are installed,
    ``hooks_problem`` what keeps them from working.  ``pipeline`` says what the config at ``HEAD`` defines,
    or why there is none.  ``last`` is the last run.
    """

    position: str
    hooks: tuple[str, ...]
    hooks_problem: str | None
    pipeline: str
    workspaces: str
    last: RunRecord | None
