"""How places and values of a config are shown in a problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Path", "did_you_mean", "show", "show_path"]

Path = tuple[str | int, ...]

_BARE_KEY = pattern(r"[A-Za-z0-9_-]+")
_LONGEST = 60
_CLOSE = 0.7
_BIGGEST = 2**63


def show_path(path: Path) -> str:
    """A key path as TOML writes it: ``jobs."my job".script[0]``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _BARE_KEY.fullmatch(step) else _quoted(step))
    return text


def show(value: object) -> str:
    """A value as TOML writes it, shortened; tables and lists only by what they are."""
    if isinstance(value, str):
        return _quoted(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}...")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) >= _BIGGEST:
        return "a number beyond 64 bits"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return "a table" if isinstance(value, dict) else str(value)


def did_you_mean(word: str, choices: Iterable[str]) -> str | None:
    """The hint that names the choice nearest to ``word``, or None when none is near."""
    import difflib  # noqa: PLC0415 (only an error pays for it)

    near = difflib.get_close_matches(word, list(choices), n=1, cutoff=_CLOSE)
    return f"did you mean `{near[0]}`?" if near else None


def _quoted(text: str) -> str:
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 (the last code point of four digits)
