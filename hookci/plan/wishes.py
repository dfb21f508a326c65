"""What bears on a plan beside the pipeline and the snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Wishes"]


def _nothing(_revision: str | None) -> tuple[str, ...] | None:
    return None


class Wishes(Struct, frozen=True, kw_only=True):
    """What the person who asks, and the clone, have to say.

    ``variables`` are given by hand and win over all others.  ``deploys`` are the environments that this clone deploys:
    jobs for others wait for a person (None: they run as the pipeline says).  With ``allow_unsupported`` a job that
    cannot be run here is left out, visibly.  ``changed_since`` tells the paths that the snapshot has changed since it
    left a revision, None when there is no such revision; that is its base if none is named.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    deploys: tuple[str, ...] | None = None
    allow_unsupported: bool = False
    changed_since: Callable[[str | None], tuple[str, ...] | None] = _nothing
