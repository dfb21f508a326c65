"""Pure: results as a table for the terminal and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import NO_HOOK, OURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.figures import Results, Scene, Spread

__all__ = ["markdown", "page", "table", "terminal"]

_NOTES = """\
Every hook runs one job, `true`. hookci runs it in a clean checkout of what is committed or pushed, from a process group
of its own, with a log; the others in the work tree as it is. "A new tree" is one file changed; of a push it was never
committed through a hook. "The same tree again" is `git commit --amend --no-edit`, and a push of the same commit to
another branch. The remote is a bare repository on the same disk. lefthook is what `pip` installs, a Python program that
starts the binary; `lefthook binary` is that binary first on the `PATH`. On a push lefthook calls `git lfs` if that is
installed. hookci remembers; where another ran no job for the same tree again, it found no staged file (lefthook), or no
commit that the remote did not have (pre-commit, prek)."""


def terminal(results: Results) -> str:
    """All tables, as plain text."""
    parts = [
        f"{_title(results)}\n\n{table(_head(results), _times(results))}",
        f"{_RATIOS}\n\n{table(_ratio_head(results), _ratios(results))}",
        "\n".join(_slower(results)),
        "\n".join(f"{name}: {value}" for name, value in results.facts.items()),
    ]
    return "\n\n".join(parts) + "\n"


def page(results: Results, picture: str) -> str:
    """The same in Markdown, with the picture."""
    parts = [
        "# What a hook adds to a commit and a push",
        "Written by `benchmarks/run`. Shorter is better.",
        f"![What each hook adds]({picture})",
        f"{_title(results)}\n\n{markdown(_head(results), _times(results))}",
        f"{_RATIOS}\n\n{markdown(_ratio_head(results), _ratios(results))}",
        "\n".join(f"- {line}" for line in _slower(results)),
        "The same in processor time, which other programs on the machine disturb less, in ms\n\n"
        + markdown(_head(results)[:2] + _head(results)[3:], _cpu(results)),
        "How often the job ran: for a new tree, and for the same tree again\n\n"
        + markdown(["", *_acts(results)], _jobs(results)),
        _NOTES,
        markdown(["machine", ""], [[name, value] for name, value in results.facts.items()]),
    ]
    return "\n\n".join(parts) + "\n"


_RATIOS = f"What {OURS} adds, in times of what the others add (under 1 is less, - is noise)"


def _title(results: Results) -> str:
    return f"What a hook adds to the time without one, in ms: median of {results.rounds} rounds (and quartiles)"


def _head(results: Results) -> list[str]:
    return ["", "files", NO_HOOK, *results.hooks]


def _times(results: Results) -> list[list[str]]:
    return [
        [*_name(scene), _ms(results.plain(scene)), *(_ms(results.added(scene, hook)) for hook in results.hooks)]
        for scene in results.scenes
    ]


def _cpu(results: Results) -> list[list[str]]:
    return [
        [*_name(scene), *(f"{results.added_cpu(scene, hook).median:.0f}" for hook in results.hooks)]
        for scene in results.scenes
    ]


def _ratio_head(results: Results) -> list[str]:
    return ["", "files", *(hook for hook in results.hooks if hook != OURS)]


def _ratios(results: Results) -> list[list[str]]:
    others = [hook for hook in results.hooks if hook != OURS]
    return [[*_name(scene), *(_times_of(results.against(scene, hook)) for hook in others)] for scene in results.scenes]


def _jobs(results: Results) -> list[list[str]]:
    return [
        [hook, *(" and ".join(map(str, results.jobs[hook][act])) for act in _acts(results))] for hook in results.hooks
    ]


def _acts(results: Results) -> list[str]:
    return list(dict.fromkeys(scene.act for scene in results.scenes))


def _slower(results: Results) -> list[str]:
    """A sentence for each other hook that says where hookci adds more than it does."""
    return [f"{OURS} adds more than {hook}: {_where(results, hook)}" for hook in results.hooks if hook != OURS]


def _where(results: Results, hook: str) -> str:
    slower = results.slower(hook)
    faster = [scene for scene in results.scenes if scene not in slower]
    if not slower or not faster:
        return "everywhere" if slower else "nowhere"
    fewer = min(slower, faster, key=len)
    named = "; ".join(f"{scene} ({scene.files:,} files)" for scene in fewer)
    return named if fewer is slower else f"everywhere but {named}"


def _name(scene: Scene) -> list[str]:
    return [str(scene), f"{scene.files:,}"]


def _ms(found: Spread) -> str:
    digits = 1 if abs(found.median) < 9.95 else 0  # noqa: PLR2004 (what is written as 10 needs no tenths)
    return f"{found.median:.{digits}f} ({found.low:.{digits}f}-{found.high:.{digits}f})"


def _times_of(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}x" if value < 9.995 else f"{value:.0f}x"  # noqa: PLR2004 (three digits say enough)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side: the first to the left, all others to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) if not column else cell.rjust(width) for column, (cell, width) in enumerate(cells))
        for cells in (list(zip(line, widths, strict=True)) for line in lines)
    )


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same in Markdown."""
    rule = ["---", *("--:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *rows))
