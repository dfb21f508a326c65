"""One advisory about one package, as OSV tells it.

Source: the Open Source Vulnerability schema, https://ossf.github.io/osv-schema/ (``affected``, ``ranges``, ``events``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from hookci.model.finding import Severity

__all__ = ["NPM", "PYPI", "Advisory", "Event", "Range"]

PYPI = "PyPI"
NPM = "npm"

Event = tuple[str, str]
"""``introduced``, ``fixed`` or ``last_affected``, and the version; ``("introduced", "0")`` is the beginning."""

Range = tuple[Event, ...]
"""The events of one range, in the order in which the advisory lists them."""


class Advisory(Struct, frozen=True, kw_only=True):
    """What is known about ``package`` of ``ecosystem``: which versions are affected, by ranges and by name.

    ``package`` is in the ecosystem's canonical form (PEP 503 for PyPI).  ``severity`` is None when the advisory
    states none.
    """

    id: str
    ecosystem: str
    package: str
    summary: str
    ranges: tuple[Range, ...] = ()
    versions: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()
    severity: Severity | None = None
    url: str = ""
