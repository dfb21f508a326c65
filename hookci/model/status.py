"""What is known of a repository at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from hookci.model.record import RunRecord
    from hookci.model.release import Deployment, Lock, Release, Request

__all__ = ["BackgroundRun", "EnvironmentStatus", "PipelineSummary", "Running", "Standing", "Status"]


class Standing(Struct, frozen=True):
    """``commit`` is None before the first one; ``ahead`` and ``behind`` count commits against ``upstream``."""

    branch: str | None
    commit: str | None = None
    title: str = ""
    upstream: str | None = None
    ahead: int = 0
    behind: int = 0


class PipelineSummary(Struct, frozen=True):
    """Where a pipeline is defined, the stages of it that have jobs, and how many jobs there are."""

    source: str
    stages: tuple[str, ...]
    jobs: int


class Running(Struct, frozen=True, kw_only=True):
    """What answers: ``check`` is how a person calls the place, ``wanted`` what it is to say, ``seen`` what it says."""

    check: str
    wanted: str
    seen: str
    as_wanted: bool


class EnvironmentStatus(Struct, frozen=True, kw_only=True):
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


class BackgroundRun(Struct, frozen=True, kw_only=True):
    """A run that began in the background (at ``began``, unix seconds), after a commit on ``branch``.

    ``ending`` says in words how it ended, empty while it goes on; ``is_green`` whether a push will go through.
    ``run`` is its number, None when none was begun.  ``log`` is where all is that was said.
    """

    branch: str
    commit: str
    began: float
    ending: str = ""
    is_green: bool = False
    run: int | None = None
    log: str = ""


class Status(Struct, frozen=True, kw_only=True):
    """Where a repository stands.

    ``hooks`` are those that are installed, ``hooks_problem`` what keeps them from working.  ``pipeline`` is what
    the config at ``HEAD`` defines, or the words that say why there is none.  ``last`` is the last run.
    ``background`` is whether commits are verified in the background, ``verified`` the last run there.
    """

    standing: Standing
    hooks: tuple[str, ...]
    hooks_problem: str | None
    pipeline: PipelineSummary | str
    workspaces: str
    last: RunRecord | None
    background: bool = False
    verified: BackgroundRun | None = None
    environments: tuple[EnvironmentStatus, ...] = ()
