"""``hookci play``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from hookci import playing
from hookci.cli.completion import complete_jobs
from hookci.cli.screen import ColorSetting, screen
from hookci.cli.surroundings import interrupts, read_machine
from hookci.cli.variables import read_variables
from hookci.executing import RunOptions
from hookci.model.snapshot import HookName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.model.event import Event

__all__ = ["play"]


@click.command()
@click.argument("job", shell_complete=complete_jobs)
@click.option(
    "--run", "number", type=click.IntRange(min=1), default=None, help="The run it waits in. Default: the last."
)
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=None, help="How many jobs run at once.")
@click.option(
    "--variable",
    "variables",
    multiple=True,
    callback=read_variables,
    metavar="NAME=VALUE",
    help="A variable for every job; wins over all others. Can be given several times.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Write a JSON document (`hookci schema` describes it) in the end; progress goes to the standard error.",
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def play(
    job: str,
    number: int | None,
    jobs: int | None,
    variables: Mapping[str, str],
    as_json: bool,
    color: ColorSetting,
) -> int:
    """Start JOB, which waits for a person in the last run, and what waits for it.

    It runs on what that run judged, with what its jobs have made.
    """
    from hookci.cli.outputs import Outputs  # noqa: PLC0415 (only programs need it)

    options = RunOptions(parallel=jobs)
    request = playing.PlayRequest(job=job, number=number, variables=variables, options=options)
    machine = read_machine()
    outputs = Outputs(machine.clock, as_json=True, events=False, junit=None) if as_json else None
    with (
        interrupts() as stop,
        screen(sys.stderr if as_json else sys.stdout, color=color, hook=HookName.PRE_PUSH) as tell,
    ):

        def told(event: Event) -> None:
            tell(event)
            if outputs:
                outputs(event)

        result = playing.play(machine, request, told, stop)
    tell.summary(result)
    if outputs:
        outputs.finish(result, tell.tails)
    return result.verdict.exit_status
