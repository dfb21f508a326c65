from __future__ import annotations

from report_samples import make_plan, make_result

from hookci.model.event import JobFinished, JobOutput, JobStarted, Notice, RunStarted
from hookci.report.tails import Tails


def test_the_last_two_hundred_lines_of_a_job_are_kept() -> None:
    tails = Tails()

    for number in range(250):
        tails(JobOutput("unit", (f"line {number}",)))

    assert tails.lines() == {"unit": tuple(f"line {number}" for number in range(50, 250))}


def test_a_line_that_grows_is_kept_once() -> None:
    tails = Tails()

    tails(JobOutput("unit", ("first", "collec"), partial=True))
    tails(JobOutput("lint", ("in between",)))
    tails(JobOutput("unit", ("collecting",), partial=True))
    tails(JobOutput("unit", ("collecting 12 items", "passed")))

    assert tails.lines() == {"unit": ("first", "collecting 12 items", "passed"), "lint": ("in between",)}


def test_a_line_that_never_ends_is_kept_when_the_job_is_over() -> None:
    tails = Tails()

    tails(JobOutput("unit", ("Password:",), partial=True))
    before = tails.lines()
    tails(JobFinished(make_result("unit")))

    assert before == {}
    assert tails.lines() == {"unit": ("Password:",)}


def test_how_far_a_pull_is_is_none_of_the_output() -> None:
    tails = Tails()

    tails(JobOutput("unit", ("1 of 2 MB",), partial=True, share=0.5))
    tails(JobFinished(make_result("unit")))

    assert tails.lines() == {}


def test_only_the_last_attempt_of_the_last_run_is_kept() -> None:
    tails = Tails()

    tails(JobOutput("old", ("of the run before",)))
    tails(RunStarted(7, make_plan(("test", "unit"))))
    tails(JobStarted("unit", 1))
    tails(JobOutput("unit", ("first attempt", "half"), partial=True))
    tails(JobStarted("unit", 2))
    tails(JobOutput("unit", ("second attempt",)))
    tails(Notice("says nothing about a job"))

    assert tails.lines() == {"unit": ("second attempt",)}
