"""``hookci export``: a pipeline for a hosted engine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hookci import upkeep
from hookci.cli.surroundings import read_machine, write_out

__all__ = ["export"]


@click.command()
@click.argument("engine", type=click.Choice(["gitlab", "github"]), metavar="gitlab|github")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help="Write it there, over what is there; default: the standard output.",
)
def export(engine: str, output: Path | None) -> None:
    """Write a pipeline for a hosted engine from hookci.toml: one job for each, that runs it through hookci.

    For GitLab it belongs into .gitlab-ci.yml, for GitHub into .github/workflows/hookci.yml.
    """
    from hookci.exporting.github import github_file  # noqa: PLC0415 (dear, and --help needs none of it)
    from hookci.exporting.gitlab import gitlab_file  # noqa: PLC0415 (as above)

    make = {"gitlab": gitlab_file, "github": github_file}[engine]
    text = make(upkeep.read_config(read_machine()))
    if output is None:
        write_out(sys.stdout, text)
        return
    from hookci.cli.outputs import write_file  # noqa: PLC0415 (only with a file)

    output.parent.mkdir(parents=True, exist_ok=True)
    write_file(output, text.encode())
    click.echo(f"wrote {output}")
