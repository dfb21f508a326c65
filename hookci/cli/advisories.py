"""``hookci advisories``: the database of known vulnerabilities that the scan of dependencies asks."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookci.cli.surroundings import read_machine, write_out
from hookci.model.text import plain
from hookci.report.words import counted
from hookci.scan.advisories.advisory import NPM, PYPI

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from hookci.scan.advisories.database import Stored
    from hookci.scan.advisories.importer import ImportReport

__all__ = ["advisories"]

_TIMEOUT = 300
_LISTED = 5


@click.group(invoke_without_command=True)
@click.pass_context
def advisories(context: click.Context) -> None:
    """Keep the database of known vulnerabilities that jobs with `scan = "dependencies"` ask.

    Without a command: say what is there.
    """
    if context.invoked_subcommand is None:
        context.invoke(status)


@advisories.command()
def status() -> None:
    """Say what is there, and how old it is."""
    from hookci.advisories import advisories_status  # noqa: PLC0415 (dear, and --help needs none of it)

    machine = read_machine()
    found = advisories_status(machine)
    if not found.stored:
        _say([
            f"no advisories in {found.path}",
            "fetch them with `hookci advisories update`, or take in what you have with `hookci advisories import FILE`",
        ])  # fmt: skip
        return
    _say([str(found.path), *_stored(found.stored, machine.clock())])


@advisories.command("import")
@click.argument("sources", nargs=-1, required=True, metavar="FILE|DIR...", type=click.Path(path_type=Path))
def import_(sources: tuple[Path, ...]) -> None:
    """Take in OSV records: JSON, JSON Lines, YAML, gz, zip, and directories of those.

    They join what is there. An advisory that is there already changes when the new one was modified later, and goes
    when it was withdrawn.
    """
    from hookci.advisories import import_advisories  # noqa: PLC0415 (as above)

    machine = read_machine()
    _tell(import_advisories(machine, sources), machine.clock())


@advisories.command()
@click.option(
    "--ecosystem", "ecosystems", multiple=True, type=click.Choice([PYPI, NPM]), default=[PYPI], show_default=True,
    help="Whose packages; can be given more than once.",
)  # fmt: skip
@click.option("--url", default=None, metavar="BASE", help="A mirror of OSV's archives: BASE/<ecosystem>/all.zip.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=_TIMEOUT, show_default=True, metavar="SECONDS",
    help="How long each download may take.",
)  # fmt: skip
def update(ecosystems: tuple[str, ...], url: str | None, timeout: float) -> None:
    """Fetch the public OSV database and take it in.

    By hand or by a schedule: no hook ever does this. It takes http_proxy, https_proxy and no_proxy from the
    environment.
    """
    from hookci.advisories import update_advisories  # noqa: PLC0415 (as above)
    from hookci.scan.advisories.update import OSV_URL  # noqa: PLC0415 (as above)

    machine = read_machine()
    wanted = tuple(dict.fromkeys(ecosystems))
    _tell(update_advisories(machine, wanted, url or OSV_URL, timeout=timeout), machine.clock())


def _tell(report: ImportReport, now: float) -> None:
    if report.replaced_broken:
        click.echo("warning: the database that was there could not be read: this one begins anew", err=True)
    changes = (
        (report.new, "new"), (report.changed, "changed"), (report.withdrawn, "withdrawn"),
        (report.unchanged, "there already"),
    )  # fmt: skip
    _say([
        f"imported: {', '.join(f'{count:,} {what}' for count, what in changes if count)}",
        *_left_out(report),
        *_stored(report.stored, now),
    ])  # fmt: skip
    if report.unreadable:
        click.echo(f"warning: {counted(report.unreadable, 'record')} could not be read", err=True)
        for refused in report.refused:
            click.echo(f"  {plain(refused.where)}: {refused.why}", err=True)
        if report.unreadable > len(report.refused):
            click.echo(f"  and {report.unreadable - len(report.refused):,} more", err=True)


def _left_out(report: ImportReport) -> Iterator[str]:
    if report.left_out:
        named = sorted(report.left_out.items(), key=lambda item: (-item[1], item[0]))
        parts = [f"{count:,} {plain(what)}" for what, count in named[:_LISTED]]
        rest = sum(count for _what, count in named[_LISTED:])
        yield f"left out: {', '.join([*parts, *([f'{rest:,} others'] if rest else [])])}"


def _stored(stored: Sequence[Stored], now: float) -> Iterator[str]:
    for one in stored:
        known = f"{one.advisories:,} advisor{'y' if one.advisories == 1 else 'ies'}"
        packages = f"{one.packages:,} package{'s' * (one.packages != 1)}"
        yield f"{one.ecosystem}: {known} on {packages}, as of {one.date} ({_age(one.date, now)})"


def _age(day: date, now: float) -> str:
    days = (datetime.fromtimestamp(now, UTC).date() - day).days
    return f"{counted(days, 'day')} ago" if days > 0 else "today"


def _say(lines: Sequence[str]) -> None:
    write_out(sys.stdout, "".join(f"{line}\n" for line in lines))
