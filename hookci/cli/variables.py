"""``--variable NAME=VALUE``."""

from __future__ import annotations

import click

from hookci.model.patterns import pattern

__all__ = ["read_variables"]

_NAME = pattern(r"[A-Za-z_][A-Za-z0-9_]*")


def read_variables(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """The variables of a line, of two with one name the later one; what is wrong is said without a value."""
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:  # all of it may be a secret
            raise click.BadParameter("expected NAME=VALUE")
        if not _NAME.fullmatch(name):
            raise click.BadParameter(f"expected NAME=VALUE, and `{name}` is no name")
        found[name] = value
    return found
