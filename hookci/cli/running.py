"""``hookci run`` and ``hookci plan``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from hookci import flow
from hookci.cli.completion import complete_asked, complete_jobs, complete_revisions
from hookci.cli.screen import ColorSetting, screen
from hookci.cli.surroundings import interrupts, read_machine, requested_skips, write_out
from hookci.cli.variables import read_variables
from hookci.executing import RunOptions
from hookci.flow import Request
from hookci.model.snapshot import MERGE_REQUEST, Cause, HookName
from hookci.report.terminal import wants_color

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.cli.outputs import Outputs
    from hookci.execute.schedule import Interrupts
    from hookci.git.ahead import Ahead
    from hookci.model.event import Event, Observer
    from hookci.model.result import RunResult
    from hookci.session import Machine

__all__ = ["plan", "run"]

_SOURCES = [
    "push",
    MERGE_REQUEST,
    "web",
    "schedule",
    "api",
    "trigger",
    "pipeline",
    "parent_pipeline",
    "external",
    "external_pull_request_event",
    "chat",
    "webide",
]
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
_engine = click.option(
    "--engine",
    default=None,
    metavar="URL|CONTEXT",
    help="The container engine to use. Default: hookci.engine, DOCKER_HOST, the docker context, the usual sockets.",
)
_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Write a JSON document (`hookci schema` describes it) in the end; progress goes to the standard error.",
)
_source = click.option(
    "--source",
    type=click.Choice(_SOURCES),
    default=None,
    help="What a GitLab pipeline would come from, as its rules see it. Default: push.",
)
_target = click.option(
    "--target", default=None, metavar="BRANCH", help="Where a merge request goes. Default: the default branch."
)
_variables = click.option(
    "--variable",
    "variables",
    multiple=True,
    callback=read_variables,
    metavar="NAME=VALUE",
    help="A variable for every job; wins over all others. Can be given several times.",
)
_play = click.option(
    "--play",
    multiple=True,
    metavar="JOB",
    help="Start JOB too, which waits for a person, and go on with what waits for it.",
    shell_complete=complete_jobs,
)
_unsupported = click.option(
    "--allow-unsupported", is_flag=True, help="Leave out jobs that cannot be run here, visibly, and run the others."
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
    engine: str | None = None,
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
        engine=engine,
        options=RunOptions(parallel=jobs, keep_going=keep_going, memory=memory),
    )


def _wishing(
    request: Request, source: str | None, target: str | None, variables: Mapping[str, str], play: tuple[str, ...]
) -> Request:
    """``request`` with what a person says of the pipeline it is."""
    if target is not None and source != MERGE_REQUEST:
        raise click.UsageError(f"--target goes with --source {MERGE_REQUEST}")
    if source is not None and request.staged:
        raise click.UsageError("--source and --staged exclude each other: what is committed has no pipeline")
    return replace(request, cause=Cause(source or "push", target), variables=variables, play=play)


@click.command()
@_names
@_rev
@_staged
@_hook
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=None, help="How many jobs run at once.")
@click.option("--keep-going", "-k", is_flag=True, help="After a failure, run what does not depend on it.")
@_source
@_target
@_variables
@_play
@_unsupported
@_no_memory
@_engine
@_json
@click.option("--events", is_flag=True, help="Write JSON Lines as things happen; progress goes to the standard error.")
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help="Write the run as JUnit's XML too.",
)
@click.option(
    "--hosted",
    is_flag=True,
    help="As one job of what `hookci export` wrote: alone, with what other jobs left in the work tree.",
)
@_color
@click.pass_obj
def run(
    ahead: Ahead | None,
    names: tuple[str, ...],
    rev: str | None,
    staged: bool,
    hook: str | None,
    jobs: int | None,
    keep_going: bool,
    source: str | None,
    target: str | None,
    variables: Mapping[str, str],
    play: tuple[str, ...],
    allow_unsupported: bool,
    no_memory: bool,
    engine: str | None,
    as_json: bool,
    events: bool,
    junit: Path | None,
    hosted: bool,
    color: ColorSetting,
) -> int:
    """Run stages or jobs on a clean checkout of a commit, or of the index.

    Without names: what a push asks for.  What they need comes along.
    """
    request = _request(
        names, rev, staged=staged, hook=hook, keep_going=keep_going, jobs=jobs, memory=not no_memory, engine=engine
    )
    request = replace(_wishing(request, source, target, variables, play), allow_unsupported=allow_unsupported)
    machine = read_machine(ahead)
    outputs = _outputs(machine.clock, as_json=as_json, events=events, junit=junit)
    # events and a live view on one terminal would overwrite each other
    live = not (events and sys.stdout.isatty())
    stream = sys.stderr if as_json or events else sys.stdout
    start = _hosted if hosted else flow.run_request
    with interrupts() as stop, screen(stream, color=color, hook=request.hook, live=live) as tell:
        result = start(machine, request, _both(tell, outputs), stop)
    tell.summary(result)
    if outputs:
        outputs.finish(result, tell.tails)
    return result.verdict.exit_status


def _hosted(machine: Machine, request: Request, tell: Observer, stop: Interrupts) -> RunResult:
    from hookci.hosting import run_hosted  # noqa: PLC0415 (only hosted pipelines need it)

    if request.staged or request.revision != "HEAD" or request.hook != HookName.PRE_PUSH:
        raise click.UsageError("--hosted runs what the engine has checked out: no --rev, --staged or --hook")
    return run_hosted(machine, request.names, tell, stop)


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
@_source
@_target
@_variables
@_play
@_unsupported
@_no_memory
@_engine
@click.option(
    "--why",
    default=None,
    metavar="JOB",
    help="Say of JOB what it has passed with, and what has changed since.",
    shell_complete=complete_jobs,
)
@_json
@_color
@click.pass_obj
def plan(
    ahead: Ahead | None,
    names: tuple[str, ...],
    rev: str | None,
    staged: bool,
    hook: str | None,
    source: str | None,
    target: str | None,
    variables: Mapping[str, str],
    play: tuple[str, ...],
    allow_unsupported: bool,
    no_memory: bool,
    engine: str | None,
    why: str | None,
    as_json: bool,
    color: ColorSetting,
) -> None:
    """Show what would run and why; nothing is run."""
    request = _request(names, rev, staged=staged, hook=hook, memory=not no_memory, engine=engine)
    request = replace(_wishing(request, source, target, variables, play), allow_unsupported=allow_unsupported)
    with screen(sys.stderr, color=color, hook=request.hook) as tell:
        if why is not None:
            from hookci.cli.why import say_why  # noqa: PLC0415 (few ask)

            say_why(request, why, tell, as_json=as_json, color=color)
            return
        if as_json:
            _plan_for_programs(read_machine(ahead), request, tell)
            return
        planned = flow.plan_request(read_machine(ahead), request, tell)
    from hookci.report.text import render_plan  # noqa: PLC0415 (what is run is told otherwise)

    colored = wants_color(color, is_tty=sys.stdout.isatty(), env=os.environ)
    sys.stdout.write(render_plan(planned, color=colored))


def _plan_for_programs(machine: Machine, request: Request, tell: Observer) -> None:
    from hookci.report.machine import Recorder, as_json  # noqa: PLC0415 (only programs need it)

    recorder = Recorder(machine.clock)
    planned = flow.plan_request(machine, request, _both(tell, recorder))
    write_out(sys.stdout, as_json(recorder.plan_document(planned)))
