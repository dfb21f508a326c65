from __future__ import annotations

import io
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from report_samples import make_plan, make_result, make_run

from hookci.model.event import JobFinished, JobOutput, JobRetried, JobStarted, Notice, RunFinished, RunStarted
from hookci.model.plan import Action
from hookci.model.result import Outcome
from hookci.report.lines import LineReporter

if TYPE_CHECKING:
    from hookci.model.event import Event


def told(*events: Event, color: bool = False) -> list[str]:
    stream = io.StringIO()
    reporter = LineReporter(stream, color=color)
    for event in events:
        reporter(event)
    return stream.getvalue().splitlines()


def test_a_run_is_told_line_by_line() -> None:
    plan = make_plan(
        ("build", "build", Action.REMEMBERED, "passed in run 3"),
        ("test", "unit"),
        ("test", "integration"),
        ("deploy", "release", Action.MANUAL, "when: manual"),
    )

    lines = told(
        RunStarted(7, plan),
        JobFinished(make_result("build", Outcome.REMEMBERED, reason="passed in run 3")),
        JobStarted("unit", 1),
        JobOutput("unit", ("collected 12 items", "")),
        JobStarted("integration", 1),
        JobFinished(make_result("unit")),
        JobRetried(make_result("integration", Outcome.TIMED_OUT)),
        JobStarted("integration", 2),
        JobFinished(make_result("integration", Outcome.FAILED, exit_code=2)),
        JobFinished(make_result("release", Outcome.MANUAL, reason="when: manual")),
        RunFinished(make_run()),
    )

    assert lines == [
        "hookci: run 7 on main: 2 jobs to run, 2 not",
        "build       = remembered: passed in run 3",
        "unit        > started",
        "unit        | collected 12 items",
        "unit        |",
        "integration > started",
        "unit        = passed in 3.2s",
        "integration = timed out in 3.2s; trying again",
        "integration > started, attempt 2",
        "integration = failed in 3.2s: exit status 2",
        "release     = waits for a person: when: manual",
    ]


@pytest.mark.parametrize(
    ("expected", "words"),
    [(None, "1 job to run"), (0.02, "1 job to run, about 1s"), (61.2, "1 job to run, about 1m 02s")],
)
def test_the_first_line_says_how_long_it_takes_when_that_is_known(expected: float | None, words: str) -> None:
    lines = told(RunStarted(7, make_plan(("test", "unit")), {} if expected is None else {"unit": expected}))

    assert lines == [f"hookci: run 7 on main: {words}"]


def test_a_line_that_grows_is_told_once() -> None:
    lines = told(
        JobOutput("unit", ("coll",), partial=True),
        JobOutput("unit", ("collected",), partial=True),
        JobOutput("unit", ("collected 12 items", "pass"), partial=True),
        JobOutput("unit", ("passed",)),
        JobFinished(make_result("unit")),
    )

    assert lines == ["unit        | collected 12 items", "unit        | passed", "unit        = passed in 3.2s"]


def test_a_line_that_never_ends_is_told_when_the_job_is_over() -> None:
    lines = told(JobOutput("unit", ("Password:",), partial=True), JobFinished(make_result("unit")))

    assert lines == ["unit        | Password:", "unit        = passed in 3.2s"]


def test_without_colour_the_output_has_none_either() -> None:
    lines = told(JobOutput("unit", ("\x1b[31mred\x1b[2J",)), Notice("the \x1b[31mremote is slow", "warning"))

    assert lines == ["unit        | red", "hookci: warning: the remote is slow"]


def test_with_colour_the_output_keeps_its_own() -> None:
    lines = told(
        JobOutput("unit", ("\x1b[31mred",)),
        JobFinished(make_result("unit", Outcome.FAILED)),
        Notice("slow"),
        color=True,
    )

    assert lines == [
        "\x1b[2munit        |\x1b[0m \x1b[31mred\x1b[0m",
        "\x1b[2munit        =\x1b[0m \x1b[31mfailed\x1b[0m in 3.2s",
        "hookci: \x1b[2mnote\x1b[0m: slow",
    ]


def test_lines_of_many_threads_stay_whole() -> None:
    stream = io.StringIO()
    reporter = LineReporter(stream, color=False)

    def talk(job: str) -> None:
        for number in range(100):
            reporter(JobOutput(job, (f"{number} begins", f"{number} ends")))

    threads = [threading.Thread(target=talk, args=(f"job{index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    lines = stream.getvalue().splitlines()
    expected = [f"{number} {word}" for number in range(100) for word in ("begins", "ends")]
    for index in range(4):
        assert [line.partition("| ")[2] for line in lines if line.startswith(f"job{index} ")] == expected


def test_a_reader_who_left_does_not_stop_the_run() -> None:
    class Gone(io.StringIO):
        writes = 0

        def write(self, _text: str) -> int:
            self.writes += 1
            raise BrokenPipeError

    stream = Gone()
    reporter = LineReporter(stream, color=False)

    reporter(JobOutput("unit", ("one",)))
    reporter(JobOutput("unit", ("two",)))

    assert stream.writes == 1


def test_nothing_but_the_live_view_pays_for_rich() -> None:
    modules = ", ".join(f"hookci.report.{name}" for name in ("lines", "summary", "tables", "tails", "terminal", "text"))
    code = f"import sys, {modules}; print('rich' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert told == "False\n"
