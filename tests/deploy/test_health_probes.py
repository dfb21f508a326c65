"""Looks that are no requests: connections and commands, and the words for what was seen."""

from __future__ import annotations

import socket
import unicodedata

import pytest
from health_samples import COMMIT, Bench, closed_port, reading_nothing, talking
from hypothesis import given
from hypothesis import strategies as st

from hookci.deploy.health import Probe, check_health, probe
from hookci.deploy.probes import short
from hookci.model.environment import Check


def test_a_port_that_accepts_is_healthy() -> None:
    with talking(reading_nothing) as service:
        check = Check(tcp="$HOST:$PORT")
        seen = probe(check, Bench(variables={"HOST": "127.0.0.1", "PORT": str(service.port)}).desk)

    assert seen == Probe(ok=True, seen="a connection")


def test_a_port_nobody_listens_on_is_not() -> None:
    port = closed_port()

    health = check_health([Check(tcp=f"127.0.0.1:{port}", within=0.2, interval=0.05)], Bench().desk)

    assert health.reason == f"127.0.0.1:{port}: expected a connection within 0.2 s, last saw connection refused"


def test_a_port_of_the_sixth_version_is_written_in_brackets() -> None:
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with listening:
        seen = probe(Check(tcp=f"[::1]:{listening.getsockname()[1]}"), Bench().desk)

    assert seen.ok


def test_a_host_that_does_not_answer_ends_at_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        address = listening.getsockname()
        full = [socket.socket() for _ in range(4)]
        for one in full:
            one.setblocking(False)
            one.connect_ex(address)
        seen = probe(Check(tcp=f"127.0.0.1:{address[1]}", timeout=0.3), Bench().desk)
        for one in full:
            one.close()

    assert seen.ok is False
    assert seen.seen in {"no connection within 0.3 s", "no answer within 0.3 s"}


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:http", "127.0.0.1:$PORT", ":"])
def test_an_address_without_a_port_is_told(address: str) -> None:
    assert probe(Check(tcp=address), Bench().desk) == Probe(ok=False, seen="the address is not host:port")


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        ("true", Probe(ok=True, seen="exit status 0")),
        ("exit 7", Probe(ok=False, seen="exit status 7")),
        ("kill -9 $$", Probe(ok=False, seen="ended by SIGKILL")),
        ("sleep 60", Probe(ok=False, seen="no end within 0.5 s")),
    ],
)
def test_a_command_is_healthy_with_exit_status_zero(command: str, seen: Probe) -> None:
    assert probe(Check(command=command, timeout=0.5), Bench().desk) == seen


def test_a_command_is_given_to_its_shell_as_it_is_written() -> None:
    asked: list[tuple[str, float]] = []

    def run(command: str, seconds: float) -> int:
        asked.append((command, seconds))
        return 0

    bench = Bench(variables={"HOOKCI_COMMIT": COMMIT}, run=run)
    check_health([Check(command='./smoke "$HOOKCI_COMMIT"', within=60, timeout=7)], bench.desk)

    assert asked == [('./smoke "$HOOKCI_COMMIT"', 7)]
    assert bench.lines == ['./smoke "$HOOKCI_COMMIT": exit status 0, as expected']


def test_a_command_sees_the_variables() -> None:
    bench = Bench(variables={"HOOKCI_COMMIT": COMMIT})

    seen = probe(Check(command=f'test "$HOOKCI_COMMIT" = {COMMIT}', timeout=30), bench.desk)

    assert seen.ok


def test_a_command_gets_no_more_than_what_is_left() -> None:
    health = check_health([Check(command="sleep 60", within=0.3, timeout=60)], Bench().desk)

    assert health.reason.startswith("sleep 60: expected exit status 0 within 0.3 s, last saw no end within 0.")


def test_a_command_comes_to_succeed() -> None:
    statuses = iter([1, 1, 0])

    health = check_health([Check(command="x", interval=0.01)], Bench(run=lambda _c, _s: next(statuses)).desk)

    assert health.is_healthy


def test_a_look_that_is_not_wanted_any_more_ends() -> None:
    bench = Bench()
    bench.bell.set()
    with talking(reading_nothing) as service:
        seen = probe(Check(url=service.url(), timeout=60), bench.desk)

    assert seen == Probe(ok=False, seen="not waited for")


@given(st.text())
def test_what_was_seen_is_one_short_line_without_controls(text: str) -> None:
    line = short(text)

    assert len(line) <= 80
    assert not [one for one in line if unicodedata.category(one) in {"Cc", "Zl", "Zp"}]
