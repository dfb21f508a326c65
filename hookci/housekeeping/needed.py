"""What of a repository is needed though nothing holds a lock on it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hookci.housekeeping.things import InUse
from hookci.store.identity import ProcessIdentity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["needed"]

_RECENT = 200
"""Runs looked at for those that go on; no more are kept."""
_BEFORE = 3600.0
"""Seconds: a run looks for what it needs before it is written down that it has begun."""
_DEPLOYMENTS = 1_000
"""All that a clone remembers."""


def needed(state: Path, clock: Callable[[], float]) -> InUse:
    """The runs that go on, the last one, and the last deployment to each environment.

    Args:
        state: ``hookci`` in the git directory; may not be there.
        clock: unix seconds.

    Raises:
        StateError: what is known of them cannot be read.
    """
    since, running, shown, deployed = math.inf, frozenset[int](), frozenset[int](), frozenset[int]()
    if (state / "state.db").is_file():
        from hookci.store.runs import Store  # noqa: PLC0415 (not every repository has had a run)

        with Store.open(state, clock=clock, owner=ProcessIdentity(0, "")) as store:
            runs = store.runs(_RECENT)
        going_on = [run for run in runs if run.verdict is None and not run.interrupted]
        since = min((run.started - _BEFORE for run in going_on), default=math.inf)
        running = frozenset(run.number for run in going_on)
        shown = frozenset(run.number for run in runs[:1])
    if (state / "deployments.db").is_file():
        from hookci.store.deployments import DeploymentStore  # noqa: PLC0415 (few repositories deploy)

        with DeploymentStore(state, clock) as store:
            last = {each.environment: each.id for each in reversed(store.last(_DEPLOYMENTS))}
        deployed = frozenset(last.values())
    return InUse(since=since, running=running, shown=shown, deployed=deployed)
