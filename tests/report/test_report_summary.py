from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from report_samples import make_result, make_run
from scan_samples import blocking, make_judged, make_report, make_view, scanned, unreadable

from hookci.model.finding import Severity, State
from hookci.model.result import Outcome, Verdict
from hookci.report.summary import failure_text, scan_text, success_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookci.model.result import RunResult


def failure(run: RunResult, tails: Mapping[str, Sequence[str]] | None = None, *, color: bool = False) -> str:
    return failure_text(run, tails or {}, make_view(width=60, color=color), rerun=lambda job: f"hookci run {job}")


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
    unit = replace(
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


NO_DATABASE = "no advisory database; `hookci advisories update` fetches one"


def test_a_red_scan_shows_its_findings_instead_of_its_output() -> None:
    result = replace(make_result("code", Outcome.FAILED, reason="1 finding"), log="/logs/7/code.log")
    code = scanned(result, make_report(blocking()))

    text = failure(make_run(code, verdict=Verdict.RED), {"code": ["bandit 1.9.4: 120 files"]})

    assert text == (
        "code failed in 3.2s: 1 finding\n"
        "  app/run.py:12:5: high: B602 subprocess_popen_with_shell_equals_true\n"
        "    subprocess call with shell=True identified, security\n"
        "    issue.\n"
        "    12 |     subprocess.run(command, shell=True)\n"
        "       |     ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "    https://bandit.example/b602.html\n"
        "\n"
        "  found: 1 finding that blocks\n"
        "  scanned: 120 files (bandit 1.9.4, compared with 1a2b3c4d)\n"
        "\n"
        "  to let app/run.py:12:5 pass, put this into hookci.toml:\n"
        "\n"
        "      [[suppressions]]\n"
        '      rule = "B602"\n'
        '      path = "app/run.py"\n'
        "      # or, in the place of both, for this one only:\n"
        f'      # fingerprint = "{("c0ffee" * 11)[:64]}:1"\n'
        '      reason = ""           # required: why it may pass\n'
        "      expires = 2027-02-20  # required: the last day it does\n"
        "\n"
        "  or, at the end of the line: # nosec B602\n"
        "\n"
        "  log: /logs/7/code.log\n"
        "  again: hookci run code\n"
        "\n"
        "hookci: main is red: 1 job failed (code) in 12.3s [run 7]\n"
    )


def test_of_many_findings_of_a_run_ten_of_the_worst_are_shown() -> None:
    low = [blocking(rule=f"LOW{number}", line=number) for number in range(1, 21)]
    high = [blocking(rule=f"HIGH{number}", line=number, severity=Severity.CRITICAL) for number in range(21, 24)]
    code = scanned(make_result("code", Outcome.FAILED, reason="23 findings"), make_report(*low, *high))

    lines = failure(make_run(code, verdict=Verdict.RED)).splitlines()

    assert [line.split()[2] for line in lines if line.startswith("  app/run.py:")] == [
        *(f"LOW{number}" for number in range(1, 8)), "HIGH21", "HIGH22", "HIGH23",
    ]  # fmt: skip
    assert "  ... and 13 more, in the log" in lines
    assert "  found: 23 findings that block" in lines


def test_a_green_run_says_what_was_not_scanned_and_what_scanners_want_to_be_known() -> None:
    dependencies = make_report(tool="dependencies", scanned=0, unscanned=(NO_DATABASE,), allowed_unscanned=True)
    code = make_report(unreadable(blocks=False), notes=("[tool.bandit] skips B101",))
    run = make_run(scanned(make_result("dependencies"), dependencies), scanned(make_result("code"), code))

    assert success_text(run, color=True) == (
        f"\x1b[33mhookci: dependencies: not scanned: {NO_DATABASE}\x1b[0m\n"
        "\x1b[33mhookci: code: not scanned: app/broken.py: does not parse\x1b[0m\n"
        "\x1b[2mhookci: code: note: [tool.bandit] skips B101\x1b[0m\n"
        "hookci: \x1b[32mmain is green\x1b[0m: 2 jobs passed (dependencies, code) in 12.3s [run 7]\n"
    )


def test_a_red_run_says_too_what_a_green_job_did_not_scan() -> None:
    report = make_report(unreadable("a.py", blocks=False), unreadable("b.py", blocks=False))
    run = make_run(
        scanned(make_result("code"), report), make_result("unit", Outcome.FAILED, exit_code=1), verdict=Verdict.RED
    )

    assert failure(run).endswith(
        "\n\nhookci: code: not scanned: 2 files, such as a.py\n"
        "hookci: main is red: 1 job failed (unit), 1 passed (code) in 12.3s [run 7]\n"
    )


def test_the_script_of_a_scan_that_says_nothing_is_shown_and_of_one_that_has_findings_is_not() -> None:
    broken = make_report(tool="sarif", version="", scanned=0, base="", unscanned=("report.sarif was not written",))
    found = make_report(blocking(tool="semgrep"), tool="sarif")
    run = make_run(
        scanned(make_result("trivy", Outcome.FAILED, exit_code=127, reason="not scanned"), broken),
        scanned(make_result("semgrep", Outcome.FAILED, exit_code=1, reason="1 finding"), found),
        verdict=Verdict.RED,
    )

    text = failure(run, {"trivy": ["trivy: not found"], "semgrep": ["ran 200 rules"]})

    assert "ran 200 rules" not in text
    assert text.endswith(
        "trivy failed in 3.2s: exit status 127, not scanned\n"
        "  output:\n"
        "    trivy: not found\n"
        "  not scanned: report.sarif was not written\n"
        "  again: hookci run trivy\n"
        "\n"
        "hookci: main is red: 2 jobs failed (trivy, semgrep) in 12.3s [run 7]\n"
    )


def test_a_scan_by_hand_shows_every_job_and_what_broke_last() -> None:
    old = make_judged(state=State.UNCHANGED)
    run = make_run(
        scanned(make_result("code", Outcome.FAILED, reason="1 file not scanned"), make_report(unreadable())),
        make_result("odd", Outcome.ERRORED, reason="no `sh` on the PATH"),
        scanned(make_result("secrets"), make_report(tool="secrets", version="1", what="8 added lines")),
        scanned(make_result("more"), make_report(old, unchanged=1)),
        verdict=Verdict.NONE,
    )

    assert scan_text(run, {}, make_view(limit=None)) == (
        "secrets passed in 3.2s: no new findings (8 added lines)\n"
        "  scanned: 8 added lines (secrets 1, compared with 1a2b3c4d)\n"
        "\n"
        "more passed in 3.2s: no new findings (120 files)\n"
        "  found: 1 finding not new\n"
        "  scanned: 120 files (bandit 1.9.4, compared with 1a2b3c4d)\n"
        "\n"
        "code failed in 3.2s: 1 file not scanned\n"
        "  app/broken.py:3: not scanned: does not parse\n"
        "\n"
        "  found: 1 file not scanned\n"
        "  scanned: 120 files (bandit 1.9.4, compared with 1a2b3c4d)\n"
        "\n"
        "  to let app/broken.py:3 pass, put this into hookci.toml:\n"
        "\n"
        "      [[suppressions]]\n"
        '      rule = "not-scanned"\n'
        '      path = "app/broken.py"\n'
        "      # or, in the place of both, for this one only:\n"
        f'      # fingerprint = "{("c0ffee" * 11)[:64]}:1"\n'
        '      reason = ""           # required: why it may pass\n'
        "      expires = 2027-02-20  # required: the last day it does\n"
        "\n"
        "odd errored in 3.2s: no `sh` on the PATH\n"
        "\n"
        "hookci: main has no verdict: 1 job failed (code), 1 errored (odd), 2 passed (secrets, more) in 12.3s [run 7]\n"
    )
