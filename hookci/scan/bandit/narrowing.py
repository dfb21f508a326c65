"""What of a project's own ``[tool.bandit]`` is honoured: rules named to be used, or to be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.scan.adapter import Tree

__all__ = ["WHERE", "Narrowing", "narrowing_of"]

WHERE = "pyproject.toml [tool.bandit]"
_FILE = "pyproject.toml"
_HONOURED = ("tests", "skips")


class Narrowing(Struct, frozen=True):
    """The names of rules to use (``tests``; none: all) and to leave out (``skips``), and what a person should know."""

    tests: tuple[str, ...] = ()
    skips: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def narrowing_of(tree: Tree) -> Narrowing:
    """What the ``pyproject.toml`` at the top of a tree asks of bandit; one that is broken narrows nothing."""
    text = tree.contents([_FILE]).get(_FILE, b"")
    if b"bandit" not in text:
        return Narrowing()
    import tomllib  # noqa: PLC0415 (few projects configure bandit)

    try:
        table = tomllib.loads(text.decode()).get("tool", {}).get("bandit", {})
    except (ValueError, AttributeError, RecursionError) as error:
        return Narrowing(notes=(f"{_FILE} cannot be read, so no rule of bandit is left out: {error}",))
    return _read(table) if isinstance(table, dict) else Narrowing(notes=(f"{WHERE} is no table",))


def _read(table: Mapping[str, object]) -> Narrowing:
    names: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    for key in _HONOURED:
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            names[key] = tuple(value)
        else:
            notes.append(f"{WHERE} {key} is no list of names, so it is not honoured")
        if names.get(key):
            notes.append(f"{WHERE} {key} {', '.join(names[key])}")
    others = sorted(set(table) - set(_HONOURED))
    if others:
        notes.append(f"{WHERE} {', '.join(others)} {'are' if len(others) > 1 else 'is'} not honoured")
    return Narrowing(names.get("tests", ()), names.get("skips", ()), tuple(notes))
