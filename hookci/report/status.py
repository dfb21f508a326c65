"""``hookci status`` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.report.tables import render_runs
from hookci.report.terminal import paint

if TYPE_CHECKING:
    from hookci.model.status import Status

__all__ = ["render_status"]


def render_status(status: Status, *, now: float, color: bool) -> str:
    """What is known of a repository, a line each; ``now`` is in unix seconds."""
    hooks = ", ".join(status.hooks) if status.hooks else paint("not installed: `hookci install`", "yellow", color=color)
    lines = [
        f"on          {status.position}",
        f"pipeline    {status.pipeline}",
        f"hooks       {hooks}",
        f"workspaces  {status.workspaces}",
    ]
    if status.hooks_problem:
        lines.insert(3, f"            {paint(status.hooks_problem, 'red', color=color)}")
    if status.last is None:
        lines.append("last run    none yet: `hookci run`")
        return "".join(f"{line}\n" for line in lines)
    return "".join(f"{line}\n" for line in lines) + "\n" + render_runs([status.last], now=now, color=color)
