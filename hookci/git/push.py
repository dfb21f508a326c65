"""The hook protocol: what git tells a hook, as values."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hookci.errors import ProtocolError
from hookci.model.patterns import pattern
from hookci.model.snapshot import RefUpdate

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OWN_REFS", "parse_ref_updates", "refuse_borrowed_stdin"]

OWN_REFS = "refs/hookci/"
"""Refs of hookci's own (state, locks): they hold no code that anybody checks out, so they are not judged."""

_OID = pattern(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FIELDS = 4


def parse_ref_updates(stdin: bytes) -> tuple[RefUpdate, ...]:
    """Read what git writes to the standard input of a ``pre-push`` hook.

    Every line is returned, deletions included: ``git push origin a b`` writes two, and a hook that
    stops at the first lets ``b`` through unchecked.

    Args:
        stdin: zero or more lines of four fields, ``<local ref> <local oid> <remote ref> <remote oid>``,
            each ended by LF.  A local ref may hold spaces (``HEAD@{1 day ago}``), so lines are split
            from the right.

    Returns:
        One update per line, in git's order; empty when nothing would be pushed.

    Raises:
        ProtocolError: a line has another shape.  The push is then refused, because a line that was not
            understood is a ref that was not checked.

    Source: githooks(5), section "pre-push".
    """
    return tuple(_parse_line(line) for line in os.fsdecode(stdin).split("\n") if line)


def _parse_line(line: str) -> RefUpdate:
    fields = line.rsplit(" ", _FIELDS - 1)
    if len(fields) != _FIELDS or not (_OID.fullmatch(fields[1]) and _OID.fullmatch(fields[3]) and fields[2]):
        raise ProtocolError(f"git handed the pre-push hook a line that is not a ref update: {line!r}")
    return RefUpdate(*fields)


def refuse_borrowed_stdin(updates: tuple[RefUpdate, ...], env: Mapping[str, str]) -> None:
    """Refuse when another hook manager ran this hook and kept git's lines for itself.

    Raises:
        ProtocolError: ``PRE_COMMIT=1`` is set and the standard input was empty: the pre-commit framework and
            prek hand a push hook no lines, so an empty input says nothing about what is pushed.
    """
    if not updates and env.get("PRE_COMMIT") == "1":
        raise ProtocolError(
            "the standard input of pre-push is empty, so there is no telling what is pushed",
            "install the hook itself with `hookci install` instead of calling it from pre-commit or prek",
        )
