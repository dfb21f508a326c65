"""What becomes of each keyword of a pipeline that was written for another engine."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["ExplainedKeyword", "Explanation", "Fate"]


class Fate(StrEnum):
    """What becomes of a keyword."""

    EXECUTED = "executed"
    WITHOUT_EFFECT = "without effect"
    REFUSED = "refused"


class ExplainedKeyword(Struct, frozen=True, kw_only=True):
    """A keyword, and where it stands: ``job`` is None for the pipeline as a whole.

    ``keyword`` is a dotted path such as ``artifacts.expire_in``; ``why`` is empty for what is executed, else why it
    has no effect, or what to do instead.
    """

    job: str | None
    keyword: str
    fate: Fate
    why: str
    file: str
    line: int


class Explanation(Struct, frozen=True, kw_only=True):
    """All keywords of the pipeline in ``source``, those of the pipeline first, then job by job, as in the file."""

    source: str
    keywords: tuple[ExplainedKeyword, ...]
