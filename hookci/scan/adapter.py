"""The one shape of all scanners: what one is asked, what it works with, and what it answers.

hookci computes the verdict itself, from what was asked and what was scanned, never from a scanner's exit status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from hookci.model.finding import Confidence, Finding, Severity
    from hookci.model.scan import Scan

__all__ = ["Desk", "Finished", "ScanStoppedError", "Scanned", "Scanner", "Tree", "TreeScanner"]


class ScanStoppedError(Exception):
    """The scan was cancelled, or its time is over; raised by `Desk.check`.  Adapters let it pass."""


class Tree(Struct, frozen=True):
    """The regular files of one snapshot: no links (what they lead to is scanned where it is), no submodules.

    ``oids`` has the object name of each path, ``executable`` the paths with the executable bit.  ``read`` returns
    the contents of objects by object name; it asks git once for all of them.
    """

    oids: Mapping[str, str]
    executable: frozenset[str]
    read: Callable[[Iterable[str]], Mapping[str, bytes]]

    def contents(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those of ``paths`` that there are."""
        wanted = {path: self.oids[path] for path in paths if path in self.oids}
        found = self.read(set(wanted.values()))
        return {path: found[oid] for path, oid in wanted.items()}


class Finished(Struct, frozen=True, kw_only=True):
    """How a scanner's process ended: ``why`` is ``exit``, ``timeout`` or ``cancel``.

    ``output`` is what it wrote to its standard output, ``errors`` to its standard error.
    """

    why: str
    returncode: int
    output: bytes
    errors: bytes = b""


class Desk(Struct, frozen=True, kw_only=True):
    """What a scanner works with; nothing else of the machine is its business.

    ``directory`` is empty, private and gone afterwards.  ``check`` raises `ScanStoppedError` once the job is cancelled
    or its time over: to be called between units of work that take milliseconds.  ``run`` starts a program in
    ``directory`` with a whole environment and a deadline in seconds, and ends it with all that it started.
    ``environment`` is what a job gets (without hookci's and git's own variables).  ``python`` is our own interpreter,
    to be started with ``-I``.  ``data`` is hookci's directory among the user's data.  ``salt`` is this clone's secret.
    ``now`` is in unix seconds.  ``say`` writes a line to the job's log.
    """

    directory: Path
    processors: int
    environment: Mapping[str, str]
    python: str
    data: Path
    salt: bytes
    now: float
    check: Callable[[], None]
    say: Callable[[str], None]
    run: Callable[[Sequence[str], Mapping[str, str], float], Finished]


class Scanned(Struct, frozen=True, kw_only=True):
    """What a scanner answers.

    ``findings`` holds also those of the rule `hookci.model.finding.NOT_SCANNED`: files it was asked about and could
    not look at, whose ``code`` is the object name of the file.  ``files`` counts what it did look at.  ``unscanned``
    are reasons why the scan as a whole says nothing (no database, no network).  ``notes`` are for a person to read.
    ``holds_until`` is until when the answer may be remembered, in unix seconds: None for ever, 0.0 not at all.
    """

    findings: tuple[Finding, ...] = ()
    files: int = 0
    what: str = ""
    unscanned: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    holds_until: float | None = None


class Scanner(Protocol):
    """What all scanners have: the name a config uses, and what blocks when the config does not say."""

    name: str
    severity: Severity
    confidence: Confidence

    def version(self) -> str:
        """Its version and whatever else of the installation its results depend on; empty when it is not installed."""


class TreeScanner(Scanner, Protocol):
    """A scanner whose findings in a file depend on the files of the tree alone.

    ``per_file`` says that they depend on that one file, its path, `version` and `rules` only: they are then
    remembered for each file.
    """

    per_file: bool

    def asks(self, tree: Tree) -> Sequence[str]:
        """The paths it has to look at."""

    def rules(self, tree: Tree, scan: Scan) -> str:
        """Whatever of the tree's own settings and of the config its results depend on, as text."""

    def scan(self, tree: Tree, paths: Sequence[str], scan: Scan, desk: Desk) -> Scanned:
        """Look at ``paths``.

        A file that cannot be looked at becomes a finding of the rule `NOT_SCANNED`; nothing is left out in silence.
        """
