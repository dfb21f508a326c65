"""Pure: what each hook adds, drawn as bars."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from benchmarks.figures import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.figures import Results, Scene

__all__ = ["picture"]

_PANEL, _GAP = 460, 20
_LABEL, _VALUE = 110, 60
_BAR, _ROW = 12, 18
_TITLE, _MARGIN = 26, 16
# Readable on white and on black: the picture has no background of its own.
_STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #7a828e } .title { font-weight: 600 } .name { text-anchor: end }
rect { fill: #8b96a5 } .ours { fill: #2f81f7 } line { stroke: #57606a; stroke-width: 1.5 }"""


def picture(results: Results) -> str:
    """An SVG with a panel for each scene: small repositories to the left, all bars on one scale."""
    sizes = sorted({scene.files for scene in results.scenes})
    height = _TITLE + _ROW * len(results.hooks) + _MARGIN
    kinds = list(dict.fromkeys((scene.act, scene.again) for scene in results.scenes))
    width, whole = (_PANEL + _GAP) * len(sizes), height * len(kinds) + _TITLE + _MARGIN
    most = max(results.added(scene, hook).high for scene in results.scenes for hook in results.hooks)
    scale = (_PANEL - _LABEL - _VALUE) / most
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {whole}" width="{width}" height="{whole}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="0" y="{_MARGIN}">ms that a hook adds: median, and the quartiles as a line</text>',
    ]
    for scene in results.scenes:
        left = sizes.index(scene.files) * (_PANEL + _GAP)
        top = kinds.index((scene.act, scene.again)) * height + _TITLE
        lines += [f'<g transform="translate({left} {top})">', *_panel(results, scene, scale), "</g>"]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _panel(results: Results, scene: Scene, scale: float) -> Iterator[str]:
    yield f'<text class="title" x="0" y="{_MARGIN}">{escape(str(scene))}: {scene.files:,} files</text>'
    for number, hook in enumerate(results.hooks):
        found, top = results.added(scene, hook), _TITLE + number * _ROW
        middle = top + _BAR / 2
        kind = ' class="ours"' if hook == OURS else ""
        low, high = (_LABEL + max(0.0, value) * scale for value in (found.low, found.high))
        width = max(0.0, found.median) * scale
        yield f'<text class="name" x="{_LABEL - 6}" y="{top + _BAR - 2}">{escape(hook)}</text>'
        yield f'<rect{kind} x="{_LABEL}" y="{top}" width="{width:.1f}" height="{_BAR}"/>'
        yield f'<line x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}"/>'
        yield f'<text x="{max(high, _LABEL + width) + 6:.1f}" y="{top + _BAR - 2}">{found.median:.0f}</text>'
