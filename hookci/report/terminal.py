"""What the terminal at hand can show, and the few escape codes used on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hookci.model.text import clean, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Style", "aligned", "encodable", "paint", "shown", "supports_unicode", "wants_color"]

Style = Literal["bold", "dim", "green", "red", "yellow"]

_CODES: dict[Style, str] = {"bold": "1", "dim": "2", "green": "32", "red": "31", "yellow": "33"}
_RESET = "\x1b[0m"
_SIGNS = "✓✗·○⠋…"


def wants_color(setting: Literal["auto", "always", "never"], *, is_tty: bool, env: Mapping[str, str]) -> bool:
    """Whether to colour what is written.

    ``setting`` decides unless it is ``auto``; then, in this order: ``NO_COLOR`` (no-color.org: any
    text says no), ``FORCE_COLOR`` and ``CLICOLOR_FORCE`` (force-color.org, bixense.com/clicolors:
    any text but ``0`` and ``false`` says yes), ``TERM=dumb`` (no), and whether it is a terminal.
    """
    if setting != "auto":
        return setting == "always"
    if env.get("NO_COLOR"):
        return False
    if any(env.get(name, "").lower() not in {"", "0", "false"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return is_tty and env.get("TERM") != "dumb"


def supports_unicode(encoding: str | None) -> bool:
    """Whether the marks (``✓``) can be written in ``encoding``; None and unknown ones count as no."""
    try:
        _SIGNS.encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def encodable(text: str, encoding: str) -> str:
    """``text`` with ``?`` for each character that ``encoding`` does not have."""
    return text.encode(encoding, "replace").decode(encoding)


def paint(text: str, style: Style, *, color: bool) -> str:
    """``text`` in ``style``, or as it is without ``color``."""
    return f"\x1b[{_CODES[style]}m{text}{_RESET}" if color and text else text


def shown(line: str, *, color: bool) -> str:
    """A line of a program's output, safe to print; its colours stay with ``color`` and end with it."""
    if not color:
        return plain(line)
    line = clean(line)
    return line + _RESET if "\x1b" in line else line


def aligned(rows: Sequence[Sequence[str]], *, indent: str = "") -> list[str]:
    """Rows of cells as lines with the columns two spaces apart; painted cells count without their paint."""
    widths = [max(len(plain(cell)) for cell in column) for column in zip(*rows, strict=True)]
    return [(indent + "  ".join(map(_padded, row, widths))).rstrip() for row in rows]


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - len(plain(cell)))
