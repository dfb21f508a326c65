"""One place where a secret stands."""

from __future__ import annotations

from msgspec import Struct

from hookci.model.finding import Confidence, Severity

__all__ = ["Hit", "without_overlaps"]


class Hit(Struct, frozen=True, kw_only=True):
    """A secret in a text: ``start`` and ``end`` are offsets in bytes, ``secret`` is what identifies it.

    ``name`` says what it is, as in "this looks like <name>".  The first ``shown`` bytes tell the kind, not the secret.
    """

    rule: str
    name: str
    start: int
    end: int
    secret: bytes
    severity: Severity = Severity.CRITICAL
    confidence: Confidence = Confidence.HIGH
    shown: int = 0


def without_overlaps(hits: list[Hit]) -> list[Hit]:
    """Of hits that overlap the earlier in the list, all in the order of the text."""
    kept: list[Hit] = []
    taken: list[tuple[int, int]] = []
    for hit in hits:
        if all(hit.end <= start or end <= hit.start for start, end in taken):
            kept.append(hit)
            taken.append((hit.start, hit.end))
    return sorted(kept, key=lambda hit: hit.start)
