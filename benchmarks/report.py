"""Pure: results as a table for the terminal, as a page, and as a part of the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import Standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.figures import Figure, Group, Results

__all__ = ["BEGIN", "END", "docs_region", "documented", "markdown", "page", "table", "terminal"]

BEGIN = "<!-- Written by `benchmarks/run`; a test holds it against benchmarks/results/latest.json. -->"
END = "<!-- End of what is written. -->"

_HEAD = ("what", "against", "hookci", "the other", "ratio (95 %)", "at most", "")
_LESS = "Measured with `--quick`: smaller repositories, few rounds. The figures are no more than a first look."

_BUSY = "The machine did something else meanwhile, so these figures are worth little."
_TIMES = ("date", "hookci", "load before", "load after", "cores used by others")


def terminal(results: Results) -> str:
    """All figures, what the missed ones are made of, and the machine, as plain text."""
    parts = [f"{group.name}\n\n{table(_HEAD, _rows(group))}{_indented(group)}" for group in results.groups]
    parts += [_sum(results), *_caveats(results), _facts(results.facts)]
    return "\n\n".join(parts) + "\n"


def page(results: Results, picture: str) -> str:
    """All that was measured, in Markdown."""
    parts = ["# What hookci costs", "Written by `benchmarks/run`. " + _sum(results), *_caveats(results)]
    parts += [_READ, f"![Each ratio beside its bound]({picture})"]
    for group in results.groups:
        parts += [f"## {group.name}", markdown(_HEAD, _rows(group))]
        parts += ["\n".join(f"- {line}" for line in _made_of(group.figures))]
        parts += [f"{one.title}\n\n{markdown(one.head, one.rows)}" for one in group.tables]
        parts.append("; ".join(f"{name}: {value}" for name, value in group.facts.items()) + ".")
    parts += ["## The machine", markdown(("", ""), list(results.facts.items()))]
    return "\n\n".join(part for part in parts if part) + "\n"


def docs_region(results: Results) -> str:
    """What the documentation shows, markers included."""
    rows = [(group.name, *row) for group in results.groups for row in _rows(group)]
    parts = [BEGIN, *_caveats(results), markdown(("", *_HEAD), rows), _sum(results)]
    missed = _made_of([figure for figure in results.figures if figure.standing is Standing.MISSED])
    if missed:
        parts.append("What is not reached, and what it is made of:")
        parts.append("\n".join(f"- {line}" for line in missed))
    facts = "; ".join(f"{name} {value}" for name, value in results.facts.items())
    parts += [f"Measured on: {facts}.", markdown(("", *_TIMES), _times(results)), END]
    return "\n\n".join(parts) + "\n"


def documented(text: str, results: Results) -> str:
    """A page of the documentation with the region in it written anew.

    Raises:
        ValueError: it has no such region.
    """
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no region between {BEGIN} and {END}")
    return before + docs_region(results).rstrip("\n") + after


_READ = """\
A ratio is that of two medians; the rounds of both were taken in turns, in random order. In brackets is the interval
that 95 % of draws from the rounds fall into. What a figure is made of was measured apart, so it need not add up."""


def _rows(group: Group) -> list[tuple[str, ...]]:
    return [
        (figure.bound.what, figure.bound.against, *_measured(figure), f"{figure.bound.at_most:g}x", _standing(figure))
        for figure in group.figures
    ]


def _measured(figure: Figure) -> tuple[str, str, str]:
    if figure.found is None:
        return "-", "-", "-"
    ours, theirs = figure.medians
    unit, found = figure.bound.unit, figure.ratio
    shown = f"{_short(found.value)}x ({_short(found.low)}-{_short(found.high)})" if found else "-"
    return f"{_short(ours)} {unit}", f"{_short(theirs)} {unit}", shown


def _standing(figure: Figure) -> str:
    return f"failed: {figure.failure}" if figure.standing is Standing.FAILED else figure.standing.value


def _made_of(figures: Sequence[Figure]) -> list[str]:
    """A line for each thing that was measured, with its parts."""
    told: dict[str, str] = {}
    for figure in figures:
        if figure.found and figure.found.parts:
            unit = figure.bound.unit
            parts = ", ".join(f"{part.name} {_short(part.value)} {unit}" for part in figure.found.parts)
            told[figure.bound.what] = (
                f"{figure.bound.what}: {_short(figure.medians[0])} {unit}; beside it were measured: {parts}"
            )
    return list(told.values())


def _indented(group: Group) -> str:
    missed = [figure for figure in group.figures if figure.standing is Standing.MISSED]
    return "".join(f"\n  {line}" for line in _made_of(missed))


def _sum(results: Results) -> str:
    counts = [(standing, results.count(standing)) for standing in Standing]
    told = ", ".join(f"{count} {standing.value}" for standing, count in counts if count)
    return f"{len(results.figures)} figures: {told}."


def _caveats(results: Results) -> list[str]:
    """What takes worth from the figures."""
    found = [_LESS] if results.quick else []
    loads = [float(group.facts["load before"]) for group in results.groups[:1]]
    return found + [_BUSY for load in loads if load > float(results.facts["cores"]) / 4]


def _times(results: Results) -> list[list[str]]:
    """When each group was measured, and what of."""
    return [[group.name, *(group.facts.get(name, "-") for name in _TIMES)] for group in results.groups]


def _facts(facts: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in facts.items())


def _short(value: float) -> str:
    """Three digits, or all before the point."""
    size = abs(value)
    if size >= 99.95:  # noqa: PLR2004 (what is written as 100 needs no tenths)
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 9.995 else f"{value:.2f}" if size >= 0.0995 else f"{value:.3f}"  # noqa: PLR2004 (the same)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side: words to the left, numbers to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    right = [_is_of_numbers([row[column] for row in rows]) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _is_of_numbers(cells: Sequence[str]) -> bool:
    return all(cell[:1].isdigit() or cell[:1] in {"-", ""} for cell in cells) and any(cells)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same in Markdown."""
    right = [_is_of_numbers([row[column] for row in rows]) for column in range(len(head))]
    rule = ["--:" if to_right else "---" for to_right in right]
    shown = [[cell.replace("|", "\\|") for cell in line] for line in (head, *rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (shown[0], rule, *shown[1:]))
