"""Health checks of an environment: what they mean, and what of them means nothing."""

from __future__ import annotations

import pytest
from config_samples import in_environment, problems, read

from hookci.model.environment import Check


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ('{ url = "http://127.0.0.1:8000/health" }', Check(url="http://127.0.0.1:8000/health")),
        ('[{ url = "HTTPS://[::1]:8443" }]', Check(url="HTTPS://[::1]:8443")),
        ('{ url = "$BASE/version", version = "$HOOKCI_COMMIT" }', Check(url="$BASE/version", version="$HOOKCI_COMMIT")),
        (
            '{ url = "http://$HOST:$PORT", status = 401, expect = "ok", headers = { X-Version = 2 } }',
            Check(url="http://$HOST:$PORT", status=401, expect="ok", headers={"X-Version": "2"}),
        ),
        ('{ tcp = "localhost:5432" }', Check(tcp="localhost:5432")),
        ('{ tcp = "[::1]:65535" }', Check(tcp="[::1]:65535")),
        ('{ tcp = "$DB" }', Check(tcp="$DB")),
        (
            '{ command = "a", within = "60s", interval = "500ms", timeout = "3s", successes = 3, stable = "5s" }',
            Check(command="a", within=60.0, interval=0.5, timeout=3.0, successes=3, stable=5.0),
        ),
        (
            '{ command = "x", stable = "0s", within = "4s", successes = 5 }',
            Check(command="x", within=4.0, timeout=4.0, successes=5),
        ),
    ],
)
def test_a_health_check_asks_a_url_a_port_or_a_command(text: str, check: Check) -> None:
    assert read(in_environment(f"health = {text}")).environments["x"].health == (check,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", "health: expected one of url, tcp and command"),
        ("[{ url = '$A', command = 'c' }]", "health[0]: expected one of url, tcp and command"),
        ("{ command = '' }", "health.command: is empty"),
        ("{ url = '$A', expect = ' ' }", "health.expect: is empty"),
        ("{ tcp = '$A', expect = 'x' }", "health.expect: is only for a url"),
        ("{ command = 'x', status = 200 }", "health.status: is only for a url"),
        (
            "{ url = '$A', headers = { 'a b' = 'x' } }",
            'health.headers."a b": expected the name of a header, saw "a b"',
        ),
        ("{ url = '$A', within = '0s' }", 'health.within: expected a duration longer than zero, saw "0s"'),
        ("{ url = '$A', interval = '0s' }", 'health.interval: expected a duration longer than zero, saw "0s"'),
        ("{ url = '$A', timeout = '0s' }", 'health.timeout: expected a duration longer than zero, saw "0s"'),
        (
            "{ url = '$A', within = 'x', successes = 99 }",
            'health.within: expected a duration such as "15m" or "1h 30m", saw "x"',
        ),
        (
            "[{ url = '$A', successes = 4, interval = '30s' }]",
            "health[0]: takes longer than it may: 4 successes, 30s apart, in 60s",
        ),
    ],
)
def test_what_of_a_check_means_nothing_is_told_at_its_place(text: str, problem: str) -> None:
    assert problems(in_environment(f"health = {text}")) == [f"environments.x.{problem}"]


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host/", "http://", "http://host/a b", ""])
def test_a_url_is_one_that_can_be_asked(url: str) -> None:
    assert problems(in_environment(f'health.url = "{url}"')) == [
        f'environments.x.health.url: expected an address such as "http://127.0.0.1:8000/health", saw "{url}"'
    ]


@pytest.mark.parametrize(
    "place", ["localhost", "localhost:0", "localhost:65536", ":80", "::1:80", "http://host:80", ""]
)
def test_a_port_is_one_that_can_be_connected_to(place: str) -> None:
    assert problems(in_environment(f'health.tcp = "{place}"')) == [
        f'environments.x.health.tcp: expected a host and a port such as "127.0.0.1:5432", saw "{place}"'
    ]
