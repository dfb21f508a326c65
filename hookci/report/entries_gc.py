"""The parts of what ``hookci gc --json`` writes (`hookci.report.documents`)."""

from __future__ import annotations

from dataclasses import dataclass

from hookci.model.housekeeping import Kind  # noqa: TC001 (the schema is made from the annotations)
from hookci.report.entries import Document

__all__ = ["EngineEntry", "RemovedEntry", "TidiedEntry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedEntry(Document):
    """How many of a kind went."""

    kind: Kind
    count: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TidiedEntry(Document):
    """One repository, or all that are gone."""

    directory: str
    """Of its workspaces and caches; of all repositories together for those that are gone."""
    removed: tuple[RemovedEntry, ...]
    bytes_left: int
    problems: tuple[str, ...]
    """What could not be removed, or looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineEntry(Document):
    """What was removed from the container engine, by name."""

    containers: tuple[str, ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    images: tuple[str, ...]
