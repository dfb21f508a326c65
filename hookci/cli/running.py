"""``hookci run`` and ``hookci plan``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookci import flow
from hookci.cli.completion import complete_asked, complete_jobs, complete_revisions
from hookci.cli.screen import ColorSetting, screen
from hookci.cli.surroundings import interrupts, read_machine, requested_skips, write_out
from hookci.flow import Request
from hookci.model.snapshot import HookName
from hookci.report.terminal import wants_color
from hookci.report.text import render_plan
from hookci.session import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookci.cli.outputs import Outputs
    from hookci.model.event import Event, Observer

__all__ = ["forget", "plan", "run"]

_JUDGING = [HookName.PRE_COMMIT.value, HookName.PRE_MERGE_COMMIT.value, HookName.PRE_PUSH.value]

_names = click.argument("names", nargs=-1, metavar="[STAGE|JOB]...", shell_complete=complete_asked)
_rev = click.option(
    "--rev", default=None, metavar="REV", help="The commit to judge. Default: HEAD.", shell_complete=complete_revisions
)
_staged = click.option("--staged", is_flag=True, help="Judge the index, as a commit of it would be.")
_hook = click.option(
    "--hook",
    type=click.Choice(_JUDGING),
    default=None,
    help="On whose behalf: what that hook asks for, and what rules see. Default: pre-push.",
)
_no_memory = click.option("--no-memory", is_flag=True, help="Run also what has passed before; caches are used.")
_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Write a JSON document (`hookci schema` describes it) in the end; progress goes to the standard error.",
)
_color = click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)


def _request(
    names: tuple[str, ...],
    rev: str | None,
    *,
    staged: bool,
    hook: str | None,
    keep_going: bool = False,
    jobs: int | None = None,
    memory: bool = True,
) -> Request:
    if staged and rev:
        raise click.UsageError("--rev and --staged exclude each other")
    asked = hook or HookName.PRE_PUSH
    return Request(
        hook=asked,
        names=names,
        revision=rev or "HEAD",
        staged=staged,
        skip=requested_skips(),
        options=RunOptions(parallel=jobs, keep_going=keep_going, memory=memory),
    )


@click.command()
@_names
@_rev
@_staged
@_hook
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=None, help="How many jobs run at once.")
@click.option("--keep-going", "-k", is_flag=True, help="After a failure, run what does not depend on it.")
@_no_memory
@_json
@click.option("--events", is_flag=True, help="Write JSON Lines as things happen; progress goes to the standard error.")
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help="Write the run as JUnit's XML too.",
)
@_color
def run(
    names: tuple[str, ...],
    rev: str | None,
    staged: bool,
    hook: str | None,
    jobs: int | None,
    keep_going: bool,
    no_memory: bool,
    as_json: bool,
    events: bool,
    junit: Path | None,
    color: ColorSetting,
) -> int:
    """Run stages or jobs on a clean checkout of a commit, or of the index.

    Without names: what a push asks for.  What they need comes along.
    """
    request = _request(names, rev, staged=staged, hook=hook, keep_going=keep_going, jobs=jobs, memory=not no_memory)
    machine = read_machine()
    outputs = _outputs(machine.clock, as_json=as_json, events=events, junit=junit)
    # events and a live view on one terminal would overwrite each other
    live = not (events and sys.stdout.isatty())
    stream = sys.stderr if as_json or events else sys.stdout
    with interrupts() as stop, screen(stream, color=color, hook=request.hook, live=live) as tell:
        result = flow.run_request(machine, request, _both(tell, outputs), stop)
    tell.summary(result)
    if outputs:
        outputs.finish(result, tell.tails)
    return result.verdict.exit_status


def _outputs(clock: Callable[[], float], *, as_json: bool, events: bool, junit: Path | None) -> Outputs | None:
    if as_json and events:
        raise click.UsageError("--json and --events exclude each other")
    if not (as_json or events or junit):
        return None
    from hookci.cli.outputs import Outputs  # noqa: PLC0415 (only programs need it)

    return Outputs(clock, as_json=as_json, events=events, junit=junit)


def _both(first: Observer, second: Observer | None) -> Observer:
    def tell(event: Event) -> None:
        first(event)
        if second:
            second(event)

    return tell


@click.command()
@_names
@_rev
@_staged
@_hook
@_no_memory
@_json
@_color
def plan(
    names: tuple[str, ...],
    rev: str | None,
    staged: bool,
    hook: str | None,
    no_memory: bool,
    as_json: bool,
    color: ColorSetting,
) -> None:
    """Show what would run and why; nothing is run."""
    request = _request(names, rev, staged=staged, hook=hook, memory=not no_memory)
    with screen(sys.stderr, color=color, hook=request.hook) as tell:
        if as_json:
            _plan_for_programs(request, tell)
            return
        planned = flow.plan_request(read_machine(), request, tell)
    colored = wants_color(color, is_tty=sys.stdout.isatty(), env=os.environ)
    sys.stdout.write(render_plan(planned, color=colored))


def _plan_for_programs(request: Request, tell: Observer) -> None:
    from hookci.report.machine import Recorder, as_json  # noqa: PLC0415 (only programs need it)

    machine = read_machine()
    recorder = Recorder(machine.clock)
    planned = flow.plan_request(machine, request, _both(tell, recorder))
    write_out(sys.stdout, as_json(recorder.plan_document(planned)))


@click.command()
@click.argument("job", required=False, shell_complete=complete_jobs)
def forget(job: str | None) -> None:
    """Forget that JOB has passed (all jobs without JOB), and every verdict; caches stay."""
    count = flow.forget(read_machine(), job)
    click.echo(f"forgot {count} pass{'es' if count != 1 else ''}")
