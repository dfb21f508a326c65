"""What git runs: ``hookci hook NAME -- ARGUMENTS``, started by the shim."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import hookci
from hookci.cli.afterwards import HOUSEKEEPING, tidy_up_later
from hookci.cli.surroundings import guarded, interrupts, read_machine, requested_skips, say_error, write_out
from hookci.errors import InterruptedRunError, ProtocolError, WaitingError
from hookci.model.snapshot import HookName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.execute.schedule import Interrupts
    from hookci.git.ahead import Ahead
    from hookci.nudge import Followed

__all__ = ["run_hook"]

_NOT_FROM_GIT = "`hookci run` judges a commit at any time; a job of lefthook needs `use_stdin: true`"
_JUDGED = {HookName.PRE_COMMIT, HookName.PRE_MERGE_COMMIT}
_UNMOVED = {(HookName.POST_MERGE, "1"), (HookName.POST_REWRITE, "amend")}
"""Hooks and first arguments: a squash has committed nothing yet, and of an amended commit post-commit has told."""
_STILL_GOES_ON = {HookName.POST_MERGE: "merge", HookName.POST_REWRITE: "rebase"}
"""Git tidies up after these only when the hook has ended; Ctrl-C ends it before that."""
_BACKGROUND = "background"
"""Not git's: what the shim starts after a commit in a clone that verifies in the background, and waits for no more."""
_FOLLOW = "follow"
"""Not git's: what a hook starts in the background, with a branch and the environments that follow it."""


def run_hook(argv: Sequence[str], ahead: Ahead | None = None) -> int:
    """Judge what a hook is about to let through; the result is the hook's exit status.

    Git may have been asked ``ahead`` of it.
    """
    with interrupts() as stop:
        status = guarded(lambda: _hook(argv, stop, ahead))
    tidy_up_later()
    return status


def _hook(argv: Sequence[str], stop: Interrupts, ahead: Ahead | None) -> int:
    name, arguments = (argv[0] if argv else ""), [part for part in argv[1:] if part != "--"]
    if name.startswith("managed-"):
        from hookci.cli.managed import run_managed  # noqa: PLC0415 (what git itself runs does not need it)

        return run_managed(name, arguments, stop)
    if name == _BACKGROUND:
        from hookci.cli.background import run_background  # noqa: PLC0415 (as above)

        return run_background(stop)
    if name == HOUSEKEEPING:
        from hookci.cli.gc import tidy_up  # noqa: PLC0415 (as above)

        tidy_up()
        return 0
    if name == _FOLLOW:
        return _follow_later(arguments, stop)
    if name not in set(HookName):
        raise ProtocolError(f"`{name}` is no hook of hookci's", f"known: {', '.join(HookName)}")
    if name == HookName.PRE_PUSH:
        return _push(arguments, stop, ahead)
    return _commit(name, stop, ahead) if name in _JUDGED else _moved(name, arguments, stop)


def _commit(name: str, stop: Interrupts, ahead: Ahead | None) -> int:
    from hookci import flow  # noqa: PLC0415 (the hooks that do nothing do not pay for it)
    from hookci.cli.screen import screen  # noqa: PLC0415

    with screen(sys.stderr, hook=name) as tell:
        result = flow.check_commit(read_machine(ahead), name, requested_skips(), tell, stop)
    if result is None:
        return 0
    tell.summary(result)
    return result.verdict.exit_status


def _push(arguments: Sequence[str], stop: Interrupts, ahead: Ahead | None) -> int:
    from hookci import flow  # noqa: PLC0415 (as above)
    from hookci.cli.patience import saying_that_it_takes_long  # noqa: PLC0415 (as above)
    from hookci.cli.screen import screen  # noqa: PLC0415
    from hookci.store.judged import PUSHING  # noqa: PLC0415 (as above)

    remote, machine = arguments[0] if arguments else "origin", read_machine(ahead)
    status = 0
    with screen(sys.stderr, hook=HookName.PRE_PUSH) as shown:
        with saying_that_it_takes_long(shown, unless=PUSHING in machine.env) as tell:
            results = flow.check_push(machine, _ref_lines(), remote, requested_skips(), tell, stop)
        for result in results:
            shown.summary(result)
            status = status or result.verdict.exit_status
    return status


def _moved(name: str, arguments: Sequence[str], stop: Interrupts) -> int:
    """Deploy what is to follow the branch that has moved; git ignores the status, others may look at it."""
    if (name, *arguments[:1]) in _UNMOVED:
        return 0
    from hookci import nudge  # noqa: PLC0415 (as above)

    machine = read_machine()
    wanted = nudge.look(machine)
    if wanted is None:
        return 0
    try:
        failed = _follow(wanted.branch, [environment.name for environment in wanted.now], stop, patient=False)
    finally:
        if stop.reason and name in _STILL_GOES_ON:
            act = _STILL_GOES_ON[HookName(name)]
            sys.stderr.write(f"hookci: should `git status` now speak of a {act}, `git {act} --quit` ends that\n")
    if stop.reason:
        return next(iter(failed.values()), InterruptedRunError.exit_status)
    later = wanted.without(failed)
    if later.later:
        program = [sys.executable, "-I", str(Path(hookci.__file__).resolve().parent / "__main__.py")]
        log = nudge.in_background(machine, [*program, "hook", _FOLLOW, "--"], later)
        names = ", ".join(environment.name for environment in later.later)
        sys.stderr.write(f"hookci: {names}: deploying in the background, see {log}\n")
    return next(iter(failed.values()), 0)


def _follow_later(arguments: Sequence[str], stop: Interrupts) -> int:
    """What `_moved` starts in the background: its branch, and the environments that follow it."""
    branch, *names = arguments or [""]
    now = datetime.now(UTC).astimezone().isoformat(sep=" ", timespec="seconds")
    sys.stderr.write(f"hookci: {now}: {branch} has moved, followed by {', '.join(names)}\n")
    return next(iter(_follow(branch, names, stop, patient=True).values()), 0)


def _follow(branch: str, names: Sequence[str], stop: Interrupts, *, patient: bool) -> dict[str, int]:
    """Deploy to the environments ``names``; those where that failed, each with an exit status."""
    if not names:
        return {}
    from hookci.cli.deploy import Progress  # noqa: PLC0415 (as above)
    from hookci.cli.screen import screen  # noqa: PLC0415 (as above)
    from hookci.nudge import Follower  # noqa: PLC0415 (as above)
    from hookci.report.lines import LineReporter  # noqa: PLC0415 (as above)
    from hookci.report.terminal import wants_color  # noqa: PLC0415 (as above)

    failed = {}
    machine = read_machine()
    lines = LineReporter(sys.stderr, color=wants_color("auto", is_tty=sys.stderr.isatty(), env=machine.env))
    with screen(sys.stderr, hook=HookName.PRE_PUSH) as shown:
        tell = Progress(shown, lines, lambda _event: None)
        follower = Follower(machine=machine, branch=branch, tell=tell, stop=stop, patient=patient)
        for followed in follower.follow(names):
            status = _say(followed)
            if status:
                failed[followed.environment.name] = status
    return failed


def _say(followed: Followed) -> int:
    """Say what became of one environment; a failure has stopped nothing, so it says what to type."""
    from hookci.report.deployments import live_words  # noqa: PLC0415 (as above)

    name, live, error = followed.environment.name, followed.live, followed.error
    if error is None:
        if live and followed.deployment:
            write_out(sys.stderr, f"hookci: {live_words(live, '')}\n")
        return 0
    status = say_error(error)
    words = f"release {live.number} ({live.commit[:8]})" if live else "nothing that is known here"
    again = "" if isinstance(error, WaitingError) else f"; `hookci deploy {name}` tries again"
    write_out(sys.stderr, f"hookci: not deployed to {name}, where {words} is live{again}\n")
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
