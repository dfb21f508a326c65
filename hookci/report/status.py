"""``hookci status`` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.text import plain
from hookci.report.deployments import render_environments
from hookci.report.tables import render_runs
from hookci.report.terminal import paint
from hookci.report.words import counted, duration

if TYPE_CHECKING:
    from hookci.model.status import BackgroundRun, PipelineSummary, Standing, Status
    from hookci.report.terminal import Style

__all__ = ["render_status"]


def render_status(status: Status, *, now: float, color: bool) -> str:
    """What is known of a repository, a line each; ``now`` is in unix seconds."""
    hooks = ", ".join(status.hooks) if status.hooks else paint("not installed: `hookci install`", "yellow", color=color)
    lines = [
        f"on          {_position(status.standing)}",
        f"pipeline    {_pipeline(status.pipeline)}",
        f"hooks       {hooks}",
        f"workspaces  {status.workspaces}",
    ]
    if status.background:
        lines.append(f"background  {_background(status.verified, now=now, color=color)}")
    if status.hooks_problem:
        lines.insert(3, f"            {paint(status.hooks_problem, 'red', color=color)}")
    if status.last is None:
        lines.append("last run    none yet: `hookci run`")
    if status.environments:
        lines += ["", *render_environments(status.environments, now=now, color=color)]
    runs = "\n" + render_runs([status.last], now=now, color=color) if status.last else ""
    return "".join(f"{line}\n" for line in lines) + runs


def _background(run: BackgroundRun | None, *, now: float, color: bool) -> str:
    if run is None:
        return "on, no commit yet"
    number = f" [run {run.run}]" if run.run else f", see {run.log}" if run.ending else ""
    words = run.ending or f"is being verified, for {duration(now - run.began)}"
    style: Style | None = None if not run.ending or run.is_green else "yellow"
    where = f"{plain(run.branch)} at {run.commit[:8]}"
    return f"{where} {paint(words, style, color=color) if style else words}{number}"


def _position(at: Standing) -> str:
    branch = plain(at.branch) if at.branch else "a detached HEAD"
    if at.commit is None:
        return f"{branch}, no commit yet"
    upstream = f", {at.ahead} ahead of and {at.behind} behind {plain(at.upstream)}" if at.upstream else ""
    return f"{branch} at {at.commit[:8]} {plain(at.title)}".rstrip() + upstream


def _pipeline(pipeline: PipelineSummary | str) -> str:
    if isinstance(pipeline, str):
        return f"none: {pipeline}"
    return f"{pipeline.source}: {counted(pipeline.jobs, 'job')} in {', '.join(pipeline.stages)}"
