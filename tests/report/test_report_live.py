from __future__ import annotations

import io
import threading
import time
from typing import TYPE_CHECKING

import pytest
from report_samples import make_plan, make_result, make_run
from rich.console import Console

from hookci.model.event import JobFinished, JobOutput, JobStarted, Notice, RunFinished, RunStarted
from hookci.model.plan import Action
from hookci.model.result import Outcome, Verdict
from hookci.report.board import Board
from hookci.report.frame import Frame
from hookci.report.live import LiveReporter, terminal_console

if TYPE_CHECKING:
    from hookci.model.event import Event
    from hookci.model.plan import Plan

SMALL = (
    ("build", "build", Action.REMEMBERED, "passed in run 3"),
    ("test", "unit"),
    ("test", "lint"),
    ("test", "docs", Action.SKIPPED, "no rule matches"),
    ("deploy", "release", Action.MANUAL, "when: manual"),
)


def board_of(plan: Plan, *events: Event) -> Board:
    board = Board(RunStarted(7, plan), 0.0)
    for second, event in enumerate(events):
        board.apply(event, float(second))
    return board


def drawn(board: Board, width: int = 60, height: int = 20, encoding: str = "utf-8", now: float = 12.3) -> list[str]:
    frame = Frame(width=width, height=height, encoding=encoding, now=now)
    return [line.plain.rstrip() for line in frame.running(board)]


def ended(board: Board, width: int = 60) -> list[str]:
    return [line.plain.rstrip() for line in Frame(width=width, height=20, encoding="utf-8", now=0.0).final(board)]


def many(jobs: int, *, running: int, failed: int) -> Board:
    """A board with ``jobs`` jobs in one stage and one more in another."""
    plan = make_plan(("build", "build"), *(("test", f"unit{index:03}") for index in range(jobs)))
    events: list[Event] = [JobStarted(f"unit{index:03}", 1) for index in range(running + failed)]
    events += [
        JobFinished(make_result(f"unit{index:03}", Outcome.FAILED, exit_code=1))
        for index in range(running, running + failed)
    ]
    return board_of(plan, *events)


def test_every_job_is_shown_below_its_stage_when_there_is_room() -> None:
    board = board_of(
        make_plan(*SMALL),
        JobStarted("unit", 1),
        JobOutput("unit", ("\x1b[32mcollected 12 items\x1b[0m", "  ")),
        JobStarted("lint", 1),
        JobFinished(make_result("lint", Outcome.FAILED, exit_code=2)),
    )

    assert drawn(board) == [
        "main  run 7  4 of 5 jobs  12.3s",
        "build",
        " ✓ build             passed in run 3",
        "test",
        " ⠇ unit       12.3s  collected 12 items",
        " ✗ lint        3.2s  exit status 2",
        " · docs              no rule matches",
        "deploy",
        " ○ release           when: manual",
    ]


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (2.5, "2.5s  about 8s left"),
        (4.9, "4.9s  about 6s left"),
        (9.0, "9.0s  about 5s left, 4s late"),
        (90.0, "1m 30s  about 5s left, 1m 25s late"),
    ],
)
def test_the_expected_end_comes_nearer_unless_something_is_late(now: float, words: str) -> None:
    board = Board(RunStarted(7, make_plan(("test", "unit"), ("test", "docs")), {"unit": 5.0, "docs": 10.0}), 0.0)
    board.apply(JobStarted("unit", 1), 0.0)

    assert drawn(board, now=now)[0] == f"main  run 7  0 of 2 jobs  {words}"


@pytest.mark.parametrize(
    ("now", "words"),
    [(9.9, "9.9s  about 1s left"), (10.9, "10.9s  about 1s left"), (14.5, "14.5s  5s late")],
)
def test_a_late_end_is_said_to_be_late(now: float, words: str) -> None:
    board = Board(RunStarted(7, make_plan(("test", "unit"), ("test", "docs")), {"unit": 5.0, "docs": 10.0}), 0.0)
    board.apply(JobFinished(make_result("unit")), 7.0)

    assert drawn(board, now=now)[0] == f"main  run 7  1 of 2 jobs  {words}"


def test_nothing_is_expected_of_a_run_without_history_or_with_a_failure_or_that_has_ended() -> None:
    plan, ends = make_plan(("test", "unit"), ("test", "lint")), {"unit": 10.0, "lint": 5.0}
    unknown = Board(RunStarted(7, plan), 0.0)
    failed, ended = Board(RunStarted(7, plan, ends), 0.0), Board(RunStarted(7, plan, ends), 0.0)

    failed.apply(JobFinished(make_result("lint", Outcome.FAILED, exit_code=1)), 1.0)
    for name in ("unit", "lint"):
        ended.apply(JobFinished(make_result(name)), 1.0)

    assert [board.outlook(2.0) for board in (unknown, failed, ended)] == [None, None, None]


def test_a_terminal_without_unicode_gets_ascii() -> None:
    board = board_of(make_plan(*SMALL, label="größe"), JobStarted("unit", 1), JobOutput("unit", ("漢 ✓",)))

    lines = drawn(board, encoding="ascii")

    assert lines[0] == "gr??e  run 7  3 of 5 jobs  12.3s"
    assert lines[2] == " + build             passed in run 3"
    assert lines[4:8] == [
        " - unit       12.3s  ? ?",
        "   lint              waiting",
        " . docs              no rule matches",
        "deploy",
    ]


def test_what_a_job_waits_for_is_a_bar_until_it_says_something_else() -> None:
    pulling = JobOutput("lint", ("41 of 100 MB",), partial=True, share=0.41)
    board = board_of(make_plan(*SMALL), pulling)

    bars = [drawn(board, encoding=encoding)[5] for encoding in ("utf-8", "ascii")]
    board.apply(JobOutput("lint", ("pulled app:1",)), 12.0)

    assert bars == [
        " ⠇ lint              ━━━━━━──────────  41 %  41 of 100 MB",
        " - lint              ######----------  41 %  41 of 100 MB",
    ]
    assert drawn(board)[5] == "   lint              pulled app:1"


def test_hundreds_of_jobs_are_counted_but_for_those_that_matter() -> None:
    board = many(300, running=3, failed=2)

    assert drawn(board, height=10) == [
        "main  run 7  2 of 301 jobs  12.3s",
        "build  1 waiting",
        "test   ✗ 2  3 running  295 waiting",
        " ⠇ unit000    12.3s",
        " ⠇ unit001    11.3s",
        " ⠇ unit002    10.3s",
        " ✗ unit003     3.2s  exit status 1",
        " ✗ unit004     3.2s  exit status 1",
    ]


def test_failures_leave_half_of_the_room_to_what_is_running() -> None:
    lines = drawn(many(300, running=20, failed=20), height=11)

    assert len(lines) == 11
    assert [line[3:10] for line in lines[3:]] == [
        "unit000",
        "unit001",
        "unit002",
        "unit003",
        "unit020",
        "unit021",
        "unit022",
        "unit023",
    ]


def test_a_tiny_terminal_gets_totals() -> None:
    lines = drawn(many(300, running=20, failed=1), width=20, height=4)

    assert lines == ["main  run 7  1 of 30", "✗ 1  20 running  280", " ✗ unit020     3.2s", " ⠇ unit000    12.3s"]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (5, 2), (20, 5), (40, 10), (200, 60), (300, 400)])
def test_a_frame_never_outgrows_its_room(width: int, height: int) -> None:
    board = many(300, running=50, failed=30)
    board.apply(JobOutput("unit000", ("漢\t" * 500,)), 0.0)

    lines = Frame(width=width, height=height, encoding="utf-8", now=0.0).running(board)

    assert 1 <= len(lines) <= height
    assert all(line.cell_len <= width for line in lines)


def test_a_second_attempt_starts_from_nothing() -> None:
    board = board_of(
        make_plan(("test", "unit")),
        JobStarted("unit", 1),
        JobOutput("unit", ("first",)),
        JobStarted("unit", 2),
        JobOutput("gone", ("of no job in the plan",)),
    )

    assert drawn(board)[2] == " ⠇ unit    10.3s"


def test_the_final_state_has_a_line_for_each_stage() -> None:
    results = [
        make_result("build", Outcome.REMEMBERED),
        make_result("unit"),
        make_result("lint", Outcome.ALLOWED_FAILURE),
        make_result("docs", Outcome.SKIPPED),
        make_result("release", Outcome.MANUAL),
    ]

    board = board_of(make_plan(*SMALL), *map(JobFinished, results), RunFinished(make_run()))

    assert ended(board) == [
        "main  run 7  5 jobs  12.3s",
        "build   ✓ build",
        "test    ✓ unit 3.2s   ! lint 3.2s   · docs",
        "deploy  ○ release",
    ]


def test_the_final_state_of_a_large_stage_names_what_is_broken() -> None:
    results = [
        make_result(f"unit{index}", Outcome.TIMED_OUT if index == 3 else Outcome.PASSED, reason="15m are over")
        for index in range(9)
    ]

    board = board_of(
        make_plan(*(("test", result.name) for result in results)), *map(JobFinished, results), RunFinished(make_run())
    )

    assert ended(board) == ["main  run 7  9 jobs  12.3s", "test  ✗ 1  ✓ 8", " ✗ unit3     3.2s  15m are over"]


def test_a_console_that_is_no_terminal_gets_only_the_final_state() -> None:
    console = Console(file=io.StringIO(), record=True, width=60, height=20)

    with LiveReporter(console, clock=lambda: 1.0) as reporter:
        reporter(RunStarted(7, make_plan(("test", "unit"))))
        reporter(Notice("the \x1b[2Jremote is [slow]", "warning"))
        reporter(JobStarted("unit", 1))
        reporter(JobFinished(make_result("unit", Outcome.FAILED)))
        reporter(RunFinished(make_run(verdict=Verdict.RED)))

    assert console.export_text() == (
        "hookci: warning: the remote is [slow]\nmain  run 7  1 job  12.3s\ntest  ✗ unit 3.2s\n"
    )


def break_off(stream: io.StringIO) -> None:
    with LiveReporter(terminal_console(stream, color=False), clock=time.monotonic) as reporter:
        reporter(RunStarted(7, make_plan(("test", "unit"))))
        raise KeyboardInterrupt


def test_a_terminal_is_left_in_order_when_a_run_breaks_off() -> None:
    stream, threads = io.StringIO(), threading.active_count()

    with pytest.raises(KeyboardInterrupt):
        break_off(stream)

    assert stream.getvalue().startswith("\x1b[?25l")
    assert "\x1b[?25h" in stream.getvalue().rpartition("unit")[2]
    assert threading.active_count() == threads


def test_time_moves_on_while_nothing_is_said() -> None:
    stream = io.StringIO()
    seconds = iter(range(1000))

    with LiveReporter(terminal_console(stream, color=False), clock=lambda: float(next(seconds))) as reporter:
        reporter(RunStarted(7, make_plan(("test", "unit"))))
        reporter(JobStarted("unit", 1))
        deadline = time.monotonic() + 20
        while stream.getvalue().count("run 7") < 4 and time.monotonic() < deadline:
            time.sleep(0.02)

    assert stream.getvalue().count("run 7") >= 4


def test_events_of_many_threads_end_in_one_final_state() -> None:
    stream = io.StringIO()
    names = [f"unit{index}" for index in range(8)]
    reporter = LiveReporter(terminal_console(stream, color=True), clock=time.monotonic)

    def work(name: str) -> None:
        reporter(JobStarted(name, 1))
        for number in range(200):
            reporter(JobOutput(name, (f"line {number}",)))
        reporter(Notice(f"{name} is nearly over"))
        reporter(JobFinished(make_result(name)))

    reporter(RunStarted(7, make_plan(*(("test", name) for name in names))))
    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reporter(RunFinished(make_run()))

    final = stream.getvalue().rpartition("\x1b[?25h")[2]
    assert "8 jobs" in final
    assert final.count("✓") == 8 or "✓\x1b[0m 8" in final
    assert stream.getvalue().count("is nearly over") == 8


def test_a_terminal_that_went_away_does_not_stop_the_run() -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(5, "Input/output error")

    threads = threading.active_count()

    with LiveReporter(terminal_console(Gone(), color=False), clock=lambda: 0.0) as reporter:
        reporter(RunStarted(7, make_plan(("test", "unit"))))
        reporter(Notice("nobody reads this"))
        reporter(RunFinished(make_run()))

    assert threading.active_count() == threads
