"""``hookci gc``: remove from the container engine what hookci left there."""

from __future__ import annotations

import sys

import click

from hookci.cli.surroundings import read_machine, write_out

__all__ = ["gc"]


@click.command()
@click.option(
    "--engine", default=None, metavar="URL|CONTEXT", help="The container engine. Default: the one that runs use."
)
def gc(engine: str | None) -> None:
    """Remove from the container engine what hookci left there and needs no more.

    Of all repositories of this user: containers, networks and volumes of runs that were killed, workspaces that were
    kept for the next run, and images that no run or release names any more.  Nothing else is touched.
    """
    from hookci.clearing import clear  # noqa: PLC0415 (only this command needs an engine at once)

    where, swept = clear(read_machine(), engine)
    lines = [
        *(f"removed container {name[:12]}" for name in swept.containers),
        *(f"removed network {name[:12]}" for name in swept.networks),
        *(f"removed volume {name}" for name in swept.volumes),
        *(f"removed image {name}" for name in swept.images),
    ]
    write_out(sys.stdout, "\n".join(lines or [f"nothing to remove: {where.name} has nothing of hookci's"]) + "\n")
