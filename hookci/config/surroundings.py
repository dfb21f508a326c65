"""What a config may ask about the snapshot it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Surroundings"]


class Surroundings(Struct, frozen=True, kw_only=True):
    """The tree around a config, and what is known of where it came from.

    ``read`` tells the content of a file of the tree (None: there is none), ``paths`` lists them.  ``facts`` are the
    predefined variables, ``changed`` the paths that differ from the base (None: all of them), ``compared`` those that
    differ since a revision was left (None: it names nothing to compare with).  ``asked`` are the variables that a
    person gave by hand, or that the pipeline above handed on; ``settled`` those that every pipeline of the project has.
    ``fetched`` tells what was fetched for an include from elsewhere, by its address
    (None: it was not fetched).  Each is asked only when a config needs it.
    """

    read: Callable[[str], bytes | None]
    paths: Callable[[], Iterable[str]]
    facts: Callable[[], Mapping[str, str]]
    changed: Callable[[], tuple[str, ...] | None]
    fetched: Callable[[str], bytes | None]
    compared: Callable[[str], tuple[str, ...] | None] = lambda _revision: None
    asked: Mapping[str, str] = field(default_factory=dict)
    settled: Mapping[str, str] = field(default_factory=dict)
