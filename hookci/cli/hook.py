"""What git runs: ``hookci hook NAME -- ARGUMENTS``, started by the shim."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hookci.cli.surroundings import guarded, interrupts, read_machine, requested_skips
from hookci.errors import ProtocolError
from hookci.model.snapshot import HookName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.execute.schedule import Interrupts

__all__ = ["run_hook"]

_NOT_FROM_GIT = "`hookci run` judges a commit at any time; a job of lefthook needs `use_stdin: true`"
_JUDGED = {HookName.PRE_COMMIT, HookName.PRE_MERGE_COMMIT}


def run_hook(argv: Sequence[str]) -> int:
    """Judge what a hook is about to let through; the result is the hook's exit status."""
    with interrupts() as stop:
        return guarded(lambda: _hook(argv, stop))


def _hook(argv: Sequence[str], stop: Interrupts) -> int:
    name, arguments = (argv[0] if argv else ""), [part for part in argv[1:] if part != "--"]
    if name.startswith("managed-"):
        from hookci.cli.managed import run_managed  # noqa: PLC0415 (what git itself runs does not need it)

        return run_managed(name, arguments, stop)
    if name not in set(HookName):
        raise ProtocolError(f"`{name}` is no hook of hookci's", f"known: {', '.join(HookName)}")
    if name == HookName.PRE_PUSH:
        return _push(arguments, stop)
    return _commit(name, stop) if name in _JUDGED else 0


def _commit(name: str, stop: Interrupts) -> int:
    from hookci import flow  # noqa: PLC0415 (the hooks that do nothing do not pay for it)
    from hookci.cli.screen import screen  # noqa: PLC0415

    with screen(sys.stderr, hook=name) as tell:
        result = flow.check_commit(read_machine(), name, requested_skips(), tell, stop)
    if result is None:
        return 0
    tell.summary(result)
    return result.verdict.exit_status


def _push(arguments: Sequence[str], stop: Interrupts) -> int:
    from hookci import flow  # noqa: PLC0415 (as above)
    from hookci.cli.screen import screen  # noqa: PLC0415

    remote = arguments[0] if arguments else "origin"
    status = 0
    with screen(sys.stderr, hook=HookName.PRE_PUSH) as tell:
        for result in flow.check_push(read_machine(), _ref_lines(), remote, requested_skips(), tell, stop):
            tell.summary(result)
            status = status or result.verdict.exit_status
    return status


def _ref_lines() -> bytes:
    """What git writes to a push hook's standard input, always a pipe; nothing at all when there is nothing to push."""
    if sys.stdin.isatty():
        raise ProtocolError("the standard input is a terminal, so there is no telling what is pushed", _NOT_FROM_GIT)
    lines = sys.stdin.buffer.read()
    if not lines:
        from hookci.cli.managed import refuse_lefthook  # noqa: PLC0415 (nothing is pushed: rare)

        refuse_lefthook()
    return lines
