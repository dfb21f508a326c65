from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from report_samples import make_result, make_run

from hookci.model.result import Outcome, Verdict
from hookci.report.summary import failure_text, success_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookci.model.result import RunResult


def failure(run: RunResult, tails: Mapping[str, Sequence[str]] | None = None, *, color: bool = False) -> str:
    return failure_text(run, tails or {}, rerun=lambda job: f"hookci run {job}", width=60, color=color)


def test_a_green_run_is_one_line_that_says_what_ran() -> None:
    run = make_run(
        *(make_result(name) for name in ("build", "unit", "lint", "docs")),
        make_result("integration", Outcome.ALLOWED_FAILURE, exit_code=1),
        make_result("release", Outcome.MANUAL),
    )

    assert success_text(run, color=False) == (
        "hookci: main is green: 4 jobs passed (build, unit, lint, docs), 1 allowed to fail (integration), "
        "1 waits for a person (release) in 12.3s [run 7]\n"
    )


def test_many_jobs_are_counted() -> None:
    run = make_run(
        *(make_result(f"unit{number}") for number in range(6)),
        make_result("build", Outcome.REMEMBERED),
        *(make_result(f"release{number}", Outcome.MANUAL) for number in range(2)),
    )

    assert success_text(run, color=True) == (
        "hookci: \x1b[32mmain is green\x1b[0m: 6 jobs passed, 1 remembered (build), "
        "2 wait for a person (release0, release1) in 12.3s [run 7]\n"
    )


def test_a_run_without_jobs_says_so() -> None:
    assert success_text(make_run(), color=False) == "hookci: main is green: nothing to run in 12.3s [run 7]\n"


def test_what_was_left_out_on_request_is_said_loudly() -> None:
    run = make_run(make_result("unit"), make_result("docs", Outcome.SKIPPED), skipped=("docs",))

    assert success_text(run, color=True) == (
        "\x1b[33mhookci: NOT CHECKED, skipped by HOOKCI_SKIP: docs\x1b[0m\n"
        "hookci: \x1b[32mmain is green\x1b[0m: 1 job passed (unit), 1 skipped (docs) in 12.3s [run 7]\n"
    )


def test_a_red_job_comes_with_all_that_is_needed_to_go_on() -> None:
    unit = dataclasses.replace(
        make_result("unit", Outcome.FAILED, exit_code=1),
        command="pytest -q\nmore of it",
        attempts=2,
        log="/state/logs/7/unit.log",
        hints=("is the database up?", "try `pytest --lf`"),
    )
    run = make_run(make_result("build"), unit, make_result("release", Outcome.CANCELLED), verdict=Verdict.RED)

    assert failure(run, {"unit": ["collected 1 item", "", "\x1b[31mE   assert 1 == 2\x1b[0m", "\x1b[0m", " "]}) == (
        "unit failed in 3.2s (attempt 2): exit status 1\n"
        "  command: pytest -q ...\n"
        "  output:\n"
        "    collected 1 item\n"
        "\n"
        "    E   assert 1 == 2\n"
        "  hint: is the database up?\n"
        "  hint: try `pytest --lf`\n"
        "  log: /state/logs/7/unit.log\n"
        "  again: hookci run unit\n"
        "\n"
        "hookci: main is red: 1 job failed (unit), 1 passed (build), 1 cancelled (release) in 12.3s [run 7]\n"
    )


def test_only_the_last_twenty_lines_are_shown_and_none_is_endless() -> None:
    run = make_run(make_result("unit", Outcome.FAILED, exit_code=-9), verdict=Verdict.RED)
    tail = [*(f"line {number}" for number in range(29)), "\x1b[32m" + "x" * 600]

    lines = failure(run, {"unit": tail}, color=True).splitlines()

    assert lines[0] == "\x1b[31munit failed\x1b[0m in 3.2s: ended by SIGKILL"
    assert lines[1] == "  \x1b[2moutput, last 20 lines:\x1b[0m"
    assert lines[2:21] == [f"    line {number}" for number in range(10, 29)]
    assert lines[21] == f"    {'x' * 500} ..."


def test_colour_in_the_output_ends_with_its_line() -> None:
    run = make_run(make_result("unit", Outcome.FAILED), verdict=Verdict.RED)

    assert "    \x1b[31mred\x1b[0m\n" in failure(run, {"unit": ["\x1b[31mred"]}, color=True)


def test_the_first_failure_comes_last_and_what_could_not_be_judged_after_it() -> None:
    run = make_run(
        make_result("engine", Outcome.ERRORED, reason="no shell"),
        make_result("first", Outcome.FAILED),
        make_result("second", Outcome.TIMED_OUT),
        make_result("third", Outcome.UNSUPPORTED, reason="needs an image"),
        verdict=Verdict.NONE,
    )

    lines = failure(run).splitlines()

    assert [line for line in lines if line and not line.startswith(" ")] == [
        "second timed out in 3.2s",
        "first failed in 3.2s",
        "third is not supported: needs an image",
        "engine errored in 3.2s: no shell",
        (
            "hookci: main has no verdict: 1 job failed (first), 1 timed out (second), 1 errored (engine), "
            "1 not supported (third) in 12.3s [run 7]"
        ),
    ]


def test_of_many_failures_five_are_told_in_full_and_the_others_named() -> None:
    run = make_run(*(make_result(f"unit{number:02}", Outcome.FAILED) for number in range(14)), verdict=Verdict.RED)

    lines = failure(run).splitlines()

    assert lines[:3] == [
        "also broken: unit05, unit06, unit07, unit08, unit09, unit10,",
        "  unit11, unit12, unit13",
        "",
    ]
    assert [line.split()[0] for line in lines if "failed in 3.2s" in line] == [
        "unit04",
        "unit03",
        "unit02",
        "unit01",
        "unit00",
    ]
    assert lines[-1] == "hookci: main is red: 14 jobs failed in 12.3s [run 7]"


def test_an_interrupted_run_says_that_there_is_no_verdict() -> None:
    run = make_run(make_result("build"), make_result("unit", Outcome.CANCELLED), verdict=Verdict.INTERRUPTED)

    assert failure(run) == (
        "hookci: main was interrupted, there is no verdict: 1 job passed (build), 1 cancelled (unit) in 12.3s [run 7]\n"
    )
