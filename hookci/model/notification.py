"""Who is told about what, as a config asks for it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["Notify", "Occasion"]


class Occasion(StrEnum):
    """What people can be told about.

    ``green`` and ``red`` are verdicts of runs, ``deployed``, ``rolled-back``, ``stuck`` and ``interrupted`` the ends
    of deployments; ``approval`` is a deployment that waits for a person.
    """

    GREEN = "green"
    RED = "red"
    DEPLOYED = "deployed"
    ROLLED_BACK = "rolled-back"
    STUCK = "stuck"
    APPROVAL = "approval"
    INTERRUPTED = "interrupted"


class Notify(Struct, frozen=True):
    """Messages to ``urls`` (texts that may hold ``$VARIABLES``) on each of the occasions ``on``."""

    urls: tuple[str, ...]
    on: tuple[Occasion, ...] = tuple(occasion for occasion in Occasion if occasion is not Occasion.GREEN)
