"""What deployments left that died on the way, told without a lock: for whoever has to know, not for who deploys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.deploy.journal import Journal, Step
from hookci.deploy.recovery import Leftover
from hookci.store.identity import ProcessIdentity, is_alive

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hookci.deploy.journal import Entry
    from hookci.model.release import Deployment

__all__ = ["interruptions"]

_VERIFIED = {Step.TAG, Step.PUBLISH}
_ENDING = ".journal"


def interruptions(state: Path, attempts: Sequence[Deployment]) -> dict[str, str]:
    """By environment: what died on the way, and what to type; nothing of what is going on.

    Args:
        state: the private directory of deployments, which may be missing.
        attempts: those that are remembered.

    Raises:
        StateError: a journal cannot be read.
    """
    found = {}
    for path in sorted(state.glob(f"*{_ENDING}")):
        entry = Journal(state, path.name.removesuffix(_ENDING)).read()
        if entry is not None and not is_alive(ProcessIdentity(entry.pid, entry.start)):
            known = next((one for one in attempts if one.id == entry.deployment), None)
            words = Leftover(entry, known).words if known else f"a deployment to {entry.environment} was interrupted"
            found[entry.environment] = f"{words}: {_way_on(entry)}"
    return found


def _way_on(entry: Entry) -> str:
    command = f"`hookci deploy {entry.environment}"
    if entry.step in _VERIFIED:
        return f"{command} --resume` finishes it"
    if entry.step is Step.PREPARE:
        return f"{command}` begins again"
    back = f", {command} --abort` puts release {entry.previous} back" if entry.previous else ""
    return f"{command} --resume` does it again{back}"
