"""``hookci init``, ``install``, ``uninstall``, ``check`` and ``schema``: what a person does once."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

import hookci
from hookci import upkeep
from hookci.cli.surroundings import read_machine
from hookci.model.environment import Trigger

__all__ = ["check", "init", "install", "schema", "uninstall"]


@click.command()
@click.option("--print", "only_print", is_flag=True, help="Write to the standard output instead of hookci.toml.")
@click.option("--yes", "-y", is_flag=True, help="Install the hooks too, without asking.")
def init(only_print: bool, yes: bool) -> None:
    """Look at the project and write a hookci.toml for it; never overwrites one."""
    machine = read_machine()
    path, detection = upkeep.detect_project(machine)
    for found in detection.found:
        click.echo(f"found {found.what}", err=only_print)
        click.echo(f"      {found.why}", err=only_print)
    if not detection.found:
        click.echo("found nothing known: the file is a start for you to fill in", err=only_print)
    if only_print:
        sys.stdout.write(detection.text)
        return
    upkeep.write_config(path, detection.text)
    click.echo(f"wrote {path}")
    if yes or (sys.stdin.isatty() and click.confirm("install the git hooks now?", default=True)):
        _install()
    else:
        click.echo("next: hookci install")
    click.echo(f"then: git add {path.name} && git commit, and `hookci run` to see it work")


@click.command()
@click.option(
    "--deploys",
    multiple=True,
    metavar="ENV",
    help="Have the hooks of this clone deploy to an environment when its branch moves. May be repeated.",
)
@click.option("--no-deploys", is_flag=True, help="Have the hooks of this clone deploy nothing any more.")
@click.option(
    "--background/--no-background",
    default=None,
    help="Verify each commit of this clone in the background, as a push of it would, so that the push need not wait.",
)
def install(deploys: tuple[str, ...], no_deploys: bool, background: bool | None) -> None:
    """Install the git hooks; hooks that are there are kept and run first."""
    if deploys and no_deploys:
        raise click.UsageError("--deploys and --no-deploys exclude each other")
    if background is not None:
        _set_background(on=background)
    if no_deploys:
        from hookci.nudge import stop_deploying  # noqa: PLC0415 (few clones deploy)

        was = stop_deploying(read_machine())
        click.echo("the hooks deploy nothing any more" if was else "the hooks did not deploy anything")
    if deploys:
        _install_deploys(deploys)
    else:
        _install()


def _set_background(*, on: bool) -> None:
    upkeep.set_background(read_machine(), on=on)
    what = "each commit is verified in the background; `hookci status` says how it went"
    click.echo(what if on else "no commit is verified in the background")


def _install_deploys(names: tuple[str, ...]) -> None:
    """Say which environments this clone deploys to, and install the hooks that do it."""
    from hookci.nudge import choose  # noqa: PLC0415 (as above)

    chosen = choose(read_machine(), names)
    _install()
    for environment in chosen:
        name = environment.name
        if environment.trigger is Trigger.MANUAL:
            click.echo(f'warning: {name} has `deploy = "manual"`, so no hook deploys to it', err=True)
        else:
            click.echo(f"when `{environment.branch}` moves here, it is deployed to {name}")
            click.echo(f"next: `hookci trust {name}`, since hooks run nothing that nobody has looked at")


def _install() -> None:
    main = Path(hookci.__file__).resolve().parent / "__main__.py"
    report = upkeep.install_hooks(read_machine(), python=Path(sys.executable), main=main)
    changed = f"installed {', '.join(report.installed)}" if report.installed else "all hooks were installed already"
    click.echo(f"{changed} in {report.directory}")
    if report.withdrawn:
        click.echo(f"removed {', '.join(report.withdrawn)}: nothing is to be done after a commit or merge here")
    if report.kept:
        click.echo(f"kept {', '.join(report.kept)}: what was there before runs first")
    if report.before:
        click.echo(f"the hooks in {report.before} run first; git's local core.hooksPath now points to hookci's")
    for warning in report.warnings:
        click.echo(f"warning: {warning}", err=True)


@click.command()
def uninstall() -> None:
    """Remove the git hooks and put back what was there before."""
    from hookci.nudge import stop_deploying  # noqa: PLC0415 (what deploys is not imported by every command)

    machine = read_machine()
    report = upkeep.uninstall_hooks(machine)
    if stop_deploying(machine):
        click.echo("this clone deploys nothing from its hooks any more")
    if upkeep.set_background(machine, on=False):
        click.echo("no commit is verified in the background any more")
    click.echo(f"removed {', '.join(report.removed)}" if report.removed else "there was nothing of hookci's to remove")
    if report.restored:
        click.echo(f"put back {', '.join(report.restored)}")
    if report.left:
        click.echo(f"left {', '.join(report.left)}: not hookci's any more")
    if report.unset:
        click.echo("unset git's local core.hooksPath")
    for warning in report.warnings:
        click.echo(f"warning: {warning}", err=True)


@click.command()
@click.option("--rev", default=None, metavar="REV", help="Check the config of a commit instead of the work tree's.")
@click.option("--staged", is_flag=True, help="Check the config in the index instead.")
def check(rev: str | None, staged: bool) -> None:
    """Validate the config as it stands in the work tree."""
    if rev and staged:
        raise click.UsageError("--rev and --staged exclude each other")
    pipeline = upkeep.check_config(read_machine(), revision=rev, staged=staged)
    for warning in pipeline.warnings:
        click.echo(f"warning: {warning}", err=True)
    for job in pipeline.jobs.values():
        if job.unsupported:
            click.echo(f"warning: job `{job.name}`: this version cannot run {job.unsupported}", err=True)
    count = len(pipeline.jobs)
    click.echo(f"{pipeline.source} is valid: {count} job{'s' if count != 1 else ''}")


@click.command()
@click.argument(
    "what",
    type=click.Choice(
        ["config", "run", "scan", "plan", "why", "explain", "status", "runs", "deploy", "releases", "gc", "events"]
    ),
    default="config",
)
def schema(what: str) -> None:
    """Print the JSON Schema of hookci.toml, for editors, or of what a command writes with --json or --events."""
    if what == "config":
        from hookci.config.jsonschema import json_schema  # noqa: PLC0415 (no other command needs it)

        click.echo(json.dumps(json_schema(), indent=2))
    else:
        from hookci.report.schemas import published_schema  # noqa: PLC0415 (as above)

        click.echo(json.dumps(published_schema(what), indent=2))
