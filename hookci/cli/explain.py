"""``hookci explain``: what becomes of the keywords of a ``.gitlab-ci.yml``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from hookci.cli.surroundings import read_machine, write_out
from hookci.report.terminal import wants_color

if TYPE_CHECKING:
    from hookci.cli.screen import ColorSetting

__all__ = ["explain"]


@click.command()
@click.option("--json", "document", is_flag=True, help="Write a JSON document (`hookci schema explain` describes it).")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def explain(*, document: bool, color: ColorSetting) -> None:
    """Say what becomes of each keyword of .gitlab-ci.yml, job by job, and where it stands.

    It is executed as GitLab does, or without effect here and why, or refused and what to do.
    """
    from hookci.explaining import explain_work_tree  # noqa: PLC0415 (dear, and --help needs none of it)
    from hookci.report.explained import explain_document, render_explanation  # noqa: PLC0415 (as above)

    explanation = explain_work_tree(read_machine())
    if document:
        from hookci.report.machine import as_json  # noqa: PLC0415 (only programs need it)

        write_out(sys.stdout, as_json(explain_document(explanation)))
        return
    colored = wants_color(color, is_tty=sys.stdout.isatty(), env=os.environ)
    write_out(sys.stdout, render_explanation(explanation, color=colored))
