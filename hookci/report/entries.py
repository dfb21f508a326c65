"""The parts of the documents that hookci writes for programs (`hookci.report.documents`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 (the schema is made from the annotations)
from typing import TYPE_CHECKING, ClassVar, Literal

from hookci.model.finding import Confidence, Severity, State  # noqa: TC001 (as above)
from hookci.model.pipeline import When  # noqa: TC001
from hookci.model.plan import Action  # noqa: TC001
from hookci.model.result import Outcome, Verdict  # noqa: TC001

if TYPE_CHECKING:
    from pydantic import ConfigDict

__all__ = [
    "ConfigEntry",
    "Document",
    "ErrorEntry",
    "FailingTest",
    "FindingEntry",
    "HistoryEntry",
    "JobEntry",
    "JobTests",
    "LeftOutEntry",
    "NoticeEntry",
    "PlanEntry",
    "PlannedEntry",
    "ProblemEntry",
    "RunEntry",
    "ScanEntry",
    "UpstreamEntry",
]


@dataclass(frozen=True, slots=True)
class Document:
    """What all documents and their parts have in common: their own keys, every one of them, and no others."""

    __pydantic_config__: ClassVar[ConfigDict] = {
        "extra": "forbid",
        "json_schema_serialization_defaults_required": True,
        "use_attribute_docstrings": True,
    }


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
class FindingEntry(Document):
    """Something that a scanner found."""

    tool: str
    """The tool that found it: not the job's for a report in SARIF."""
    rule: str
    """`not-scanned` for a file that could not be looked at."""
    name: str
    """The rule's, for people; may be empty."""
    aliases: tuple[str, ...]
    """Other names of the rule, such as a CVE."""
    severity: Severity
    confidence: Confidence
    message: str
    path: str
    """From the top of the repository."""
    line: int | None
    """Counts from 1, as columns do."""
    column: int | None
    """In code points."""
    end_line: int | None
    end_column: int | None
    """The first one after the place."""
    commit: str | None
    """Where it came from, for what the tree no longer has."""
    help_uri: str | None
    fingerprint: str
    """What a suppression can name; stays the same while lines around it change."""
    secret: str | None
    """The salted hash of a secret, which a suppression names."""
    state: State
    """`unchanged` for what the base, or the committed baseline, has too."""
    suppressed: str | None
    """The reason that `hookci.toml` gives."""
    in_source: bool
    """Whether a comment beside it silences it."""
    blocks: bool
    note: str
    """What else there is to say, such as that a suppression has expired; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanEntry(Document):
    """What came of a scan; it decides the outcome of its job."""

    tool: str
    version: str
    scanned: int
    """Files."""
    what: str
    """What was scanned, in words."""
    base: str | None
    """What it was compared with; null: nothing."""
    findings: tuple[FindingEntry, ...]
    """Of a run the new ones and those that block, of `hookci scan` all."""
    unchanged: int
    """Findings that the base, or the committed baseline, has too."""
    unscanned: tuple[str, ...]
    """Why the scan as a whole says nothing."""
    allowed_unscanned: bool
    """Whether the config lets it pass nevertheless."""
    notes: tuple[str, ...]


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
    scan: ScanEntry | None
    """Null unless it has scanned."""
    coverage: float | None
    """What `coverage` of the job found in its output."""


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
    belongs_to: int | None
    """The run whose waiting job it started."""


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
    belongs_to: int | None
    """The run whose waiting job it started."""


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
