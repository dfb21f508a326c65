"""Checks come to hold in time, side by side, and then go on to hold."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from health_samples import COMMIT, Bench, Reply, answering, closed_port, reading_nothing, talking

from hookci.deploy.health import check_health
from hookci.errors import HookciError
from hookci.model.environment import Check

if TYPE_CHECKING:
    import socket

SICK = Reply(500, b"starting\n")
WELL = Reply()


def test_no_checks_are_healthy_at_once() -> None:
    bench = Bench()

    health = check_health([], bench.desk)

    assert (health.is_healthy, health.reason, bench.lines) == (True, "", [])


def test_a_service_that_answers_is_healthy_after_one_request() -> None:
    bench = Bench()
    with answering(WELL) as service:
        health = check_health([Check(url=service.url("/health"))], bench.desk)

    assert health.is_healthy
    assert not health.reason
    assert service.paths == ["/health"]
    assert bench.lines == [f"{service.url('/health')}: `ok` (200), as expected"]


def test_a_service_that_starts_slowly_becomes_healthy() -> None:
    bench, port = Bench(), closed_port()
    may_end = threading.Event()

    def start_late() -> None:
        time.sleep(0.3)
        with answering(WELL, port=port):
            may_end.wait()

    thread = threading.Thread(target=start_late)
    thread.start()
    health = check_health([Check(url=f"http://127.0.0.1:{port}/", within=30, interval=0.02)], bench.desk)
    may_end.set()
    thread.join()

    assert health.is_healthy
    assert [line.partition(": ")[2] for line in bench.lines] == ["connection refused", "`ok` (200), as expected"]


def test_what_is_seen_is_said_when_it_changes_and_not_each_time() -> None:
    bench = Bench()
    with answering(SICK, SICK, SICK, Reply(503, b"warming up\x1b[2J\nsecond line"), WELL) as service:
        health = check_health([Check(url=service.url(), within=30, interval=0.01)], bench.desk)

    assert health.is_healthy
    assert [line.removeprefix(f"{service.url()}: ") for line in bench.lines] == [
        "`starting` (500)",
        "`warming up second line` (503)",
        "`ok` (200), as expected",
    ]


def test_a_service_that_stays_sick_is_told_with_what_it_says() -> None:
    with answering(SICK) as service:
        health = check_health([Check(url=service.url(), within=1, interval=0.05)], Bench().desk)

    assert not health.is_healthy
    assert not health.cancelled
    assert health.seconds >= 1
    assert health.reason == f"{service.url()}: expected status 200 to 299 within 1 s, last saw `starting` (500)"


def test_only_successes_in_a_row_count() -> None:
    with answering(WELL, WELL, SICK, WELL, WELL, WELL) as service:
        health = check_health([Check(url=service.url(), within=30, interval=0.01, successes=3)], Bench().desk)

    assert health.is_healthy
    assert len(service.paths) == 6


def test_a_service_that_flaps_never_gets_three_in_a_row() -> None:
    flapping = [WELL, WELL, SICK] * 100
    with answering(*flapping) as service:
        health = check_health([Check(url=service.url(), within=0.5, interval=0.02, successes=3)], Bench().desk)

    assert not health.is_healthy
    assert "expected status 200 to 299 3 times in a row within 0.5 s" in health.reason


def test_the_old_version_that_still_answers_is_not_the_new_one() -> None:
    bench = Bench(variables={"HOOKCI_COMMIT": COMMIT})
    with answering(Reply(body=b"old\n")) as service:
        check = Check(url=service.url("/version"), version="$HOOKCI_COMMIT", within=1, interval=0.05)
        health = check_health([check], bench.desk)

    assert health.reason == f"{service.url('/version')}: expected `{COMMIT}` within 1 s, last saw `old` (200)"


def test_the_new_version_is_waited_for() -> None:
    bench = Bench(variables={"HOOKCI_COMMIT": COMMIT})
    with answering(Reply(body=b"old\n"), Reply(body=f"  {COMMIT}\r\n".encode())) as service:
        check = Check(url=service.url(), version="${HOOKCI_COMMIT}", within=30, interval=0.01)
        health = check_health([check], bench.desk)

    assert health.is_healthy


def test_one_failure_while_it_must_go_on_to_hold_is_enough() -> None:
    with answering(WELL, WELL, WELL, SICK, WELL) as service:
        health = check_health([Check(url=service.url(), within=30, interval=0.01, stable=30)], Bench().desk)

    assert not health.is_healthy
    assert health.reason.startswith(f"{service.url()}: expected status 200 to 299 to go on for 30 s, after ")
    assert health.reason.endswith(" s saw `starting` (500)")
    assert len(service.paths) == 4


def test_a_service_that_dies_later_was_not_healthy() -> None:
    bench, port = Bench(), closed_port()
    with ExitStack() as life:
        life.enter_context(answering(WELL, port=port))
        threading.Timer(0.3, life.close).start()
        check = Check(url=f"http://127.0.0.1:{port}/", within=30, interval=0.05, stable=60)
        health = check_health([check], bench.desk)

    assert not health.is_healthy
    assert "expected status 200 to 299 to go on for 60 s, after " in health.reason
    assert bench.lines[1] == "every check holds; watching for 60 s"


def test_a_last_look_comes_after_the_whole_time_it_must_go_on_to_hold() -> None:
    with answering(WELL, SICK) as service:
        health = check_health([Check(url=service.url(), interval=60, stable=0.2)], Bench().desk)

    assert not health.is_healthy
    assert health.seconds >= 0.2
    assert len(service.paths) == 2


def test_a_stable_service_is_watched_and_then_healthy() -> None:
    bench = Bench()
    with answering(WELL) as service:
        health = check_health([Check(url=service.url(), interval=0.02, stable=0.3)], bench.desk)

    assert health.is_healthy
    assert health.seconds >= 0.3
    assert len(service.paths) > 2
    assert bench.lines[1:] == ["every check holds; watching for 0.3 s"]


def test_going_on_to_hold_begins_only_when_every_check_holds() -> None:
    bench = Bench()
    with answering(WELL, SICK) as quick, answering(SICK, SICK, SICK) as never:
        checks = [Check(url=quick.url(), stable=5), Check(url=never.url(), within=0.3, interval=0.05)]
        health = check_health(checks, bench.desk)

    assert never.url() in health.reason
    assert quick.paths == ["/"]


def test_one_bad_check_of_two_ends_both() -> None:
    with answering(WELL) as good, talking(reading_nothing) as silent, answering(SICK) as bad:
        checks = [
            Check(url=good.url()),
            Check(url=silent.url(), within=60, timeout=60),
            Check(url=bad.url(), within=0.2, interval=0.05),
        ]
        health = check_health(checks, Bench().desk)

    assert health.reason.startswith(bad.url())
    assert health.seconds < 60


def test_checks_are_made_side_by_side() -> None:
    barrier = threading.Barrier(3)

    def run(_command: str, _seconds: float) -> int:
        barrier.wait(30)
        return 0

    health = check_health([Check(command=str(number)) for number in range(3)], Bench(run=run).desk)

    assert health.is_healthy


@pytest.mark.parametrize("stable", [0.0, 60.0])
def test_a_request_to_end_is_heard_while_a_probe_hangs(stable: float) -> None:
    bench = Bench()
    with talking(reading_nothing) as service, answering(WELL) as well:
        url = well.url() if stable else service.url()
        threading.Timer(0.2, bench.bell.set).start()
        health = check_health([Check(url=url, within=60, timeout=60, stable=stable)], bench.desk)

    assert (health.is_healthy, health.cancelled, health.reason) == (False, True, "ctrl-c")
    assert health.seconds < 60


def test_a_command_that_was_ended_on_request_has_not_failed() -> None:
    bench = Bench()
    threading.Timer(0.2, bench.bell.set).start()

    health = check_health([Check(command="sleep 60", within=60, timeout=60)], bench.desk)

    assert (health.cancelled, health.reason, bench.lines) == (True, "ctrl-c", [])


def test_a_command_does_not_outlive_the_verdict() -> None:
    ended: list[str] = []

    def run(command: str, _seconds: float) -> int:
        time.sleep(0.5)
        ended.append(command)
        return 0

    health = check_health(
        [Check(command="slow"), Check(tcp=f"127.0.0.1:{closed_port()}", within=0.1, interval=0.05)],
        Bench(run=run).desk,
    )

    assert health.reason.endswith("connection refused")
    assert ended == ["slow"]


def test_a_command_that_cannot_be_started_is_an_inability_and_no_verdict() -> None:
    def run(_command: str, _seconds: float) -> int:
        raise HookciError("no `sh` on the PATH")

    with talking(reading_nothing) as silent, pytest.raises(HookciError, match="no `sh`"):
        check_health([Check(url=silent.url()), Check(command="true")], Bench(run=run).desk)


def test_what_a_probe_saw_before_its_time_was_cut_short_is_what_is_told() -> None:
    replies = iter([True])

    def once(connected: socket.socket) -> None:
        if next(replies, False):
            connected.recv(65_536)
            connected.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nearly")
        else:
            reading_nothing(connected)

    with talking(once) as service:
        health = check_health([Check(url=service.url(), within=1, interval=0.01, timeout=30)], Bench().desk)

    assert health.reason.endswith("within 1 s, last saw `early` (500)")


def test_probes_that_were_given_up_leave_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with talking(reading_nothing) as service:
        health = check_health([Check(url=service.url(), within=0.3, interval=0.01, timeout=0.05)], Bench().desk)
    end = time.monotonic() + 20
    while set(threading.enumerate()) - before and time.monotonic() < end:
        time.sleep(0.02)

    assert health.reason.endswith("no answer within 0.05 s")
    assert not set(threading.enumerate()) - before
