"""What the shim leaves behind after a commit: ``hookci hook background``, which nobody waits for."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.background import at_rest, verify
from hookci.cli.screen import screen
from hookci.cli.surroundings import read_machine
from hookci.errors import HookciError
from hookci.git.nearby import common_directory
from hookci.model.snapshot import HookName
from hookci.proc.modest import step_back
from hookci.store.background import BackgroundState

if TYPE_CHECKING:
    from hookci.background import Branch
    from hookci.execute.schedule import Interrupts

__all__ = ["run_background"]


def run_background(stop: Interrupts) -> int:
    """Verify the branch that `HEAD` is on, if this clone does so; all that is said goes to a log."""
    processors = step_back()
    machine = replace(read_machine(), processors=processors)
    try:
        branch = at_rest(machine)
    except HookciError:
        common = common_directory(machine.cwd, machine.env)
        if common is not None:
            _write_to(BackgroundState(common / "hookci").open_log())
        raise
    if branch is None:
        return 0
    _write_to(BackgroundState(branch.session.state).open_log())
    return _verify(branch, stop)


def _verify(branch: Branch, stop: Interrupts) -> int:
    with screen(sys.stderr, hook=HookName.PRE_PUSH) as tell:
        results = verify(branch, tell, stop)
        for result in results:
            tell.summary(result)
    return next((result.verdict.exit_status for result in results if result.verdict.exit_status), 0)


def _write_to(descriptor: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
        os.dup2(descriptor, stream.fileno())
    os.close(descriptor)
