"""Requirements in Poetry's own form, as pip reads them.

Source: Poetry's documentation, "Dependency specification" (caret, tilde, wildcard and exact requirements).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["poetry_requirements"]


def poetry_requirements(table: Mapping[str, object]) -> tuple[str, ...]:
    """Make ``("pytest>=8.2,<9",)`` of ``{"pytest": "^8.2"}``; what comes from git, a path or a URL is left out."""
    return tuple(_translated(table))


def _translated(table: Mapping[str, object]) -> Iterator[str]:
    for name, value in table.items():
        wanted = value[0] if isinstance(value, list) and value else value
        detail: Mapping[str, Any] = wanted if isinstance(wanted, dict) else {"version": wanted}
        if name.lower() == "python" or not isinstance(detail.get("version"), str):
            continue
        extras = ",".join(map(str, detail.get("extras", [])))
        yield f"{name}{f'[{extras}]' if extras else ''}{_constraint(detail['version'])}"


def _constraint(text: str) -> str:
    if "|" in text:
        return ""  # pip knows no "or"; any version is nearer to what is meant than none
    parts = [part.strip() for part in re.split(r",|(?<=[\d*])\s+(?=[<>=!~^])", text)]
    return ",".join(filter(None, map(_one, parts)))


def _one(part: str) -> str:
    match = re.fullmatch(r"([~^])\s*((\d+)(?:\.\d+)*)\S*", part)
    if match:
        version = part[1:].strip()
        numbers = [int(number) for number in match[2].split(".")]
        return f">={version},<{_next(numbers, caret=match[1] == '^')}"
    return "" if part in {"*", ""} else re.sub(r"^=?(?=\d)", "==", part)


def _next(numbers: list[int], *, caret: bool) -> str:
    """The first version that is out of reach: caret goes up in the first number that is not 0, tilde in the second."""
    first = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
    at = first if caret else min(1, len(numbers) - 1)
    return ".".join(map(str, [*numbers[:at], numbers[at] + 1]))
