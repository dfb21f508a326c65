"""``hookci status``, ``hookci runs`` and ``hookci log``: what is known of this repository and its runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookci import flow
from hookci.cli.surroundings import read_machine
from hookci.errors import UsageError
from hookci.report.status import render_status
from hookci.report.tables import render_run, render_runs
from hookci.report.terminal import shown, wants_color

if TYPE_CHECKING:
    from hookci.cli.screen import ColorSetting

__all__ = ["log", "runs", "status"]

_color = click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)


def _colored(color: ColorSetting) -> bool:
    return wants_color(color, is_tty=sys.stdout.isatty(), env=os.environ)


@click.command()
@_color
def status(color: ColorSetting) -> None:
    """Show where this repository stands: its hooks, its pipeline, its last run."""
    machine = read_machine()
    sys.stdout.write(render_status(flow.status(machine), now=machine.clock(), color=_colored(color)))


@click.command()
@click.option("--limit", "-n", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@_color
def runs(limit: int, color: ColorSetting) -> None:
    """List the last runs, newest first."""
    machine = read_machine()
    sys.stdout.write(render_runs(flow.runs(machine, limit), now=machine.clock(), color=_colored(color)))


@click.command()
@click.argument("run", type=int, required=False)
@click.argument("job", required=False)
@_color
def log(run: int | None, job: str | None, color: ColorSetting) -> None:
    """Show a run (the last one without RUN) and its jobs, or the whole output of one JOB of it."""
    machine = read_machine()
    record, jobs = flow.run_record(machine, run)
    colored = _colored(color)
    if job is None:
        sys.stdout.write(render_run(record, jobs, now=machine.clock(), color=colored))
        return
    found = next((entry.result for entry in jobs if entry.result.name == job), None)
    if found is None:
        names = ", ".join(entry.result.name for entry in jobs) or "none"
        raise UsageError(f"run {record.number} has no job `{job}`", f"its jobs: {names}")
    if found.log is None or not Path(found.log).exists():
        raise UsageError(f"job `{job}` of run {record.number} has no output: {found.outcome}: {found.reason}")
    with Path(found.log).open(encoding="utf-8", errors="replace") as file:
        for line in file:
            sys.stdout.write(shown(line.rstrip("\n"), color=colored) + "\n")
