"""Errors and plans as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.errors import ConfigError
from hookci.model.plan import Action
from hookci.model.text import plain
from hookci.report.terminal import aligned, paint
from hookci.report.words import not_checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.errors import ConfigProblem, HookciError
    from hookci.model.plan import Plan, PlannedJob
    from hookci.report.terminal import Style

__all__ = ["render_error", "render_plan"]

_ACTIONS: dict[Action, tuple[str, Style]] = {
    Action.RUN: ("run", "green"),
    Action.REMEMBERED: ("remembered", "dim"),
    Action.SKIPPED: ("skipped", "dim"),
    Action.MANUAL: ("manual", "yellow"),
    Action.UNSUPPORTED: ("unsupported", "yellow"),
}


def render_error(error: HookciError, *, color: bool) -> str:
    """What is wrong, each problem of a config on its own, and the hints; ends with a line end."""
    lines = [f"{paint('error:', 'red', color=color)} {_continued(error.message, '  ')}"]
    if isinstance(error, ConfigError):
        for problem in error.problems:
            lines.extend(_problem(problem, color=color))
    if error.hint:
        lines.append(f"{paint('hint:', 'yellow', color=color)} {_continued(error.hint, '  ')}")
    return "\n".join(lines) + "\n"


def render_plan(plan: Plan, *, color: bool) -> str:
    """The jobs of a plan below their stages, each with its action and reason, then the others; ends with a line end."""
    jobs = list(plan.jobs.values())
    counts = ((sum(planned.action is action for planned in jobs), word) for action, (word, _) in _ACTIONS.items())
    summary = ", ".join(f"{count} {word}" for count, word in counts if count) or "no jobs"
    lines = [f"{plain(plan.snapshot.label)}, {plan.hook}: {summary}"]
    if plan.skip:
        lines.append(not_checked(plan.skip, color=color))
    rows = iter(aligned([_planned(planned, color=color) for planned in _by_stage(plan)], indent="  "))
    for stage in plan.stages:
        members = [planned for planned in jobs if planned.job.stage == stage]
        if members:
            lines += ["", paint(plain(stage), "bold", color=color), *(next(rows) for _ in members)]
    if plan.left_out:
        left_out = aligned([(plain(name), plain(reason)) for name, reason in plan.left_out.items()], indent="  ")
        lines += ["", paint("left out", "dim", color=color), *left_out]
    return "\n".join(lines) + "\n"


def _by_stage(plan: Plan) -> list[PlannedJob]:
    return [planned for stage in plan.stages for planned in plan.jobs.values() if planned.job.stage == stage]


def _planned(planned: PlannedJob, *, color: bool) -> tuple[str, str, str]:
    word, style = _ACTIONS[planned.action]
    return plain(planned.job.name), paint(word, style, color=color), plain(planned.reason)


def _problem(problem: ConfigProblem, *, color: bool) -> Iterator[str]:
    place = f"{plain(problem.path)}: " if problem.path else ""
    yield f"  {place}{_continued(problem.message, '    ')}"
    if problem.hint:
        yield f"    {paint('hint:', 'yellow', color=color)} {_continued(problem.hint, '      ')}"


def _continued(text: str, indent: str) -> str:
    """``text`` with its further lines, if it has any, indented."""
    return f"\n{indent}".join(plain(text).splitlines())
