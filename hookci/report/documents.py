"""The documents hookci writes for programs: these classes are the format, and `hookci.report.schemas` publishes it.

Whatever is added to them or to their parts (`hookci.report.entries`, `hookci.report.entries_deploy`), renamed or taken
away raises ``VERSION``; the words of the model (outcomes, verdicts, actions, severities) are part of the format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hookci.report.entries import (
    ConfigEntry,
    Document,
    ErrorEntry,
    HistoryEntry,
    NoticeEntry,
    PlanEntry,
    RunEntry,
    UpstreamEntry,
)
from hookci.report.entries_deploy import AttemptEntry, EnvironmentEntry, ReleaseEntry  # noqa: TC001 (the schema)
from hookci.report.entries_explain import KeywordEntry  # noqa: TC001 (the schema)
from hookci.report.entries_gc import EngineEntry, TidiedEntry  # noqa: TC001 (the schema)
from hookci.report.entries_why import WhyEntry  # noqa: TC001 (the schema)

__all__ = [
    "VERSION",
    "DeployDocument",
    "ErrorDocument",
    "ExplainDocument",
    "GcDocument",
    "PlanDocument",
    "ReleasesDocument",
    "RunDocument",
    "RunsDocument",
    "ScanDocument",
    "StatusDocument",
    "Version",
    "WhyDocument",
]

Version = Literal[3]
VERSION: Version = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDocument(Document):
    """No answer could be given; the same is told on the standard error."""

    schema: Literal["hookci/error"] = "hookci/error"
    version: Version = VERSION
    error: ErrorEntry
    exit_status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDocument(Document):
    """`hookci run --json`."""

    schema: Literal["hookci/run"] = "hookci/run"
    version: Version = VERSION
    run: RunEntry
    notices: tuple[NoticeEntry, ...]
    exit_status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanDocument(Document):
    """`hookci scan --json`."""

    schema: Literal["hookci/scan"] = "hookci/scan"
    version: Version = VERSION
    run: RunEntry
    """With all that the scans of its jobs have found."""
    notices: tuple[NoticeEntry, ...]
    exit_status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument(Document):
    """`hookci plan --json`."""

    schema: Literal["hookci/plan"] = "hookci/plan"
    version: Version = VERSION
    plan: PlanEntry
    notices: tuple[NoticeEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyDocument(Document):
    """`hookci plan --why JOB --json`: the job, or each cell of its matrix."""

    schema: Literal["hookci/why"] = "hookci/why"
    version: Version = VERSION
    jobs: tuple[WhyEntry, ...]
    notices: tuple[NoticeEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainDocument(Document):
    """`hookci explain --json`: those of the pipeline first, then job by job."""

    schema: Literal["hookci/explain"] = "hookci/explain"
    version: Version = VERSION
    source: str
    keywords: tuple[KeywordEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsDocument(Document):
    """`hookci runs --json`: newest first."""

    schema: Literal["hookci/runs"] = "hookci/runs"
    version: Version = VERSION
    runs: tuple[HistoryEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDocument(Document):
    """`hookci status --json`."""

    schema: Literal["hookci/status"] = "hookci/status"
    version: Version = VERSION
    branch: str | None
    """Null on a detached HEAD."""
    commit: str | None
    """Null before the first commit."""
    upstream: UpstreamEntry | None
    hooks: tuple[str, ...]
    """The git hooks that are installed."""
    hooks_problem: str | None
    """What keeps them from working."""
    config: ConfigEntry | None
    config_problem: str | None
    """Why there is no usable config."""
    workspaces: str
    """The directory that holds workspaces, caches and artifacts."""
    last_run: HistoryEntry | None
    environments: tuple[EnvironmentEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployDocument(Document):
    """`hookci deploy --json` and `hookci rollback --json`, when what was asked for is live; else it is an error."""

    schema: Literal["hookci/deploy"] = "hookci/deploy"
    version: Version = VERSION
    environment: str
    live: ReleaseEntry | None
    """What is live now."""
    attempt: AttemptEntry | None
    """Null when there was nothing to do."""
    plan: tuple[str, ...]
    """What would be done, for `--dry-run`."""
    notices: tuple[NoticeEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasesDocument(Document):
    """`hookci releases --json`: newest first, one environment after the other."""

    schema: Literal["hookci/releases"] = "hookci/releases"
    version: Version = VERSION
    releases: tuple[ReleaseEntry, ...]
    attempts: tuple[AttemptEntry, ...]
    """With `--all`: those of this clone that became no release, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GcDocument(Document):
    """`hookci gc --json`."""

    schema: Literal["hookci/gc"] = "hookci/gc"
    version: Version = VERSION
    dry_run: bool
    """Nothing was removed then: it says what would be."""
    repositories: tuple[TidiedEntry, ...]
    engine: EngineEntry | None
    """Null when no container engine could be asked."""
