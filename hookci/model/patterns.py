"""Regular expressions that are compiled when they are first used: compiling them all is a tenth of a hook's start."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, AnyStr, Generic, cast

if TYPE_CHECKING:
    from re import Pattern

__all__ = ["pattern"]


class _Later(Generic[AnyStr]):
    """Stands for a compiled expression; `re` keeps what it has compiled."""

    _text: AnyStr

    def __init__(self, text: AnyStr, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        # kept, so that the next time nobody asks
        found = vars(self)[name] = getattr(re.compile(self._text, self._flags), name)
        return found


def pattern(text: AnyStr, flags: int = 0) -> Pattern[AnyStr]:
    """The same as `re.compile`, for module constants; what is wrong with ``text`` is said at its first use."""
    return cast("Pattern[AnyStr]", _Later(text, flags))
