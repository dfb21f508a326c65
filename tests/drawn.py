"""Strategies that make values of hookci's own classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["made"]

_T = TypeVar("_T")


def made(
    kind: Callable[..., _T], /, *given: st.SearchStrategy[object], **named: st.SearchStrategy[object]
) -> st.SearchStrategy[_T]:
    """Values of ``kind``; what is not given has its default.

    `hypothesis.strategies.builds` asks a class for the types of its fields, which are not there at run time: their
    modules are imported for the type checker only.
    """
    return st.builds(lambda *values, **fields: kind(*values, **fields), *given, **named)  # noqa: PLW0108 (see above)
