"""Health checks of an environment: from tables to their meaning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from hookci.config.problems import Problem, expected
from hookci.config.values import check_filled, longer_than_zero, plain, seconds
from hookci.model.environment import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.config.schema_environment import HealthTable
    from hookci.config.words import Path

__all__ = ["read_health"]

_KINDS = ("url", "tcp", "command")
_ONLY_FOR_URL = ("status", "expect", "version", "headers")
# What begins with a variable, or holds one, is seen through only when it is deployed.
_URL = re.compile(r"(?:https?://|\$)[^\x00-\x20\x7f]+", re.IGNORECASE)
_TCP = re.compile(r"(?:[^\s:/\[\]]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_LAST_PORT = 65535
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2: token


def read_health(tables: list[HealthTable], path: Path, problems: list[Problem]) -> tuple[Check, ...]:
    """The checks at ``path``."""
    return tuple(_check(table, (*path, index), problems) for index, table in enumerate(tables))


def _check(table: HealthTable, path: Path, problems: list[Problem]) -> Check:
    said = table.model_fields_set
    if len(said.intersection(_KINDS)) != 1:
        problems.append(Problem(path, "expected one of url, tcp and command"))
    elif "url" not in said:
        problems.extend(Problem((*path, key), "is only for a url") for key in _ONLY_FOR_URL if key in said)
    check_filled(table, ("command", "expect", "version"), path, problems)
    values: dict[str, Any] = {key: _READERS[key](getattr(table, key), (*path, key), problems) for key in said}
    check = Check(**values)
    if check.command and "timeout" not in said:
        # a command may do all that a person would look at, and takes what it takes
        check = replace(check, timeout=check.within)
    if 0 < check.within < (check.successes - 1) * check.interval:
        what = f"takes longer than it may: {check.successes} successes, {check.interval:g}s apart, in {check.within:g}s"
        problems.append(Problem(path, what))
    return check


def _url(url: str, path: Path, problems: list[Problem]) -> str:
    if not _URL.fullmatch(url):
        problems.append(expected(path, 'an address such as "http://127.0.0.1:8000/health"', url))
    return url


def _tcp(place: str, path: Path, problems: list[Problem]) -> str:
    found = _TCP.fullmatch(place)
    if "$" not in place and not (found and 1 <= int(found[1]) <= _LAST_PORT):
        problems.append(expected(path, 'a host and a port such as "127.0.0.1:5432"', place))
    return place


def _headers(headers: dict[str, str], path: Path, problems: list[Problem]) -> dict[str, str]:
    wrong = (name for name in headers if not _HEADER.fullmatch(name))
    problems.extend(expected((*path, name), "the name of a header", name) for name in wrong)
    return dict(headers)


_READERS: Mapping[str, Callable[[Any, Path, list[Problem]], object]] = {
    "url": _url,
    "tcp": _tcp,
    "command": plain(str),
    "status": plain(int),
    "expect": plain(str),
    "version": plain(str),
    "headers": _headers,
    "within": longer_than_zero,
    "interval": longer_than_zero,
    "timeout": longer_than_zero,
    "successes": plain(int),
    "stable": seconds,
}
