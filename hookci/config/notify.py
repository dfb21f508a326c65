"""Who is told: from the table to its meaning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.config.problems import Problem
from hookci.config.values import check_filled
from hookci.model.notification import Notify

if TYPE_CHECKING:
    from hookci.config.schema_environment import NotifyTable

__all__ = ["read_notify"]

_ADDRESS = re.compile(r"\$|[A-Za-z][A-Za-z0-9+.-]*://")


def read_notify(table: NotifyTable | None, problems: list[Problem]) -> Notify | None:
    """What ``[notify]`` asks for, None when it is not there.  An address is not repeated: it may hold a token."""
    if table is None:
        return None
    check_filled(table, ("urls", "on"), ("notify",), problems)
    for index, url in enumerate(table.urls):
        path = ("notify", "urls", index)
        if not _ADDRESS.match(url):
            problems.append(Problem(path, 'expected a $VARIABLE, or an address such as "mailto://..."'))
        elif "$" in url[1:] and not url.startswith("$"):
            # a commit could otherwise send any variable of a person's environment to a host of its choice
            problems.append(Problem(path, "the whole address belongs into a variable, not a part of it"))
    if table.on is None:
        return Notify(tuple(table.urls))
    return Notify(tuple(table.urls), tuple(dict.fromkeys(table.on)))
