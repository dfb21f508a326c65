"""``hookci run`` and ``hookci plan``."""

from __future__ import annotations

import os
import sys

import click

from hookci import flow
from hookci.cli.screen import ColorSetting, screen
from hookci.cli.surroundings import interrupts, read_machine, requested_skips
from hookci.flow import Request
from hookci.model.snapshot import HookName
from hookci.report.terminal import wants_color
from hookci.report.text import render_plan

__all__ = ["plan", "run"]

_JUDGING = [HookName.PRE_COMMIT.value, HookName.PRE_MERGE_COMMIT.value, HookName.PRE_PUSH.value]

_names = click.argument("names", nargs=-1, metavar="[STAGE|JOB]...")
_rev = click.option("--rev", default=None, metavar="REV", help="The commit to judge. Default: HEAD.")
_staged = click.option("--staged", is_flag=True, help="Judge the index, as a commit of it would be.")
_hook = click.option(
    "--hook",
    type=click.Choice(_JUDGING),
    default=None,
    help="On whose behalf: what that hook asks for, and what rules see. Default: pre-push.",
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
        keep_going=keep_going,
        parallel=jobs,
    )


@click.command()
@_names
@_rev
@_staged
@_hook
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=None, help="How many jobs run at once.")
@click.option("--keep-going", "-k", is_flag=True, help="After a failure, run what does not depend on it.")
@_color
def run(
    names: tuple[str, ...],
    rev: str | None,
    staged: bool,
    hook: str | None,
    jobs: int | None,
    keep_going: bool,
    color: ColorSetting,
) -> int:
    """Run stages or jobs on a clean checkout of a commit, or of the index.

    Without names: what a push asks for.  What they need comes along.
    """
    request = _request(names, rev, staged=staged, hook=hook, keep_going=keep_going, jobs=jobs)
    with interrupts() as stop, screen(sys.stdout, color=color, hook=request.hook) as tell:
        result = flow.run_request(read_machine(), request, tell, stop)
    tell.summary(result)
    return result.verdict.exit_status


@click.command()
@_names
@_rev
@_staged
@_hook
@_color
def plan(
    names: tuple[str, ...],
    rev: str | None,
    staged: bool,
    hook: str | None,
    color: ColorSetting,
) -> None:
    """Show what would run and why; nothing is run."""
    with screen(sys.stderr, color=color, hook=HookName.PRE_PUSH) as tell:
        _session, planned = flow.plan_request(read_machine(), _request(names, rev, staged=staged, hook=hook), tell)
    colored = wants_color(color, is_tty=sys.stdout.isatty(), env=os.environ)
    sys.stdout.write(render_plan(planned, color=colored))
