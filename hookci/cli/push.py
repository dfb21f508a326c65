"""``hookci push``: judged first, pushed then."""

from __future__ import annotations

import sys

import click

from hookci.cli.screen import screen
from hookci.cli.surroundings import interrupts, read_machine, requested_skips
from hookci.git.pusharguments import read_push_arguments
from hookci.model.snapshot import HookName
from hookci.pushing import Listener
from hookci.pushing import push as push_judged

__all__ = ["push"]


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[GIT PUSH ARGUMENTS]...")
def push(arguments: tuple[str, ...]) -> int:
    """Judge what `git push` would send, then send exactly that, all or nothing.

    Takes what `git push` takes: a remote, what to send there, --tags, --force-with-lease, -u, --delete and so on.  No
    connection is open while jobs run, and what moves meanwhile is not sent.
    """
    wanted = read_push_arguments(arguments)
    with interrupts() as stop, screen(sys.stderr, hook=HookName.PRE_PUSH) as shown:
        return push_judged(read_machine(), wanted, requested_skips(), Listener(shown, shown.summary, _git_said), stop)


def _git_said(said: bytes) -> None:
    sys.stderr.flush()
    sys.stderr.buffer.write(said)
    sys.stderr.flush()
