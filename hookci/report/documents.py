"""The documents hookci writes for programs: these classes are the format, and `hookci.report.schemas` publishes it.

Whatever is added to them, renamed or taken away raises ``VERSION``; the words of the model (outcomes, verdicts,
actions) are part of the format.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 (the schema is made from the annotations)
from typing import TYPE_CHECKING, ClassVar, Literal

from hookci.model.pipeline import When  # noqa: TC001 (as above)
from hookci.model.plan import Action  # noqa: TC001
from hookci.model.result import Outcome, Verdict  # noqa: TC001

if TYPE_CHECKING:
    from pydantic import ConfigDict

__all__ = [
    "VERSION",
    "ConfigEntry",
    "Document",
    "ErrorDocument",
    "ErrorEntry",
    "FailingTest",
    "HistoryEntry",
    "JobEntry",
    "JobTests",
    "LeftOutEntry",
    "NoticeEntry",
    "PlanDocument",
    "PlanEntry",
    "PlannedEntry",
    "ProblemEntry",
    "RunDocument",
    "RunEntry",
    "RunsDocument",
    "StatusDocument",
    "UpstreamEntry",
    "Version",
]

Version = Literal[1]
VERSION: Version = 1


@dataclass(frozen=True, slots=True)
class Document:
    """What all documents and their parts have in common: their own keys, every one of them, and no others."""

    __pydantic_config__: ClassVar[ConfigDict] = {
        "extra": "forbid",
        "json_schema_serialization_defaults_required": True,
        "use_attribute_docstrings": True,
    }


# -- parts


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeEntry(Document):
    """Something a person should know that is no result."""

    level: Literal["note", "warning"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemEntry(Document):
    """One thing that is wrong in a config."""

    path: str
    """The key path, such as `jobs.unit.script`; empty when the whole file is meant."""
    message: str
    hint: str | None
    """What to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEntry(Document):
    """Why no answer could be given."""

    message: str
    hint: str | None
    """The next thing to type or do."""
    problems: tuple[ProblemEntry, ...]
    """Every problem of a config; empty for other errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingTest(Document):
    """One test that failed."""

    name: str
    """As its tool calls it where that is known: `tests/test_a.py::test_x`."""
    message: str
    """In one line; cut when it is long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTests(Document):
    """What a job's own test reports (`reports.junit`) say; they never decide its outcome."""

    total: int
    failed: int
    """Failures and errors."""
    skipped: int
    failing: tuple[FailingTest, ...]
    """The first tests that failed, 50 at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEntry(Document):
    """How one job ended."""

    name: str
    """Unique in its run; `unit: [1, py]` is one cell of the matrix `unit`."""
    stage: str
    outcome: Outcome
    reason: str
    """Why the outcome is what it is; empty when the exit status says it all."""
    exit_code: int | None
    """Of the script; negative when a signal ended it; null when there is none."""
    command: str | None
    """The line of the script that ended the job."""
    seconds: float
    """Wall-clock time of the last attempt."""
    attempts: int
    """0 when the job did not run."""
    log: str | None
    """The path of the file with the whole output."""
    hints: tuple[str, ...]
    """What a person may try next."""
    tests: JobTests | None
    """Null without a readable test report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEntry(Document):
    """What is intended for a job, and why."""

    name: str
    group: str
    """The name the job was written under: that of a matrix for each of its cells."""
    stage: str
    action: Action
    reason: str
    when: When
    after: tuple[str, ...]
    """The jobs of this plan that must be over first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutEntry(Document):
    """A job of the pipeline that is not in the plan."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry(Document):
    """The jobs of one run, decided before anything starts."""

    label: str
    """How a person calls what is judged: `main`, `v1.0`, `the index`."""
    hook: str
    """On whose behalf the jobs run."""
    tree: str
    """The git tree that is judged."""
    commit: str | None
    """Null when the index is judged."""
    branch: str | None
    stages: tuple[str, ...]
    jobs: tuple[PlannedEntry, ...]
    left_out: tuple[LeftOutEntry, ...]
    skipped: tuple[str, ...]
    """The jobs that HOOKCI_SKIP left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEntry(Document):
    """How a run ended."""

    number: int
    """What `hookci log NUMBER` shows."""
    label: str
    """How a person calls what was judged: `main`, `v1.0`, `the index`."""
    hook: str
    """On whose behalf the jobs ran."""
    tree: str
    """The git tree that was judged."""
    commit: str | None
    """Null when the index was judged."""
    branch: str | None
    verdict: Verdict
    started: datetime
    seconds: float
    skipped: tuple[str, ...]
    """The jobs that HOOKCI_SKIP left out."""
    jobs: tuple[JobEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry(Document):
    """A run of the past, or one that is going on."""

    number: int
    label: str
    hook: str
    tree: str
    commit: str
    """A made-up one when the index was judged."""
    branch: str | None
    verdict: Verdict | None
    """Null while the run is going on."""
    started: datetime
    seconds: float | None
    """Null while the run is going on, and when it was interrupted."""
    pid: int
    """The process that runs it, or ran it."""
    skipped: tuple[str, ...]
    """The jobs that HOOKCI_SKIP left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamEntry(Document):
    """The branch that a branch follows."""

    name: str
    ahead: int
    """Commits that only this branch has."""
    behind: int
    """Commits that only the upstream has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigEntry(Document):
    """What the config at HEAD defines."""

    source: str
    """`hookci.toml`, or `pyproject.toml [tool.hookci]`."""
    stages: tuple[str, ...]
    """Those that have jobs."""
    jobs: int


# -- documents


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
class PlanDocument(Document):
    """`hookci plan --json`."""

    schema: Literal["hookci/plan"] = "hookci/plan"
    version: Version = VERSION
    plan: PlanEntry
    notices: tuple[NoticeEntry, ...]


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
