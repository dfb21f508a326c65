"""``hookci include``: what a ``.gitlab-ci.yml`` includes from elsewhere."""

from __future__ import annotations

import sys

import click

from hookci.cli.surroundings import read_machine, write_out
from hookci.model.text import plain

__all__ = ["include"]

_TIMEOUT = 60
_DIGITS = 12


@click.group()
def include() -> None:
    """Fetch what .gitlab-ci.yml includes from elsewhere, for runs to use: no hook ever asks the network."""


@include.command()
@click.option("--update", is_flag=True, help="Take what is there now, also where the lock file says something else.")
@click.option(
    "--templates", default=None, metavar="URL", help="A mirror of GitLab's templates. Default: GitLab's own repository."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=_TIMEOUT,
    show_default=True,
    metavar="SECONDS",
    help="How long each file may take.",
)
def fetch(*, update: bool, templates: str | None, timeout: float) -> None:
    """Fetch includes of remote, project, template and component, and pin them in .gitlab-ci.lock.toml.

    Projects and components come by git from where the remote `origin` is. Commit the lock file: every clone then runs
    the same contents, and fetches them with this command.
    """
    from hookci.including import TEMPLATES, fetch_includes  # noqa: PLC0415 (dear, and --help needs none of it)

    report = fetch_includes(read_machine(), update=update, templates=templates or TEMPLATES, timeout=timeout)
    lines = [f"{one.what}: {plain(one.address)} (sha256 {one.digest[:_DIGITS]})" for one in report.includes]
    if not lines:
        lines = ["nothing is included from elsewhere"]
    if report.written is not None:
        lines.append(f"wrote {report.written}: commit it")
    write_out(sys.stdout, "".join(f"{line}\n" for line in lines))
