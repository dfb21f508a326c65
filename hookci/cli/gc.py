"""``hookci gc``: clear away what is beyond its bounds on disk, and what hookci left on the container engine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from hookci.cli.surroundings import read_machine, write_out
from hookci.model.size import parse_size

if TYPE_CHECKING:
    from hookci.clearing import ClearRequest
    from hookci.engine.calls import Engine
    from hookci.engine.leftovers import Swept
    from hookci.model.housekeeping import Tidied
    from hookci.session import Machine

__all__ = ["gc", "tidy_up"]


def _read_size(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    try:
        return None if text is None else parse_size(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}, saw `{text}`") from error


@click.command()
@click.option(
    "--engine", default=None, metavar="URL|CONTEXT", help="The container engine. Default: the one that runs use."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--all-repositories", is_flag=True, help="Clean up all repositories of yours, not only this one.")
@click.option(
    "--max-size", default=None, callback=_read_size, metavar="SIZE", help="Keep so much. Default: hookci.keepSize."
)
@click.option(
    "--max-age",
    default=None,
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Keep what was used within so many days. Default: hookci.keepDays.",
)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON document: `hookci schema` describes it.")
def gc(
    engine: str | None,
    dry_run: bool,
    all_repositories: bool,
    max_size: int | None,
    max_age: float | None,
    as_json: bool,
) -> None:
    """Remove what this repository keeps beyond its bounds, and what hookci left on the container engine.

    Workspaces, caches, artifacts, logs and the like go when they were not used for long, and the oldest of them when
    they are too much together; never what is in use.  What repositories left that are gone goes, too.  On the engine,
    of all repositories of this user: what runs left that were killed, kept workspaces, and images that no run or
    release names any more.
    """
    from hookci.clearing import ClearRequest, clear_disk  # noqa: PLC0415 (no other command needs it)

    machine = read_machine()
    request = ClearRequest(size=max_size, days=max_age, everywhere=all_repositories, dry_run=dry_run)
    cleared = clear_disk(machine, request)
    if not as_json:
        write_out(sys.stdout, _text(cleared, request))
    found = _engine(machine, engine, dry_run=dry_run)
    if as_json:
        from hookci.report.machine import as_json as written  # noqa: PLC0415 (only programs need it)
        from hookci.report.tidied import gc_document  # noqa: PLC0415 (as above)

        write_out(sys.stdout, written(gc_document(cleared, found[1] if found else None, dry_run=dry_run)))
        return
    write_out(sys.stdout, _engine_text(found, said=any(each.removed for each in cleared), dry_run=dry_run))


def tidy_up() -> None:
    """What a run starts in the background when it is over; what it says goes to a file."""
    from hookci.clearing import ClearRequest, clear_disk  # noqa: PLC0415 (as above)
    from hookci.proc.modest import step_back  # noqa: PLC0415 (as above)

    step_back()
    request = ClearRequest()
    write_out(sys.stdout, _text(clear_disk(read_machine(), request), request))


def _engine(machine: Machine, wanted: str | None, *, dry_run: bool) -> tuple[Engine, Swept] | None:
    """What was removed from the engine; None when there is none and nobody has named one."""
    from hookci.clearing import clear, names_engine  # noqa: PLC0415 (as above)
    from hookci.engine.calls import EngineGoneError  # noqa: PLC0415 (as above)

    try:
        return clear(machine, wanted, dry_run=dry_run)
    except EngineGoneError:
        if names_engine(machine, wanted):
            raise
        return None


def _text(cleared: list[Tidied], request: ClearRequest) -> str:
    from hookci.report.tidied import render_tidied  # noqa: PLC0415 (as above)

    return render_tidied(cleared, dry_run=request.dry_run)


def _engine_text(found: tuple[Engine, Swept] | None, *, said: bool, dry_run: bool) -> str:
    act = "would remove" if dry_run else "removed"
    lines = []
    if found is not None:
        swept = found[1]
        lines += [f"{act} container {name[:12]}" for name in swept.containers]
        lines += [f"{act} network {name[:12]}" for name in swept.networks]
        lines += [f"{act} volume {name}" for name in swept.volumes]
        lines += [f"{act} image {name}" for name in swept.images]
    if not lines and not said:
        lines = [f"nothing to remove: {found[0].name} has nothing of hookci's" if found else "nothing to remove"]
    return "".join(f"{line}\n" for line in lines)
