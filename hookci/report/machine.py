"""Runs, plans and the rest as the documents that programs read (`hookci.report.documents`)."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hookci.errors import ConfigError
from hookci.model.event import Notice, RunStarted
from hookci.model.finding import State
from hookci.model.result import Verdict
from hookci.model.text import plain
from hookci.report.documents import ErrorDocument, PlanDocument, RunDocument, RunsDocument, ScanDocument, StatusDocument
from hookci.report.entries import (
    ConfigEntry,
    ErrorEntry,
    FailingTest,
    FindingEntry,
    HistoryEntry,
    JobEntry,
    JobTests,
    LeftOutEntry,
    NoticeEntry,
    PlanEntry,
    PlannedEntry,
    ProblemEntry,
    RunEntry,
    ScanEntry,
    UpstreamEntry,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hookci.errors import HookciError
    from hookci.model.event import Event
    from hookci.model.finding import JudgedFinding, ScanReport
    from hookci.model.plan import Plan
    from hookci.model.record import RunRecord
    from hookci.model.result import JobResult, RunResult
    from hookci.model.status import Status
    from hookci.model.testreport import ReportedTests
    from hookci.report.entries import Document
    from hookci.report.entries_deploy import EnvironmentEntry

__all__ = [
    "Recorder",
    "as_json",
    "at",
    "error_document",
    "error_entry",
    "job_entry",
    "notice_entry",
    "plan_entry",
    "run_entry",
    "runs_document",
    "status_document",
]


def as_json(document: Document) -> str:
    """One line of ASCII, whatever is in the names; ends with a line end."""
    return json.dumps(asdict(document), default=_rfc3339) + "\n"


def at(time: float) -> datetime:
    """Unix seconds as a time."""
    return datetime.fromtimestamp(time, UTC)


class Recorder:
    """An observer that keeps what the document of one run or plan needs beside its result.

    Args:
        clock: unix seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._notices: list[NoticeEntry] = []
        self._plan: Plan | None = None
        self.started = at(clock())

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case Notice(text, level):
                self._notices.append(notice_entry(text, level))
            case RunStarted(_, plan):
                self._plan, self.started = plan, at(self._clock())
            case _:
                pass

    @property
    def notices(self) -> tuple[NoticeEntry, ...]:
        """The notices so far."""
        return tuple(self._notices)

    def run(self, result: RunResult) -> RunEntry:
        """The run whose events were seen."""
        if self._plan is None:
            raise ValueError("no run has started")
        return run_entry(self._plan, result, self.started)

    def run_document(self, result: RunResult) -> RunDocument:
        """What ``hookci run --json`` writes."""
        return RunDocument(run=self.run(result), notices=tuple(self._notices), exit_status=result.verdict.exit_status)

    def scan_document(self, result: RunResult) -> ScanDocument:
        """What ``hookci scan --json`` writes."""
        jobs = tuple(job_entry(job, full=True) for job in result.jobs)
        run = replace(self.run(result), jobs=jobs)
        return ScanDocument(run=run, notices=tuple(self._notices), exit_status=result.verdict.exit_status)

    def plan_document(self, plan: Plan) -> PlanDocument:
        """What ``hookci plan --json`` writes."""
        return PlanDocument(plan=plan_entry(plan), notices=tuple(self._notices))


def runs_document(rows: Iterable[RunRecord]) -> RunsDocument:
    """What ``hookci runs --json`` writes."""
    return RunsDocument(runs=tuple(map(_history_entry, rows)))


def status_document(status: Status, environments: Iterable[EnvironmentEntry]) -> StatusDocument:
    """What ``hookci status --json`` writes."""
    place, pipeline = status.standing, status.pipeline
    found = None if isinstance(pipeline, str) else pipeline
    return StatusDocument(
        branch=place.branch,
        commit=place.commit,
        upstream=UpstreamEntry(name=place.upstream, ahead=place.ahead, behind=place.behind) if place.upstream else None,
        hooks=status.hooks,
        hooks_problem=status.hooks_problem,
        config=ConfigEntry(source=found.source, stages=found.stages, jobs=found.jobs) if found else None,
        config_problem=pipeline if isinstance(pipeline, str) else None,
        workspaces=status.workspaces,
        last_run=_history_entry(status.last) if status.last else None,
        environments=tuple(environments),
    )


def error_document(error: HookciError) -> ErrorDocument:
    """What every command with ``--json`` writes when there is no answer."""
    return ErrorDocument(error=error_entry(error), exit_status=error.exit_status)


def error_entry(error: HookciError) -> ErrorEntry:
    """An error with every problem it names."""
    problems = error.problems if isinstance(error, ConfigError) else ()
    return ErrorEntry(
        message=error.message,
        hint=error.hint,
        problems=tuple(ProblemEntry(path=one.path, message=one.message, hint=one.hint) for one in problems),
    )


def plan_entry(plan: Plan) -> PlanEntry:
    """A plan, jobs in its order."""
    snapshot = plan.snapshot
    return PlanEntry(
        label=snapshot.label,
        hook=plan.hook,
        tree=snapshot.tree,
        commit=None if snapshot.source == "index" else snapshot.commit,
        branch=snapshot.branch,
        stages=plan.stages,
        jobs=tuple(
            PlannedEntry(
                name=planned.job.name,
                group=planned.job.group,
                stage=planned.job.stage,
                action=planned.action,
                reason=planned.reason,
                when=planned.when,
                after=planned.after,
            )
            for planned in plan.jobs.values()
        ),
        left_out=tuple(LeftOutEntry(name=name, reason=reason) for name, reason in plan.left_out.items()),
        skipped=plan.skip,
    )


def run_entry(plan: Plan, result: RunResult, started: datetime) -> RunEntry:
    """A run that is over."""
    return RunEntry(
        number=result.number,
        label=result.label,
        hook=plan.hook,
        tree=plan.snapshot.tree,
        commit=result.commit,
        branch=plan.snapshot.branch,
        verdict=result.verdict,
        started=started,
        seconds=round(result.seconds, 3),
        skipped=result.skipped_by_request,
        jobs=tuple(map(job_entry, result.jobs)),
        belongs_to=result.belongs_to,
    )


def job_entry(result: JobResult, *, full: bool = False) -> JobEntry:
    """How one job ended; of its scan also what is neither new nor blocks, if ``full``."""
    return JobEntry(
        name=result.name,
        stage=result.stage,
        outcome=result.outcome,
        reason=plain(result.reason),
        exit_code=result.exit_code,
        command=result.command,
        seconds=round(result.seconds, 3),
        attempts=result.attempts,
        log=result.log,
        hints=result.hints,
        tests=_tests(result.tests) if result.tests else None,
        scan=_scan(result.scan, full=full) if result.scan else None,
        coverage=result.coverage,
    )


def notice_entry(text: str, level: str) -> NoticeEntry:
    """A notice; whatever is no mere note is a warning."""
    return NoticeEntry(level="note" if level == "note" else "warning", text=plain(text))


def _tests(tests: ReportedTests) -> JobTests:
    return JobTests(
        total=tests.total,
        failed=tests.failed,
        skipped=tests.skipped,
        failing=tuple(FailingTest(name=test.name, message=test.message) for test in tests.failing),
    )


def _scan(report: ScanReport, *, full: bool) -> ScanEntry:
    return ScanEntry(
        tool=report.tool,
        version=report.version,
        scanned=report.scanned,
        what=plain(report.what),
        base=report.base or None,
        findings=tuple(_finding(one) for one in report.findings if full or one.blocks or one.state is State.NEW),
        unchanged=report.unchanged,
        unscanned=tuple(map(plain, report.unscanned)),
        allowed_unscanned=report.allowed_unscanned,
        notes=tuple(map(plain, report.notes)),
    )


def _finding(judged: JudgedFinding) -> FindingEntry:
    finding = judged.finding
    return FindingEntry(
        tool=finding.tool,
        rule=finding.rule,
        name=plain(finding.name),
        aliases=finding.aliases,
        severity=finding.severity,
        confidence=finding.confidence,
        message=plain(finding.message),
        path=finding.path,
        line=finding.line or None,
        column=finding.column or None,
        end_line=finding.end_line or None,
        end_column=finding.end_column or None,
        commit=finding.commit or None,
        help_uri=finding.help_uri or None,
        fingerprint=judged.fingerprint,
        secret=finding.secret or None,
        state=judged.state,
        suppressed=judged.suppressed or None,
        in_source=finding.in_source,
        blocks=judged.blocks,
        note=judged.note,
    )


def _history_entry(row: RunRecord) -> HistoryEntry:
    return HistoryEntry(
        number=row.number,
        label=row.label,
        hook=row.hook,
        tree=row.tree,
        commit=row.commit,
        branch=row.branch,
        verdict=Verdict.INTERRUPTED if row.interrupted else row.verdict,
        started=at(row.started),
        seconds=None if row.seconds is None else round(row.seconds, 3),
        pid=row.pid,
        skipped=row.skipped,
        belongs_to=row.belongs_to,
    )


def _rfc3339(value: object) -> str:
    """RFC 3339, to the millisecond."""
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} is no JSON")
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
