"""Workspaces in which a container writes as somebody else, whose files only an engine can remove.

While that may be so, ``lent`` stands in the slot's directory.  When nobody took the files back, since hookci was killed
or the engine went away, the workspace is set aside as ``foreign-N``, so that the next job gets a new one, and the next
job on an engine removes it.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["foreign", "is_lent", "lend", "returned", "set_aside"]

_LENT = "lent"
_FOREIGN = "foreign-"


def lend(slot: Path) -> None:
    """Note that there may be files of others in the workspace of the slot at ``slot``."""
    (slot / _LENT).touch()


def is_lent(slot: Path) -> bool:
    """Whether that is noted."""
    return (slot / _LENT).exists()


def returned(slot: Path) -> None:
    """Note that there are none any more."""
    (slot / _LENT).unlink(missing_ok=True)


def set_aside(slot: Path, workspace: Path) -> None:
    """Make way for a new workspace, if it was lent."""
    if is_lent(slot):
        with contextlib.suppress(FileNotFoundError):
            workspace.rename(slot / f"{_FOREIGN}{os.urandom(4).hex()}")
        returned(slot)


def foreign(slot: Path) -> list[Path]:
    """What was set aside."""
    return list(slot.glob(f"{_FOREIGN}*"))
