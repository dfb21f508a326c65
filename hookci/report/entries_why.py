"""The parts of what ``hookci plan --why --json`` writes (`hookci.report.documents`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 (the schema is made from the annotations)
from typing import Literal

from hookci.model.plan import Action  # noqa: TC001 (as above)
from hookci.model.why import Kind  # noqa: TC001 (pydantic reads it)
from hookci.report.entries import Document

__all__ = ["DifferenceEntry", "PassEntry", "WhyEntry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceEntry(Document):
    """One thing that is not as it was."""

    kind: Kind
    name: str
    """Which one; empty when there is only one of its kind, or when it is not known which."""
    how: Literal["added", "removed", "changed"]
    was: str | None
    """Null for what is kept as a digest only: no value of a variable is told."""
    now: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassEntry(Document):
    """A pass that is remembered."""

    run: int
    finished: datetime
    seconds: float
    expires: datetime | None
    commit: str | None
    """Null, like the rest below, for one that another version of hookci has written down."""
    tree: str | None
    label: str | None
    host: str | None
    user: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyEntry(Document):
    """Why a plan does with a job what it does."""

    job: str
    action: Action | None
    """Null for a job that is left out."""
    reason: str
    passed: PassEntry | None
    """The pass that answers for the job, else the newest that is remembered."""
    differences: tuple[DifferenceEntry, ...]
    """What has changed since that pass."""
    more_files: int
    """How many files have changed that are not among them."""
