"""``hookci trust`` and ``hookci approve``, and how a person is asked."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from hookci import deploying
from hookci.cli.completion import complete_environments, complete_requests, complete_revisions
from hookci.cli.surroundings import read_machine
from hookci.errors import WaitingError
from hookci.model.text import plain
from hookci.report.lines import LineReporter
from hookci.report.terminal import paint, wants_color

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from hookci.permission import Ask
    from hookci.report.terminal import Style

__all__ = ["Asking", "approve", "trust"]

_DIFF: dict[str, Style] = {"+": "green", "-": "red"}


class Asking:
    """Asks the person at the terminal, on the standard error: nothing that is written for programs gets into it.

    Without a terminal nobody is asked, and nothing is waited for.

    Args:
        yes: the answer to everything was given beforehand.
    """

    def __init__(self, *, yes: bool = False) -> None:
        self._yes = yes
        self.is_possible = yes or (sys.stdin.isatty() and sys.stderr.isatty())

    def __call__(self, ask: Ask) -> bool | None:
        """Show what is to be read and ask; None when there is nobody to ask."""
        color = wants_color("auto", is_tty=sys.stderr.isatty(), env=os.environ)
        for line in ask.lines:
            text = plain(line)
            click.echo(paint(text, _DIFF[text[0]], color=color) if text[:1] in _DIFF else text, err=True)
        if self._yes:
            return True
        if not self.is_possible:
            return None
        with _interruptible():
            return click.confirm(ask.question, default=False, err=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Signals end a question; a deployment that is listening would only take note of them."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environments)
@click.argument("revision", required=False, metavar="[REV]", shell_complete=complete_revisions)
@click.option("--yes", "-y", is_flag=True, help="Accept what is shown without being asked: where there is no terminal.")
def trust(environment: str | None, revision: str | None, yes: bool) -> None:
    """Show what a deployment to ENV would execute, and accept it on this machine.

    Shown is what is new since it was accepted last: its part of the config, and the files it runs.
    """
    asking = Asking(yes=yes)
    tell = LineReporter(sys.stderr, color=wants_color("auto", is_tty=sys.stderr.isatty(), env=os.environ))
    if deploying.trust_environment(read_machine(), environment, revision, tell, asking):
        click.echo("trusted on this machine, until it changes")
    elif asking.is_possible:
        raise WaitingError("it is not trusted, so it will not be deployed")
    else:
        command = " ".join(filter(None, ("hookci trust", environment, revision, "--yes")))
        raise WaitingError("there is no terminal to ask on, so it is not trusted", f"`{command}` once you have read it")


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environments)
@click.argument("request", required=False, metavar="[REQUEST]", shell_complete=complete_requests)
@click.option("--reason", default="", metavar="TEXT", help="Why; it is kept with the approval.")
def approve(environment: str | None, request: str | None, reason: str) -> None:
    """Agree to a deployment that waits for it: to exactly that commit and config, from any clone.

    Without REQUEST: the only one that waits.
    """
    tell = LineReporter(sys.stderr, color=wants_color("auto", is_tty=sys.stderr.isatty(), env=os.environ))
    given = deploying.approve_request(read_machine(), environment, request, reason, tell)
    name = given.environment
    click.echo(
        f"{given.commit[:8]} is approved for {name} by {plain(given.approver)}: `hookci deploy {name}` deploys it"
    )
