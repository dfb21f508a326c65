"""The parts of what ``hookci explain --json`` writes (`hookci.report.documents`)."""

from __future__ import annotations

from dataclasses import dataclass

from hookci.model.explained import Fate  # noqa: TC001 (the schema is made from the annotations)
from hookci.report.entries import Document

__all__ = ["KeywordEntry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordEntry(Document):
    """One keyword at one place."""

    job: str | None
    """Null for the pipeline as a whole."""
    keyword: str
    """A dotted path, `*` where the file chooses a name."""
    fate: Fate
    why: str
    """Why it has no effect, or what to do instead; empty for what is executed."""
    file: str
    line: int
