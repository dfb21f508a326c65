"""Why a job runs or need not: what it last passed with, and what has changed since."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from hookci.model.memory import KeptPass
    from hookci.model.plan import Action

__all__ = ["Difference", "Kind", "Why"]


class Kind(StrEnum):
    """What a difference is in."""

    FILE = "file"
    DEFINITION = "definition"
    VARIABLE = "variable"
    PROGRAM = "program"
    CARRIED = "carried file"
    CHECKOUT = "checkout"
    PLATFORM = "platform"
    IMAGE = "image"
    ENGINE = "engine"
    SCANNER = "scanner"
    ADVISORIES = "advisories"
    SNAPSHOT = "snapshot"
    JOB = "job"
    HOOKCI = "hookci"


class Difference(Struct, frozen=True):
    """One thing that is not as it was when a job passed.

    ``name`` says which one, empty when there is only one; it was ``added``, ``removed`` or ``changed``.  ``was`` and
    ``now`` are None where they would tell a value that is nobody's business, or are not known.
    """

    kind: Kind
    name: str
    how: str = "changed"
    was: str | None = None
    now: str | None = None


class Why(Struct, frozen=True, kw_only=True):
    """Why a plan does with ``job`` what it does.

    ``passed`` is the pass that answers for it (``action`` is ``remembered``), else the newest one that is remembered;
    None when it has not passed.  ``differences`` are those since, ``more`` how many files more have changed than are
    among them.  ``action`` is None for a job that is left out.
    """

    job: str
    action: Action | None
    reason: str
    passed: KeptPass | None = None
    differences: tuple[Difference, ...] = ()
    more: int = 0
