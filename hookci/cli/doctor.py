"""``hookci doctor``: what keeps hookci from its work here, and what mends it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from hookci.checkup.examine import examine
from hookci.cli.surroundings import read_machine, write_out
from hookci.model.checkup import Level
from hookci.report.checkup import render_checkup
from hookci.report.terminal import wants_color

if TYPE_CHECKING:
    from hookci.cli.screen import ColorSetting

__all__ = ["doctor"]


@click.command()
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def doctor(color: ColorSetting) -> int:
    """Look for what keeps hookci from its work here; each problem comes with what mends it.

    Ends with status 1 when there is a problem.
    """
    findings = examine(read_machine())
    colored = wants_color(color, is_tty=sys.stdout.isatty(), env=os.environ)
    write_out(sys.stdout, render_checkup(findings, color=colored))
    return int(any(finding.level is Level.PROBLEM for finding in findings))
