"""Hooks that another manager runs.

pre-commit and prek start ``hookci hook managed-commit``, ``managed-push`` and ``managed-post-merge``; lefthook and
husky hand git's input on, so that the ordinary ``hookci hook NAME`` is for them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import psutil
from msgspec.structs import replace

from hookci import flow
from hookci.cli.screen import screen
from hookci.cli.surroundings import read_machine, requested_skips
from hookci.errors import ProtocolError
from hookci.git.managers import commit_hook, without_venv
from hookci.model.snapshot import HookName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.execute.schedule import Interrupts
    from hookci.session import Machine

__all__ = ["refuse_lefthook", "run_managed"]

_OWN_VENV = "--own-venv"
"""Says that the manager made a virtual environment for hookci, which is none of the jobs' business."""
_ENTRIES = ("managed-commit", "managed-push", "managed-post-merge")


def run_managed(name: str, arguments: Sequence[str], stop: Interrupts) -> int:
    """Judge what another hook manager lets us see; the result is the hook's exit status."""
    if name not in _ENTRIES:
        raise ProtocolError(f"`{name}` is no hook of hookci's", f"known: {', '.join(_ENTRIES)}")
    machine = read_machine()
    if _OWN_VENV in arguments:
        machine = replace(machine, env=without_venv(machine.env))
    if name == "managed-push":
        return _push(machine, stop)
    return _commit(machine, stop) if name == "managed-commit" else 0


# Both managers show a hook's output when it is over, pre-commit from a terminal of its own: nothing may be redrawn.


def _commit(machine: Machine, stop: Interrupts) -> int:
    hook = commit_hook(machine.env)
    with screen(sys.stderr, hook=hook, live=False) as tell:
        result = flow.check_commit(machine, hook, requested_skips(), tell, stop)
    if result is None:
        return 0
    tell.summary(result)
    return result.verdict.exit_status


def _push(machine: Machine, stop: Interrupts) -> int:
    status = 0
    with screen(sys.stderr, hook=HookName.PRE_PUSH, live=False) as tell:
        for result in flow.check_managed_push(machine, requested_skips(), tell, stop):
            tell.summary(result)
            status = status or result.verdict.exit_status
    return status


def refuse_lefthook() -> None:
    """Refuse when lefthook runs this push hook without a line of git's.

    It keeps them for itself unless the job says ``use_stdin: true``, and sets no variable to be known by.

    Raises:
        ProtocolError: it does.
    """
    if any(process.name().startswith("lefthook") for process in psutil.Process().parents()):
        raise ProtocolError(
            "lefthook hands over no refs, so there is no telling what is pushed",
            "set `use_stdin: true` for this job; if it is set, there is nothing to push",
        )
