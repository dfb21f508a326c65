"""The job graph of one run, decided before anything starts."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.model.pipeline import Job, When
    from hookci.model.snapshot import Snapshot

__all__ = ["Action", "Plan", "PlannedJob"]


class Action(StrEnum):
    """What a plan intends for a job."""

    RUN = "run"
    REMEMBERED = "remembered"
    SKIPPED = "skipped"
    MANUAL = "manual"
    UNSUPPORTED = "unsupported"


class PlannedJob(Struct, frozen=True, kw_only=True):
    """A job with what is intended for it, and why.

    ``job`` has the variables and ``allow_failure`` of the rule that matched already applied.
    ``after`` names the planned jobs that must be over first, ``artifacts_from`` those whose artifacts
    come along, ``depends_on`` those that hand it files or that it needs.  ``facts`` are the predefined
    variables its own text names.  A remembered job has the number of the run it passed in.  ``given`` are
    variables that win over all others: those that a person gave, or that the ``parent`` hands on; in the values of
    those that are ``given_raw``, ``$NAME`` means nothing.  ``parent`` is the job that starts the pipeline it belongs
    to: it arrives when that one would start.
    """

    job: Job
    action: Action
    reason: str
    when: When
    after: tuple[str, ...] = ()
    artifacts_from: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    remembered_run: int | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    given_raw: frozenset[str] = frozenset()
    parent: str | None = None

    @property
    def raw(self) -> frozenset[str]:
        """The variables in whose values ``$NAME`` means nothing."""
        return (self.job.raw - self.given.keys()) | self.given_raw


class Plan(Struct, frozen=True, kw_only=True):
    """The job graph of one run on one snapshot: what runs, what does not, each with its reason.

    ``left_out`` names the pipeline's other jobs, each with its reason.  ``skip`` are jobs a person asked
    to leave out for once.  ``whole`` says that it is all that ``hook`` asks for, ``all_scans`` that no job of the
    pipeline that scans is left out.  ``facts_read`` holds
    every fact beside the tree that the plan looked at, with its value: two snapshots with equal trees
    and equal ``facts_read`` have the same verdict.

    ``name`` is what the pipeline calls itself, ``source`` where it was read.  With ``keep_going`` a failure ends only
    what comes after it.  ``notices`` are what a person should know before anything runs.  ``belongs_to`` is the run
    that this one goes on with.  In the pipelines of ``ends_together`` the first job that fails ends all others; each is
    there by the name of the job that starts it (``""``: the snapshot's own).
    """

    snapshot: Snapshot
    hook: str
    stages: tuple[str, ...]
    jobs: Mapping[str, PlannedJob]
    left_out: Mapping[str, str] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    whole: bool = False
    all_scans: bool = False
    facts_read: Mapping[str, str | None] = field(default_factory=dict)
    name: str | None = None
    source: str = "hookci.toml"
    keep_going: bool = False
    notices: tuple[str, ...] = ()
    belongs_to: int | None = None
    ends_together: frozenset[str] = frozenset()

    @property
    def verdict_key(self) -> tuple[object, ...]:
        """What the verdict depends on; work is done once for it."""
        return (self.hook, self.snapshot.tree, tuple(self.facts_read.items()), self.skip)
