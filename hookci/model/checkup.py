"""What a look at an installation finds."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["Finding", "Level"]


class Level(StrEnum):
    """How bad a finding is; with a ``problem`` hookci cannot do its work."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(Struct, frozen=True):
    """One thing that was looked at: which check, how bad, what is found, and the command or act that mends it."""

    check: str
    level: Level
    message: str
    mend: str | None = None
