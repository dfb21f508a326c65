"""Pure: each ratio beside its bound, drawn as bars."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from benchmarks.figures import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.figures import Figure, Results

__all__ = ["picture"]

_WIDTH, _LABEL, _VALUE = 980, 560, 110
_BAR, _ROW, _MARGIN = 12, 18, 16
_LEAST, _MOST = 0.01, 10.0
"""In times of the bound; what is less or more is drawn as that."""
# Readable on white and on black: the picture has no background of its own.
_STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #7a828e } .title { font-weight: 600 } .name { text-anchor: end }
rect { fill: #2f81f7 } .over { fill: #d29922 } line { stroke: #57606a; stroke-width: 1.5 } .bound { stroke: #7a828e }"""


def picture(results: Results) -> str:
    """An SVG with a bar for each figure, on one scale of powers of ten, and a line where the bounds are."""
    height = _MARGIN * 3 + _ROW * (len(results.figures) + 2 * len(results.groups))
    bound = _LABEL + _along(1.0)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="0" y="{_MARGIN}">Each ratio beside its bound, the line; shorter is better</text>',
        f'<line class="bound" x1="{bound:.1f}" y1="{_MARGIN * 2}" x2="{bound:.1f}" y2="{height - _MARGIN}"/>',
    ]
    top = _MARGIN * 2
    for group in results.groups:
        lines.append(f'<text class="title" x="0" y="{top + _BAR}">{escape(group.name)}</text>')
        for number, figure in enumerate(group.figures, 1):
            lines += _bar(figure, top + number * _ROW)
        top += (len(group.figures) + 2) * _ROW
    return "\n".join([*lines, "</svg>"]) + "\n"


def _bar(figure: Figure, top: int) -> Iterator[str]:
    text, base = f"{figure.bound.what} / {figure.bound.against}", top + _BAR - 2
    yield f'<text class="name" x="{_LABEL - 6}" y="{base}">{escape(_cut(text))}</text>'
    found, most = figure.ratio, figure.bound.at_most
    if found is None:
        yield f'<text x="{_LABEL}" y="{base}">{figure.standing.value}</text>'
        return
    kind = ' class="over"' if figure.standing is Standing.MISSED else ""
    ends = [_LABEL + _along(value / most) for value in (found.low, found.value, found.high)]
    yield f'<rect{kind} x="{_LABEL}" y="{top}" width="{ends[1] - _LABEL:.1f}" height="{_BAR}"/>'
    yield f'<line x1="{ends[0]:.1f}" y1="{top + _BAR / 2}" x2="{ends[2]:.1f}" y2="{top + _BAR / 2}"/>'
    yield f'<text x="{ends[2] + 6:.1f}" y="{base}">{found.value:.3g}x of {most:g}x</text>'


def _along(share: float) -> float:
    """Where a share of the bound is, from the left end of the bars."""
    held = min(_MOST, max(_LEAST, share))
    return (_WIDTH - _LABEL - _VALUE) * math.log(held / _LEAST) / math.log(_MOST / _LEAST)


def _cut(text: str) -> str:
    return text if len(text) <= 92 else f"{text[:91]}…"  # noqa: PLR2004 (as much as there is room for)
