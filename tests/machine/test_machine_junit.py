"""A run as JUnit's XML."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from programs import REPORT, checked

from hookci.execute.testreports import Reports
from hookci.model.finding import Finding, JudgedFinding, ScanReport, Severity, State
from hookci.model.result import JobResult, Outcome, RunResult, Verdict
from hookci.model.testreport import FailedTest, ReportedTests
from hookci.report.junit import junit_xml

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

STARTED = datetime(2026, 11, 22, 5, 4, 3, 123456, UTC)
RED = '[jobs.unit]\nscript = ["echo one; exit 3"]\n'


def job(name: str, outcome: Outcome, **more: object) -> JobResult:
    return JobResult(name=name, stage="test", outcome=outcome, seconds=1.5, **more)  # type: ignore[arg-type]  # by name


def run(*jobs: JobResult) -> RunResult:
    return RunResult(number=7, label="main", verdict=Verdict.RED, jobs=jobs, seconds=12.3456)


def test_a_run_is_a_suite_for_each_stage_and_a_case_for_each_job() -> None:
    tests = ReportedTests(total=3, failed=1, skipped=0, failing=(FailedTest("a.py::test_x", "no"),))
    result = run(
        JobResult(name="build", stage="build", outcome=Outcome.PASSED, seconds=0.25, attempts=1),
        job("unit", Outcome.FAILED, exit_code=1, attempts=1, tests=tests),
        job("odd", Outcome.ERRORED, reason="no `sh` on the PATH"),
    )

    text = junit_xml(result, {"unit": ("one", "\x1b[31mtwo\x1b[0m & <three>")}, started=STARTED)

    assert text.decode() == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<testsuites name="hookci" tests="3" failures="1" errors="1" skipped="0" time="12.346">\n'
        '  <testsuite name="build" tests="1" failures="0" errors="0" skipped="0" time="0.250"'
        ' timestamp="2026-11-22T05:04:03+00:00">\n'
        '    <testcase classname="hookci.build" name="build" time="0.250" />\n'
        "  </testsuite>\n"
        '  <testsuite name="test" tests="2" failures="1" errors="1" skipped="0" time="3.000"'
        ' timestamp="2026-11-22T05:04:03+00:00">\n'
        '    <testcase classname="hookci.test" name="unit" time="1.500">\n'
        '      <failure message="failed: exit status 1, 1 of 3 tests failed" type="failed">'
        "a.py::test_x: no\none\ntwo &amp; &lt;three&gt;</failure>\n"
        "    </testcase>\n"
        '    <testcase classname="hookci.test" name="odd" time="1.500">\n'
        '      <error message="errored: no `sh` on the PATH" type="errored" />\n'
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n"
    )


def test_what_did_not_run_or_may_fail_is_skipped_and_every_outcome_is_something() -> None:
    root = ET.fromstring(junit_xml(run(*(job(one.value, one) for one in Outcome)), {}, started=STARTED))

    kinds = {case.get("name"): [element.tag for element in case] for case in root.iter("testcase")}
    assert kinds == {
        "passed": [],
        "remembered": [],
        "failed": ["failure"],
        "timed-out": ["failure"],
        "errored": ["error"],
        "unsupported": ["error"],
        "allowed-failure": ["skipped"],
        "cancelled": ["skipped"],
        "skipped": ["skipped"],
        "manual": ["skipped"],
    }


@given(st.text(st.characters()), st.lists(st.text(st.characters()), max_size=3))
def test_whatever_a_job_is_called_and_writes_it_is_xml(name: str, tail: list[str]) -> None:
    result = run(job(f"x{name}", Outcome.FAILED, exit_code=1))

    root = ET.fromstring(junit_xml(result, {f"x{name}": tail}, started=STARTED))

    assert len(root.findall("testsuite/testcase/failure")) == 1


def test_names_that_are_no_utf_8_have_a_replacement_character() -> None:
    root = ET.fromstring(junit_xml(run(job("caf\udce9", Outcome.PASSED)), {}, started=STARTED))

    assert [case.get("name") for case in root.iter("testcase")] == ["caf\ufffd"]


def test_hookci_reads_what_it_writes(tmp_path: Path) -> None:
    reports = Reports(os.fsencode(tmp_path), ("report.xml",))
    result = run(job("unit", Outcome.FAILED, exit_code=1), job("b", Outcome.PASSED), job("c", Outcome.SKIPPED))

    (tmp_path / "report.xml").write_bytes(junit_xml(result, {}, started=STARTED))

    assert reports.read(str, print) == ReportedTests(
        total=3, failed=1, skipped=1, failing=(FailedTest("hookci.test::unit", "failed: exit status 1"),)
    )


def test_a_scan_that_is_red_has_its_findings_without_colours() -> None:
    finding = Finding(
        tool="bandit", rule="B602", message="shell=True", severity=Severity.HIGH, path="a.py", line=3, text="run(x)"
    )
    judged = JudgedFinding(finding=finding, fingerprint="ab:1", state=State.NEW, blocks=True)
    report = ScanReport(tool="bandit", version="1.9.4", scanned=1, findings=(judged,) * 12)
    result = run(job("code", Outcome.FAILED, reason="12 findings", scan=report))

    root = ET.fromstring(junit_xml(result, {"code": ("a line of the log",)}, started=STARTED))

    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == "failed: 12 findings"
    text = failure.text or ""
    assert text.startswith("a.py:3: high: B602\n  shell=True\n  3 | run(x)\n\na.py:3: high: B602\n")
    assert text.count("a.py:3: high") == 12
    assert "\nexpires = 2027-02-20" in text.replace("    ", "")
    assert "a line of the log" not in text


def test_run_writes_the_file_beside_everything_else(repo: Repo) -> None:
    repo.commit({"hookci.toml": RED})

    ran = repo.hookci("run", "--junit", "out.xml", "--json", check=False)

    root = ET.parse(repo.path / "out.xml").getroot()
    assert (ran.returncode, checked(ran, "run")["exit_status"]) == (1, 1)
    assert root.get("failures") == "1"
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert (failure.get("message"), failure.text) == ("failed: exit status 3", "$ echo one; exit 3\none")


def test_the_file_of_another_run_does_not_stay_when_there_is_no_verdict(repo: Repo) -> None:
    repo.commit({"hookci.toml": "broken"})
    repo.write_files({"out.xml": REPORT})

    ran = repo.hookci("run", "--junit", "out.xml", check=False)

    assert ran.returncode == 2
    assert not (repo.path / "out.xml").exists()


def test_a_file_that_cannot_be_is_an_error_before_anything_runs(repo: Repo) -> None:
    repo.commit({"hookci.toml": RED})

    ran = repo.hookci("run", "--junit", "nosuch/out.xml", check=False)

    assert (ran.returncode, ran.stderr) == (2, "error: --junit: nosuch is not a directory\n")
    assert repo.hookci("runs").stdout == "no runs yet\n"
