"""What is known of a repository at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookci.model.record import RunRecord

__all__ = ["PipelineSummary", "Standing", "Status"]


@dataclass(frozen=True, slots=True)
class Standing:
    """``commit`` is None before the first one; ``ahead`` and ``behind`` count commits against ``upstream``."""

    branch: str | None
    commit: str | None = None
    title: str = ""
    upstream: str | None = None
    ahead: int = 0
    behind: int = 0


@dataclass(frozen=True, slots=True)
class PipelineSummary:
    """Where a pipeline is defined, the stages of it that have jobs, and how many jobs there are."""

    source: str
    stages: tuple[str, ...]
    jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where a repository stands.

    ``hooks`` are those that are installed, ``hooks_problem`` what keeps them from working.  ``pipeline`` is what
    the config at ``HEAD`` defines, or the words that say why there is none.  ``last`` is the last run.
    """

    standing: Standing
    hooks: tuple[str, ...]
    hooks_problem: str | None
    pipeline: PipelineSummary | str
    workspaces: str
    last: RunRecord | None
