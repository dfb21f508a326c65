"""The journal: what a deployment is about to do, written before it does it, so that a crash can be told from an end.

One file for each environment, replaced as a whole and synced; no file says that nothing is going on.  Only who holds
the environment's lock writes it.
"""

from __future__ import annotations

import contextlib
import json
import os
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field, to_builtins

from hookci.errors import StateError
from hookci.model.release import Kind
from hookci.store.private import is_private_file, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Entry", "Journal", "Step"]


class Step(StrEnum):
    """What is being done.

    Until ``script`` nothing has been touched; from ``tag`` on the new release is verified.
    """

    PREPARE = "prepare"
    SCRIPT = "script"
    HEALTH = "health"
    TAG = "tag"
    PUBLISH = "publish"
    BACK_SCRIPT = "back-script"
    BACK_HEALTH = "back-health"


class Entry(Struct, frozen=True, kw_only=True):
    """One deployment under way.

    ``deployment`` is its number in the store, ``release`` the number it will get as a release.  ``previous`` is the
    release that is live when it begins (0: none).  ``pid`` and ``start`` are the process that runs it (see
    `hookci.store.identity`), ``script_ends`` is until when its script may run (unix seconds).  ``facts`` are what a
    release of it will say.
    """

    step: Step
    environment: str
    deployment: int
    commit: str
    kind: Kind
    release: int
    previous: int
    pid: int
    start: str
    begun: float
    source: int | None = None
    script_ends: float = 0.0
    facts: dict[str, str] = field(default_factory=dict)


class Journal:
    """The journal of one environment, in the private directory ``state``."""

    def __init__(self, state: Path, environment: str) -> None:
        self.path = state / f"{environment}.journal"

    def read(self) -> Entry | None:
        """What was going on when it was last written; None when nothing is.

        Raises:
            StateError: the file is not a journal of ours.
        """
        if not is_private_file(self.path):
            return None
        try:
            fields: dict[str, Any] = json.loads(self.path.read_text(encoding="ascii"))
            return Entry(**fields | {"step": Step(fields["step"]), "kind": Kind(fields["kind"])})
        except (ValueError, TypeError, KeyError) as error:
            hint = "look at what is live, then delete that file"
            raise StateError(f"{self.path} is no journal of a deployment", hint) from error

    def write(self, entry: Entry) -> Entry:
        """Write down what is about to be done; it is on the disk when this returns."""
        write_atomic(self.path, json.dumps(to_builtins(entry)).encode("ascii"), durable=True)
        return entry

    def clear(self) -> None:
        """Nothing is going on any more."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        directory = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
