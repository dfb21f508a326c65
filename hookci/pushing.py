"""The story of ``hookci push``: ask what would be sent, judge that, then send exactly that.

The remote is connected to before and afterwards, but not while jobs run: a connection on which nothing happens for
minutes dies, and with it the push.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import GitError
from hookci.flow import Sent, judge_push
from hookci.git.pushing import PersonsGit, ask_what_is_sent, follow_remote, send
from hookci.model.event import Notice
from hookci.model.result import Verdict
from hookci.proc.run import run_attached
from hookci.session import Session
from hookci.store.judged import PUSHING, JudgedPush

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookci.execute.schedule import Interrupts
    from hookci.git.pusharguments import PushArguments
    from hookci.model.event import Observer
    from hookci.model.result import RunResult
    from hookci.session import Machine

__all__ = ["Listener", "push"]


class Listener(Struct, frozen=True):
    """Who hears of a push: ``tell`` what happens, ``judged`` each result, ``git_said`` what git wrote."""

    tell: Observer
    judged: Callable[[RunResult], None]
    git_said: Callable[[bytes], None]


def push(
    machine: Machine, arguments: PushArguments, skip: tuple[str, ...], listener: Listener, stop: Interrupts
) -> int:
    """Judge what `git push` with ``arguments`` would send, and send it if it is green.

    Returns:
        The exit status: that of the first result that is not green, or 0.

    Raises:
        HookciError: no verdict could be reached.
        GitError: git refused, before or after what was to be sent was judged.
    """
    session = Session.open(machine)
    git = PersonsGit(session.repository, machine.cwd, machine.env)
    record = JudgedPush(session.state)
    with record.place() as place:
        asked = ask_what_is_sent(git, arguments, place)
        if asked.status != 0:
            listener.git_said(asked.said)
            raise GitError("git would not push this, so nothing was judged", None)
        if not asked.updates:
            # so git may do as it likes; should there be something after all, its hook judges it
            return _sent(run_attached(["git", "push", *arguments.words], cwd=git.cwd, env=git.env, stdin=None))
        sent = Sent(updates=asked.updates, remote=asked.remote, skip=skip)
        for result in judge_push(session, sent, listener.tell, stop):
            listener.judged(result)
            if result.verdict is not Verdict.GREEN:
                return result.verdict.exit_status
        record.write(place.name, asked.lines)
        _sent(send(git, arguments, asked, {PUSHING: place.name}))
    if "--dry-run" not in arguments.how:
        for told in follow_remote(git, arguments, asked):
            listener.tell(Notice(told))
    return 0


def _sent(status: int) -> int:
    if status != 0:
        raise GitError("git did not push what was judged", "it says why above; what is green stays so")
    return 0
