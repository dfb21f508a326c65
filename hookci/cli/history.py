"""``hookci status``, ``hookci runs`` and ``hookci log``: what is known of this repository and its runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from hookci import upkeep
from hookci.cli.completion import complete_jobs_of_run, complete_runs
from hookci.cli.surroundings import read_machine, write_out
from hookci.errors import UsageError
from hookci.report.status import render_status
from hookci.report.tables import render_run, render_runs
from hookci.report.terminal import shown, wants_color

if TYPE_CHECKING:
    from hookci.cli.screen import ColorSetting
    from hookci.report.entries import Document

__all__ = ["log", "runs", "status"]

_color = click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
_json = click.option("--json", "as_json", is_flag=True, help="Write a JSON document: `hookci schema` describes it.")


def _write(document: Document) -> None:
    from hookci.report.machine import as_json  # noqa: PLC0415 (as above)

    write_out(sys.stdout, as_json(document))


def _colored(color: ColorSetting) -> bool:
    return wants_color(color, is_tty=sys.stdout.isatty(), env=os.environ)


@click.command()
@click.option("--fetch", is_flag=True, help="Ask the remote first for releases, requests and locks of others.")
@click.option("--no-probe", is_flag=True, help="Do not ask what runs: no health check that tells the version is made.")
@_json
@_color
def status(fetch: bool, no_probe: bool, as_json: bool, color: ColorSetting) -> None:
    """Show where this repository stands: its hooks, its pipeline, its environments, its last run."""
    from hookci import standing  # noqa: PLC0415 (no other command here needs it)

    machine = read_machine()
    environments = tuple(standing.environments(machine, look=not no_probe, fetch=fetch))
    found = replace(upkeep.status(machine), environments=environments)
    if as_json:
        from hookci.report.machine import status_document  # noqa: PLC0415 (only programs need it)
        from hookci.report.machine_deploy import environment_entry  # noqa: PLC0415 (as above)

        _write(status_document(found, map(environment_entry, environments)))
    else:
        sys.stdout.write(render_status(found, now=machine.clock(), color=_colored(color)))
    standing.mark_told(machine)


@click.command()
@click.option("--limit", "-n", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@_json
@_color
def runs(limit: int, as_json: bool, color: ColorSetting) -> None:
    """List the last runs, newest first."""
    machine = read_machine()
    found = upkeep.runs(machine, limit)
    if as_json:
        from hookci.report.machine import runs_document  # noqa: PLC0415 (as above)

        _write(runs_document(found))
    else:
        sys.stdout.write(render_runs(found, now=machine.clock(), color=_colored(color)))


@click.command()
@click.argument("run", type=int, required=False, shell_complete=complete_runs)
@click.argument("job", required=False, shell_complete=complete_jobs_of_run)
@_color
def log(run: int | None, job: str | None, color: ColorSetting) -> None:
    """Show a run (the last one without RUN) and its jobs, or the whole output of one JOB of it."""
    machine = read_machine()
    record, jobs = upkeep.run_record(machine, run)
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
