"""``hookci scan``: the security scans of the config, by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

import hookci
from hookci.cli.completion import complete_jobs, complete_revisions
from hookci.cli.screen import ColorSetting, screen
from hookci.cli.surroundings import interrupts, read_machine, write_out
from hookci.model.event import JobOutput, RunStarted
from hookci.model.result import Verdict
from hookci.model.snapshot import HookName
from hookci.report.machine import Recorder, as_json
from hookci.report.words import BROKEN
from hookci.scanning import ScanRequest, scan_request, write_baseline

if TYPE_CHECKING:
    from hookci.model.event import Event, Observer
    from hookci.model.result import JobResult, RunResult
    from hookci.session import Machine

__all__ = ["scan"]

_STDOUT = Path("-")


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path())
@click.option("--all", "everything", is_flag=True, help="Findings that are not new count too, and all are shown.")
@click.option(
    "--job", "jobs", multiple=True, metavar="JOB", help="Only this job; may be repeated.", shell_complete=complete_jobs
)
@click.option("--staged", is_flag=True, help="Scan the index, as a commit of it would be.")
@click.option("--rev", default=None, metavar="REV", help="Scan a commit.", shell_complete=complete_revisions)
@click.option(
    "--json",
    "document",
    is_flag=True,
    help="Write a JSON document (`hookci schema scan` describes it); progress goes to the standard error.",
)
@click.option(
    "--sarif",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    default=None,
    metavar="FILE",
    help="Write SARIF 2.1.0 too; `-` is the standard output.",
)
@click.option(
    "--baseline",
    type=click.Choice(["write"]),
    default=None,
    help="Write what is found to hookci-baseline.json: once committed, it is not new any more. Never a secret.",
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def scan(
    paths: tuple[str, ...],
    everything: bool,
    jobs: tuple[str, ...],
    staged: bool,
    rev: str | None,
    document: bool,
    sarif: Path | None,
    baseline: str | None,
    color: ColorSetting,
) -> int:
    """Run the jobs that scan, on the files as they are or on these PATHs only, and show what they find.

    What is new counts: what the remote's default branch does not have; with --staged what HEAD does not have.
    """
    if staged and rev:
        raise click.UsageError("--rev and --staged exclude each other")
    if document and sarif == _STDOUT:
        raise click.UsageError("--json and --sarif - exclude each other")
    if baseline and (paths or jobs or staged or rev):
        raise click.UsageError("--baseline write takes all files as they are: no PATH, --job, --staged or --rev")
    request = ScanRequest(paths=paths, everything=everything, revision=rev, staged=staged, jobs=jobs)
    if sarif and sarif != _STDOUT:
        from hookci.cli.outputs import make_room  # noqa: PLC0415 (only programs need it)

        make_room(sarif, "--sarif")
    machine = read_machine()
    result = _scan(machine, request, color, document=document, apart=document or sarif == _STDOUT)
    if sarif:
        _write_sarif(sarif, result)
    if baseline and result.verdict in {Verdict.GREEN, Verdict.RED}:
        return _write_baseline(machine, result)
    return result.verdict.exit_status


def _scan(machine: Machine, request: ScanRequest, color: ColorSetting, *, document: bool, apart: bool) -> RunResult:
    """Scan and show what is found; ``apart`` from the standard output, which is a program's then."""
    recorder = Recorder(machine.clock)
    stream = sys.stderr if apart else sys.stdout
    with interrupts() as stop, screen(stream, color=color, hook=HookName.PRE_PUSH) as tell:
        result = scan_request(machine, request, _told(tell, recorder), stop)
    tell.scans(result, full=request.everything)
    if document:
        write_out(sys.stdout, as_json(recorder.scan_document(result)))
    return result


def _told(tell: Observer, recorder: Observer) -> Observer:
    """Both are told, but for the lines of our scanners: what they have found comes once, in the end."""
    ours: set[str] = set()

    def both(event: Event) -> None:
        if isinstance(event, RunStarted):
            planned = event.plan.jobs.items()
            ours.update(name for name, one in planned if one.job.scan and not one.job.scan.is_report)
        if not (isinstance(event, JobOutput) and event.job in ours):
            tell(event)
            recorder(event)

    return both


def _write_sarif(file: Path, result: RunResult) -> None:
    from hookci.report.sarif import sarif_log  # noqa: PLC0415 (only programs need it)

    log = sarif_log([(job.name, job.scan) for job in result.jobs if job.scan], version=hookci.__version__)
    text = json.dumps(log, indent=1) + "\n"
    if file == _STDOUT:
        write_out(sys.stdout, text)
    else:
        from hookci.cli.outputs import write_file  # noqa: PLC0415 (as above)

        write_file(file, text.encode())


def _write_baseline(machine: Machine, result: RunResult) -> int:
    """Write the baseline; the result is the exit status: 1 for what a baseline cannot let pass."""
    path = write_baseline(machine, result)
    click.echo(f"wrote {path}: commit it, and what it names is not new any more", err=True)
    left = [job.name for job in result.jobs if job.outcome in BROKEN and not _is_covered(job)]
    if left:
        click.echo(f"secrets, and what was not scanned, are in no baseline: {', '.join(left)}", err=True)
    return 1 if left else 0


def _is_covered(job: JobResult) -> bool:
    """Whether all that made a job red is in a baseline."""
    report = job.scan
    if report is None or (report.unscanned and not report.allowed_unscanned):
        return False
    return not any(judged.finding.secret for judged in report.blocking)
