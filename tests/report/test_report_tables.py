from __future__ import annotations

from msgspec.structs import replace
from report_samples import make_result

from hookci.model.record import JobRecord, RunRecord
from hookci.model.result import Outcome, Verdict
from hookci.report.tables import render_run, render_runs

RUN = RunRecord(
    number=7,
    label="main",
    hook="pre-push",
    tree="a" * 40,
    commit="b" * 40,
    branch="main",
    verdict=Verdict.RED,
    started=1000.0,
    seconds=12.3,
    pid=4711,
    interrupted=False,
    skipped=("docs", "lint"),
)


def test_runs_are_lines_of_a_table() -> None:
    going = replace(
        RUN, number=8, label="the index", hook="pre-commit", verdict=None, started=1295.0, seconds=None, skipped=()
    )
    ended = replace(RUN, number=6, verdict=None, interrupted=True, started=0.0, seconds=None, skipped=())
    green = replace(RUN, number=5, verdict=Verdict.GREEN, started=0.0, skipped=())

    assert render_runs([going, RUN, ended, green], now=1300.0, color=False) == (
        "run  verdict      hook        what       commit      when      time\n"
        "  8  running      pre-commit  the index  bbbbbbbbbb  just now\n"
        "  7  red          pre-push    main       bbbbbbbbbb  5m ago    12.3s  without docs, lint\n"
        "  6  interrupted  pre-push    main       bbbbbbbbbb  21m ago\n"
        "  5  green        pre-push    main       bbbbbbbbbb  21m ago   12.3s\n"
    )


def test_no_runs_are_told_in_words() -> None:
    assert render_runs([], now=0.0, color=False) == "no runs yet\n"


def test_a_run_is_told_with_its_jobs_and_the_logs_of_the_broken_ones() -> None:
    failed = replace(make_result("unit", Outcome.FAILED, exit_code=137), log="/state/logs/7/unit.log")
    results = [
        replace(make_result("build"), log="/state/logs/7/build.log"),
        failed,
        make_result("release", Outcome.MANUAL, reason="when: manual"),
    ]

    text = render_run(RUN, [JobRecord(run=7, result=result) for result in results], now=1300.0, color=False)

    assert text == (
        "run 7 on main: red in 12.3s\n"
        "  hook     pre-push\n"
        "  branch   main\n"
        f"  commit   {'b' * 40}\n"
        f"  tree     {'a' * 40}\n"
        "  started  5m ago\n"
        "hookci: NOT CHECKED, skipped by HOOKCI_SKIP: docs, lint\n"
        "\n"
        "  test  build    passed              3.2s\n"
        "  test  unit     failed              3.2s  exit status 137 (SIGKILL)\n"
        "  test  release  waits for a person        when: manual\n"
        "\n"
        "logs\n"
        "  unit  /state/logs/7/unit.log\n"
    )


def test_a_run_that_goes_on_names_its_process() -> None:
    going = replace(RUN, branch=None, verdict=None, seconds=None, skipped=())

    text = render_run(going, [], now=1003.0, color=True)

    assert text.splitlines()[0] == "run 7 on main: \x1b[1mrunning\x1b[0m, process 4711"
    assert "branch" not in text
