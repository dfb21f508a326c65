"""What a config asks of a security scanner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import date

    from hookci.model.finding import Confidence, Severity

__all__ = ["BASELINE_FILE", "GITLAB", "SARIF", "SCANNERS", "Scan", "ScanChoice", "Suppression", "WrittenReport"]

BASELINE_FILE = "hookci-baseline.json"
"""The committed file with findings that a team has decided to live with."""

SARIF = "sarif"
"""The tool of a job whose own script writes a report."""

GITLAB = "gitlab"
"""The tool of a job whose own script writes reports that GitLab shows: they decide nothing."""

SCANNERS = ("bandit", "dependencies", "safety", "pip-audit", "secrets")
"""The scanners that a config can name."""


class Suppression(Struct, frozen=True, kw_only=True):
    """A finding that a person has looked at and lets pass until a day.

    One of ``rule``, ``fingerprint`` and ``secret`` is set; ``secret`` is a salted hash as a report shows it.
    ``path`` is a glob over paths (empty: any).  It covers findings up to and including the day ``expires``.
    ``where`` is its key path in the config.
    """

    where: str
    reason: str
    expires: date
    rule: str = ""
    fingerprint: str = ""
    secret: str = ""
    path: str = ""


class WrittenReport(Struct, frozen=True):
    """Files that a job writes: ``kind`` is GitLab's word (``codequality``, ``sast``), ``path`` a glob."""

    kind: str
    path: str


class Scan(Struct, frozen=True, kw_only=True):
    """What one job scans for.

    ``tool`` is one of `SCANNERS`, `SARIF` or `GITLAB`; of `SARIF` ``report`` is the path of the file, of `GITLAB`
    ``written`` are the files, whose paths may hold ``$VARIABLES``.  What is at least as severe as ``severity`` and at
    least as certain as ``confidence`` blocks (None: the scanner's own default), but for `GITLAB`.
    ``db`` is a mirror of Safety's database, a directory or an address.  A database older than ``stale_after`` seconds
    is worth a warning.
    """

    tool: str
    report: str = ""
    written: tuple[WrittenReport, ...] = ()
    severity: Severity | None = None
    confidence: Confidence | None = None
    allow_unscanned: bool = False
    files: tuple[str, ...] = ()
    db: str = ""
    stale_after: float = 14 * 86_400.0
    suppressions: tuple[Suppression, ...] = ()

    @property
    def is_report(self) -> bool:
        """Whether the job's own script looks, and hookci reads what it has written."""
        return self.tool in {SARIF, GITLAB}

    @property
    def decides(self) -> bool:
        """Whether what is found makes the job red."""
        return self.tool != GITLAB

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that the script writes, as globs."""
        return (self.report,) if self.report else tuple(one.path for one in self.written)


class ScanChoice(Struct, frozen=True, kw_only=True):
    """What a person asks of a scan: ``paths`` (files and directories of the tree, none for all), ``everything``.

    With ``everything``, findings block that the base has too, and secrets are looked for in whole files.
    """

    paths: tuple[str, ...] = ()
    everything: bool = False

    def wants(self, path: str) -> bool:
        """Whether ``path`` is to be looked at."""
        return not self.paths or any(path == chosen or path.startswith(f"{chosen}/") for chosen in self.paths)
