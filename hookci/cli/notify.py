"""``hookci notify``: who is told about runs and deployments."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from hookci import upkeep
from hookci.cli.surroundings import read_machine, write_out
from hookci.errors import HookciError, UsageError
from hookci.session import Session
from hookci.workspace.slots import project_name

__all__ = ["notify"]


@click.group()
def notify() -> None:
    """See to it that people are told about runs and deployments."""


@notify.command()
def test() -> int:
    """Send a message to every address of the config as it stands in the work tree.

    Ends with status 3 when one could not be told.
    """
    from hookci.notify.send import NotifyDesk, deliver  # noqa: PLC0415 (dear, and --help needs none of it)
    from hookci.notify.texts import trial_message  # noqa: PLC0415 (as above)

    machine = read_machine()
    pipeline = upkeep.read_config(machine)
    if pipeline.notify is None:
        raise UsageError(f"{pipeline.source} has no [notify]", 'who is to be told? urls = ["$SLACK_URL"]')
    project = project_name(Session.open(machine).repository)
    with tempfile.TemporaryDirectory(prefix="hookci-notify-") as directory:
        desk = NotifyDesk(
            environment=machine.env, python=machine.python, directory=Path(directory), mask=lambda line: line
        )
        deliveries = deliver(pipeline.notify.urls, trial_message(project), desk)
    for one in deliveries:
        write_out(sys.stdout, f"{one.address}: {one.why or 'ok'}\n")
    return HookciError.exit_status if any(one.why for one in deliveries) else 0
