"""What a person sees beside a program: failing tests in the summary, and events on a terminal."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING

import pexpect

from hookci.model.result import JobResult, Outcome, RunResult, Verdict
from hookci.model.testreport import FailedTest, ReportedTests
from hookci.report.findings import View
from hookci.report.summary import failure_text, success_text

if TYPE_CHECKING:
    from conftest import Repo


def run(tests: ReportedTests, *, outcome: Outcome = Outcome.FAILED) -> RunResult:
    code = 0 if outcome is Outcome.PASSED else 1
    job = JobResult(
        name="unit",
        stage="test",
        outcome=outcome,
        exit_code=code,
        command="pytest",
        seconds=3.2,
        attempts=1,
        tests=tests,
    )
    return RunResult(number=7, label="main", verdict=Verdict.RED, jobs=(job,), seconds=3.25)


def shown(result: RunResult) -> str:
    view = View(width=80, color=False, today=date(2026, 11, 22))
    return failure_text(result, {"unit": ("bad",)}, view, rerun=lambda job: f"hookci run {job}")


def test_the_first_ten_failing_tests_are_named_before_the_output() -> None:
    failing = tuple(FailedTest(f"a.py::test_{number}", "no" if number else "") for number in range(12))

    text = shown(run(ReportedTests(total=120, failed=12, skipped=0, failing=failing)))

    assert text == (
        "unit failed in 3.2s: exit status 1, 12 of 120 tests failed\n"
        "  command: pytest\n"
        "  failing tests, first 10:\n"
        "    a.py::test_0\n" + "".join(f"    a.py::test_{number}: no\n" for number in range(1, 10)) + "  output:\n"
        "    bad\n"
        "  again: hookci run unit\n"
        "\n"
        "hookci: main is red: 1 job failed (unit) in 3.2s [run 7]\n"
    )


def test_control_sequences_in_a_tests_name_do_not_reach_the_terminal() -> None:
    failing = (FailedTest("a\x1b[2J", "\x1b]0;title\x07b"),)

    text = shown(run(ReportedTests(total=1, failed=1, skipped=0, failing=failing)))

    assert "  failing tests:\n    a: b\n" in text
    assert "\x1b" not in text


def test_when_no_test_failed_there_is_nothing_to_say_of_tests() -> None:
    text = shown(run(ReportedTests(total=120, failed=0, skipped=3)))

    assert text.startswith("unit failed in 3.2s: exit status 1\n  command: pytest\n  output:\n")
    assert "tests" not in success_text(
        run(ReportedTests(total=1, failed=0, skipped=0), outcome=Outcome.PASSED), color=False
    )


def test_events_on_a_terminal_are_not_overwritten_by_a_live_view(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.unit]\nscript = ["true"]\n'})

    shell = pexpect.spawn(
        sys.executable, ["-I", "-m", "hookci", "run", "--events"],
        cwd=str(repo.path), env={**repo.env, "TERM": "xterm"}, encoding="utf-8", timeout=60, dimensions=(50, 1000),
    )  # fmt: skip
    shell.expect(pexpect.EOF)
    shell.close()

    assert shell.exitstatus == 0
    assert '"event": "run-finished"' in (shell.before or "")
    assert "\x1b[?25l" not in (shell.before or "")
