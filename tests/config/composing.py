"""Composes a ``.gitlab-ci.yml`` from texts, or says what is wrong with it, one line each."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import pytest

from hookci.config.gitlab.composed import compose
from hookci.config.surroundings import Surroundings
from hookci.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.gitlab.composed import Composed

MAIN = ".gitlab-ci.yml"

Files = str | dict[str, str]
"""The texts of a tree's files by path, or only that of the main one."""


def tree(files: Files) -> dict[str, bytes]:
    texts = {MAIN: files} if isinstance(files, str) else files
    return {path: textwrap.dedent(text).encode() for path, text in texts.items()}


class Known(TypedDict, total=False):
    """What is known of where the files come from; nothing without it."""

    facts: Mapping[str, str]
    fetched: Mapping[str, str]
    changed: tuple[str, ...] | None
    compared: Mapping[str, tuple[str, ...]]
    asked: Mapping[str, str]


def around(files: Files, **known: Unpack[Known]) -> Surroundings:
    found = tree(files)
    there = {address: textwrap.dedent(text).encode() for address, text in known.get("fetched", {}).items()}
    return Surroundings(
        read=found.get,
        paths=lambda: found,
        facts=lambda: known.get("facts", {}),
        changed=lambda: known.get("changed"),
        compared=known.get("compared", {}).get,
        fetched=there.get,
        asked=known.get("asked", {}),
    )


def composed(files: Files, **known: Unpack[Known]) -> Composed:
    """The document, with which nothing may be wrong."""
    found = compose(MAIN, around(files, **known))
    assert found.errors() == ()
    return found


def values(files: Files, **known: Unpack[Known]) -> dict[str, Any]:
    return composed(files, **known).values


def wrong(files: Files, **known: Unpack[Known]) -> list[str]:
    """Every problem as ``place: message (hint)``."""
    try:
        problems = compose(MAIN, around(files, **known)).errors()
    except ConfigError as error:
        problems = error.problems
    if not problems:
        pytest.fail("nothing is wrong")
    return [f"{one.path}: {one.message}" + (f" ({one.hint})" if one.hint else "") for one in problems]
