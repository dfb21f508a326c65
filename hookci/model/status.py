"""What is known of a repository at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookci.model.record import RunRecord
    from hookci.model.release import Deployment, Lock, Release, Request

__all__ = ["EnvironmentStatus", "PipelineSummary", "Running", "Standing", "Status"]


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
class Running:
    """What answers: ``check`` is how a person calls the place, ``wanted`` what it is to say, ``seen`` what it says."""

    check: str
    wanted: str
    seen: str
    as_wanted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentStatus:
    """Where an environment stands, as far as this clone knows.

    ``live`` is the release with the highest number, ``title`` that of its commit.  The next release is to come from
    ``source``, a branch or the environment before: ``candidate`` is the commit there (empty: none is), ``ahead`` and
    ``behind`` count its commits against what is live.  ``running`` is what was seen from outside just now.

    ``lock`` is who is deploying, ``interrupted`` says in words what died on the way, ``failure`` is the last attempt
    unless it became healthy.  ``waiting`` are the requests for approval of what comes next, given or not, ``unpushed``
    the releases whose tags are only here.  ``problems`` are why something is not known.
    """

    name: str
    live: Release | None = None
    title: str = ""
    source: str = ""
    candidate: str = ""
    ahead: int = 0
    behind: int = 0
    running: tuple[Running, ...] = ()
    lock: Lock | None = None
    interrupted: str = ""
    failure: Deployment | None = None
    waiting: tuple[Request, ...] = ()
    unpushed: tuple[int, ...] = ()
    problems: tuple[str, ...] = ()


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
    environments: tuple[EnvironmentStatus, ...] = ()
