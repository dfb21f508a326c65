"""What the detectors hand over: what they found, and jobs before they are text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CacheDraft", "Found", "JobDraft", "Line", "Part"]


class Found(Struct, frozen=True):
    """One thing that was recognised (``Python project (pyproject.toml)``), and what follows from it."""

    what: str
    why: str


class Line(Struct, frozen=True):
    """One line of a script; ``note`` becomes the comment behind it."""

    command: str
    note: str = ""


class CacheDraft(Struct, frozen=True):
    """Paths that are kept for as long as ``files`` stay the same."""

    files: tuple[str, ...]
    paths: tuple[str, ...]


class JobDraft(Struct, frozen=True, kw_only=True):
    """A job of the file that is to be written; ``scan`` is the value of that key, in place of a script.

    ``comments`` are paragraphs above it, ``allow_failure`` is the comment behind that key (empty:
    the key is not written), ``hints`` are lines that are written commented out.
    """

    name: str
    script: tuple[Line, ...] = ()
    stage: str = "test"
    scan: str = ""
    comments: tuple[str, ...] = ()
    cache: CacheDraft | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()
    allow_failure: str = ""
    hints: tuple[str, ...] = ()


class Part(Struct, frozen=True):
    """What one detector contributes; ``comments`` stand at the end of the file, one paragraph each.

    ``tested`` says whether the last job runs tests.
    """

    found: Found
    jobs: tuple[JobDraft, ...] = ()
    comments: tuple[str, ...] = ()
    tested: bool = True
