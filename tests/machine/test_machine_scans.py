"""What programs read of scans."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema

from hookci.model.event import JobFinished, Notice, RunStarted
from hookci.model.finding import Confidence, Finding, JudgedFinding, ScanReport, Severity, State
from hookci.model.pipeline import Job, When
from hookci.model.plan import Action, Plan, PlannedJob
from hookci.model.result import JobResult, Outcome, RunResult, Verdict
from hookci.model.snapshot import Snapshot
from hookci.report.events import EventWriter
from hookci.report.machine import Recorder, as_json
from hookci.report.schemas import published_schema

if TYPE_CHECKING:
    from hookci.report.entries import Document

FINDING = Finding(
    tool="bandit",
    rule="B602",
    name="subprocess_popen_with_shell_equals_true",
    message="subprocess call with \x1b[31mshell=True",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    path="app/run.py",
    line=12,
    column=5,
    end_line=12,
    end_column=40,
    text="    subprocess.run(command, shell=True)",
    code="subprocess.run(command, shell=True)",
    help_uri="https://bandit.example/b602.html",
    aliases=("CWE-78",),
)
NEW = JudgedFinding(finding=FINDING, fingerprint="ab:1", state=State.NEW, blocks=True)
OLD = JudgedFinding(finding=FINDING, fingerprint="ab:2", state=State.UNCHANGED, suppressed="it is a test")
SECRET = Finding(
    tool="secrets", rule="private-key", message="a key", severity=Severity.CRITICAL, path="id", secret="12:34"
)
REPORT = ScanReport(
    tool="bandit",
    version="1.9.4",
    scanned=120,
    base="1a2b3c4d",
    findings=(NEW, OLD, JudgedFinding(finding=SECRET, fingerprint="cd:1", state=State.UNCHANGED, blocks=True)),
    unchanged=2,
    notes=("[tool.bandit] skips B101",),
)
RESULT = JobResult(name="code", stage="security", outcome=Outcome.FAILED, reason="2 findings", scan=REPORT)
RUN = RunResult(number=7, label="the work tree", verdict=Verdict.RED, jobs=(RESULT,), seconds=1.25)


def started() -> RunStarted:
    snapshot = Snapshot(tree="a" * 40, commit="b" * 40, source="index", label="the work tree", facts={})
    job = Job(name="code", group="code", stage="security")
    planned = PlannedJob(job=job, action=Action.RUN, reason="asked for", when=When.ON_SUCCESS)
    return RunStarted(7, Plan(snapshot=snapshot, hook="pre-push", stages=("security",), jobs={"code": planned}))


def written(document: Document, name: str) -> Any:  # noqa: ANN401 (JSON)
    read = json.loads(as_json(document))
    jsonschema.validate(read, published_schema(name), format_checker=jsonschema.FormatChecker())
    return read


def recorded() -> Recorder:
    recorder = Recorder(lambda: 1_800_000_000.0)
    recorder(started())
    recorder(Notice("there is no hookci.toml"))
    return recorder


def test_a_scan_is_a_document_with_all_that_was_found() -> None:
    document = written(recorded().scan_document(RUN), "scan")

    assert (document["schema"], document["version"], document["exit_status"]) == ("hookci/scan", 3, 1)
    assert (document["run"]["label"], document["run"]["verdict"]) == ("the work tree", "red")
    assert document["notices"] == [{"level": "note", "text": "there is no hookci.toml"}]
    (job,) = document["run"]["jobs"]
    scan = job["scan"]
    assert (scan["tool"], scan["version"], scan["scanned"], scan["base"]) == ("bandit", "1.9.4", 120, "1a2b3c4d")
    assert [one["fingerprint"] for one in scan["findings"]] == ["ab:1", "ab:2", "cd:1"]
    assert scan["notes"] == ["[tool.bandit] skips B101"]
    assert scan["findings"][0] == {
        "tool": "bandit",
        "rule": "B602",
        "name": "subprocess_popen_with_shell_equals_true",
        "aliases": ["CWE-78"],
        "severity": "high",
        "confidence": "medium",
        "message": "subprocess call with shell=True",
        "path": "app/run.py",
        "line": 12,
        "column": 5,
        "end_line": 12,
        "end_column": 40,
        "commit": None,
        "help_uri": "https://bandit.example/b602.html",
        "fingerprint": "ab:1",
        "secret": None,
        "state": "new",
        "suppressed": None,
        "in_source": False,
        "blocks": True,
        "note": "",
    }


def test_a_run_has_what_is_new_and_what_blocks_and_counts_the_rest() -> None:
    document = written(recorded().run_document(RUN), "run")

    scan = document["run"]["jobs"][0]["scan"]
    assert [(one["fingerprint"], one["line"], one["secret"]) for one in scan["findings"]] == [
        ("ab:1", 12, None),
        ("cd:1", None, "12:34"),
    ]
    assert scan["unchanged"] == 2


def test_an_event_of_a_scan_job_has_them_too() -> None:
    lines: list[str] = []
    writer = EventWriter(lines.append, lambda: 1_800_000_000.0)

    writer(started())
    writer(JobFinished(RESULT))

    event = json.loads(lines[-1])
    jsonschema.validate(event, published_schema("events"))
    assert [one["rule"] for one in event["result"]["scan"]["findings"]] == ["B602", "private-key"]


def test_a_database_that_is_not_there_is_a_reason_of_its_own() -> None:
    report = ScanReport(tool="dependencies", version="1", scanned=0, unscanned=("no database",), allowed_unscanned=True)
    result = RunResult(
        number=7,
        label="the work tree",
        verdict=Verdict.GREEN,
        jobs=(JobResult(name="dependencies", stage="security", outcome=Outcome.PASSED, scan=report),),
        seconds=0.1,
    )

    scan = written(recorded().scan_document(result), "scan")["run"]["jobs"][0]["scan"]

    assert (scan["unscanned"], scan["allowed_unscanned"], scan["base"]) == (["no database"], True, None)
