"""What a request of a health check makes of what answers it."""

from __future__ import annotations

import base64
import shutil
from typing import TYPE_CHECKING

import pytest
from health_samples import (
    COMMIT,
    Bench,
    Certificate,
    Reply,
    answering,
    certificate,
    closed_port,
    dripping,
    reading_nothing,
    sending,
    talking,
)
from hypothesis import given
from hypothesis import strategies as st

from hookci.deploy.answers import Address
from hookci.deploy.health import Probe, check_health, probe
from hookci.model.environment import Check

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

HEAD = b"HTTP/1.1 200 OK\r\n"
NEVER = "no answer within 0.3 s"


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    return certificate(tmp_path_factory.mktemp("certificate"))


def looked(check: Check, **variables: str) -> Probe:
    return probe(check, Bench(variables=variables).desk)


@pytest.mark.parametrize(
    ("status", "wanted", "ok"),
    [(200, None, True), (204, None, True), (299, None, True), (404, None, False), (404, 404, True), (200, 204, False)],
)
def test_a_status_is_as_wanted_or_of_two_hundred(status: int, wanted: int | None, ok: bool) -> None:
    with answering(Reply(status, b"")) as service:
        seen = looked(Check(url=service.url(), status=wanted))

    assert seen == Probe(ok=ok, seen=f"an empty body ({status})")


@pytest.mark.parametrize(
    ("body", "ok"),
    [(f'{{"commit": "{COMMIT}"}}', True), ("old", False), (COMMIT[:-1], False)],
)
def test_a_body_must_hold_the_text_that_is_expected(body: str, ok: bool) -> None:
    with answering(Reply(body=body.encode())) as service:
        seen = looked(Check(url=service.url(), expect="$HOOKCI_COMMIT"), HOOKCI_COMMIT=COMMIT)

    assert seen == Probe(ok=ok, seen=f"`{body}` (200)")


@pytest.mark.parametrize(("body", "ok"), [(COMMIT, True), (f"\n{COMMIT} \n", True), (f"v{COMMIT}", False), ("", False)])
def test_a_version_is_the_whole_body(body: str, ok: bool) -> None:
    with answering(Reply(body=body.encode())) as service:
        seen = looked(Check(url=service.url(), version="$HOOKCI_COMMIT"), HOOKCI_COMMIT=COMMIT)

    assert seen.ok is ok


def test_a_variable_without_a_value_makes_no_check_hold() -> None:
    with answering(Reply(body=b"anything")) as service:
        expected = looked(Check(url=service.url(), expect="$EMPTY"), EMPTY="")
        version = looked(Check(url=service.url(), version="$EMPTY"), EMPTY="")
        unset = looked(Check(url=service.url(), version="$UNSET"))

    assert not any(seen.ok for seen in (expected, version, unset))


@pytest.mark.parametrize(
    ("wanted", "ok", "seen"),
    [
        ({"x-release": "$HOOKCI_COMMIT"}, True, "`ok` (200)"),
        ({"X-RELEASE": "release"}, True, "`ok` (200)"),
        ({"X-Release": "RELEASE"}, False, f"`release {COMMIT}` as header `X-Release` (200)"),
        ({"X-Release": "release", "X-Other": "a"}, False, "no header `X-Other` (200)"),
    ],
)
def test_a_header_is_found_by_its_name_in_any_case_and_its_value_holds_the_text(
    wanted: dict[str, str], ok: bool, seen: str
) -> None:
    with answering(Reply(headers={"X-Release": f"release {COMMIT}"})) as service:
        found = looked(Check(url=service.url(), headers=wanted), HOOKCI_COMMIT=COMMIT)

    assert found == Probe(ok=ok, seen=seen)


def test_variables_stand_anywhere_in_an_address() -> None:
    with answering(Reply()) as service:
        seen = looked(
            Check(url="http://$HOST:${PORT}/v/$HOOKCI_COMMIT?q=a b"),
            HOST="127.0.0.1",
            PORT=str(service.port),
            HOOKCI_COMMIT=COMMIT,
        )

    assert seen.ok
    assert service.paths == [f"/v/{COMMIT}?q=a%20b"]


@pytest.mark.parametrize(
    "talk",
    [
        reading_nothing,
        dripping(HEAD, b"x-drop: 1\r\n"),
        dripping(HEAD + b"Content-Length: 9999\r\n\r\n", b"."),
        dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n.\r\n"),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        dripping(b"", b"H"),
    ],
    ids=["silence", "headers", "body", "chunks", "continue", "status line"],
)
def test_a_probe_that_hangs_or_drips_ends_at_its_timeout(talk: Callable[[socket.socket], None]) -> None:
    with talking(talk) as service:
        seen = looked(Check(url=service.url(), timeout=0.3))

    assert seen == Probe(ok=False, seen=NEVER)


def test_a_tls_handshake_that_hangs_ends_at_its_timeout() -> None:
    with talking(reading_nothing) as service:
        seen = looked(Check(url=f"https://127.0.0.1:{service.port}/", timeout=0.3))

    assert seen == Probe(ok=False, seen=NEVER)


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (b"", "the connection was closed before the end of the answer"),
        (HEAD + b"Content-Length: 100\r\n\r\nok", "the connection was closed before the end of the answer"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nok", "the connection was closed before the end of the answer"),
        (b"220 mail.example.com ESMTP\r\n", "no answer of http (BadStatusLine)"),
    ],
)
def test_half_an_answer_is_none(answer: bytes, seen: str) -> None:
    with talking(sending(answer)) as service:
        found = looked(Check(url=service.url()))

    assert found == Probe(ok=False, seen=seen)


def test_a_refused_connection_is_told() -> None:
    seen = looked(Check(url=f"http://localhost:{closed_port()}/"))

    assert seen == Probe(ok=False, seen="connection refused")


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("http://127.0.0.1:$PORT/", "`http://127.0.0.1:$PORT/` is not a url"),
        ("file:///etc/hostname", "`file:///etc/hostname` is not a url of http or https"),
        ("127.0.0.1:80", "`127.0.0.1:80` is not a url of http or https"),
    ],
)
def test_an_address_that_is_none_is_told(url: str, seen: str) -> None:
    assert looked(Check(url=url)) == Probe(ok=False, seen=seen)


def test_a_body_is_read_up_to_a_mebibyte() -> None:
    body = b"early " + b"." * 2**20 + b" late"
    with answering(Reply(body=body)) as service:
        early = looked(Check(url=service.url(), expect="early"))
        late = looked(Check(url=service.url(), expect="late"))

    assert early.ok
    assert not late.ok
    assert late.seen.endswith("...` (200, longer than 1 MiB)")
    assert len(late.seen) < 150


def test_a_body_without_an_end_is_read_up_to_a_mebibyte() -> None:
    def pour(connected: socket.socket) -> None:
        connected.recv(65_536)
        connected.sendall(HEAD + b"\r\nready")
        while True:
            connected.sendall(b"." * 65_536)

    with talking(pour) as service:
        seen = looked(Check(url=service.url(), expect="ready", timeout=30))

    assert seen.ok


def test_a_redirect_is_followed() -> None:
    with answering(Reply(302, b"", {"Location": "/there?a=1"}), Reply(body=b"there")) as service:
        seen = looked(Check(url=service.url("/here")))

    assert seen == Probe(ok=True, seen="`there` (200)")
    assert service.paths == ["/here", "/there?a=1"]


def test_a_redirect_that_is_wanted_is_not_followed() -> None:
    with answering(Reply(302, b"", {"Location": "/there"})) as service:
        seen = looked(Check(url=service.url("/here"), status=302))

    assert seen.ok
    assert service.paths == ["/here"]


def test_redirects_for_ever_end_after_five() -> None:
    with answering(Reply(301, b"", {"Location": "/again"})) as service:
        seen = looked(Check(url=service.url()))

    assert seen == Probe(ok=False, seen=f"more than 5 redirects, the last to `{service.url('/again')}`")
    assert len(service.paths) == 6


def test_a_redirect_leads_to_no_other_scheme(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("ok")
    with answering(Reply(302, b"", {"Location": f"file://{target}"})) as service:
        seen = looked(Check(url=service.url()))

    assert not seen.ok
    assert seen.seen.endswith("is not a url of http or https")


def test_user_and_password_are_sent_and_never_shown() -> None:
    password = "a/b@c#d:" + "e" * 4
    variables = {"WHO": "ana", "WORD": password}
    with answering(Reply(500, b"no")) as service:
        check = Check(url=f"http://$WHO:$WORD@127.0.0.1:{service.port}/health", within=1, interval=0.5)
        bench = Bench(variables=variables)
        health = check_health([check], bench.desk)

    sent = service.headers[0]["Authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")).decode() == f"ana:{password}"
    assert health.reason.startswith(f"{service.url('/health')}: expected status")
    assert password not in f"{health.reason}{bench.lines}"


def test_a_password_goes_along_to_the_same_origin_only() -> None:
    with answering(Reply()) as other:
        first = Reply(302, b"", {"Location": "/next"})
        with answering(first, Reply(302, b"", {"Location": other.url("/other")})) as service:
            seen = looked(Check(url=f"http://ana:{'word' * 2}@127.0.0.1:{service.port}/"))

    assert seen.ok
    assert ["Authorization" in asked for asked in (*service.headers, *other.headers)] == [True, True, False]


@given(st.text(min_size=1))
def test_a_password_from_a_variable_is_in_no_address(text: str) -> None:
    password = f"word-{text}"

    address = Address.of("https://$WHO:$WORD@app.test:8443/path?a=$WHO", {"WHO": "ana", "WORD": password})

    assert address == Address("https://app.test:8443/path?a=ana", f"ana:{password}")


def test_a_whole_address_from_a_variable_loses_its_password_too() -> None:
    address = Address.of("$APP_URL", {"APP_URL": f"https://ana:{'w%2Frd' * 2}@app.test/"})

    assert address == Address("https://app.test/", f"ana:{'w/rd' * 2}")


def test_a_certificate_nobody_trusts_is_a_failure(trusted: Certificate) -> None:
    with answering(Reply(), tls=trusted.context) as service:
        seen = looked(Check(url=f"https://127.0.0.1:{service.port}/", timeout=30))

    assert not seen.ok
    assert seen.seen.startswith("the certificate is not trusted: self")
    assert service.paths == []


def test_a_certificate_that_is_trusted_is_fine(trusted: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.path))
    with answering(Reply(), tls=trusted.context) as service:
        good = looked(Check(url=f"https://127.0.0.1:{service.port}/"))
        other = looked(Check(url=f"https://localhost:{service.port}/"))

    assert good == Probe(ok=True, seen="`ok` (200)")
    assert other.seen.startswith("the certificate is not trusted: hostname mismatch")


def test_a_service_without_tls_is_no_answer_to_https() -> None:
    with talking(sending(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as service:
        seen = looked(Check(url=f"https://127.0.0.1:{service.port}/"))

    assert "wrong version number" in seen.seen.lower().replace("_", " ")


def test_a_proxy_is_asked_for_other_machines_and_not_for_this_one() -> None:
    with answering(Reply(body=b"by proxy")) as proxy, answering(Reply(body=b"direct")) as service:
        variables = {"http_proxy": f"http://ana:{'word' * 2}@127.0.0.1:{proxy.port}", "no_proxy": "192.0.2.1"}
        far = looked(Check(url="http://app.test:81/health?a=1"), **variables)
        near = looked(Check(url=service.url()), **variables)
        excepted = looked(Check(url="http://192.0.2.1/", timeout=0.2), **variables)

    assert (far.seen, near.seen) == ("`by proxy` (200)", "`direct` (200)")
    assert not excepted.ok
    assert proxy.paths == ["http://app.test:81/health?a=1"]
    assert proxy.headers[0]["Host"] == "app.test:81"
    assert proxy.headers[0]["Proxy-Authorization"].startswith("Basic ")


def test_https_goes_through_a_proxy_in_a_tunnel(trusted: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.path))
    asked: list[bytes] = []

    def tunnel(connected: socket.socket) -> None:
        asked.append(connected.recv(65_536))
        connected.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with trusted.context.wrap_socket(connected, server_side=True) as inside:
            asked.append(inside.recv(65_536))
            inside.sendall(HEAD + b"Content-Length: 2\r\n\r\nok")

    with talking(tunnel) as proxy:
        seen = looked(Check(url="https://app.test/health"), HTTPS_PROXY=f"127.0.0.1:{proxy.port}")

    assert seen.ok
    assert asked[0].startswith(b"CONNECT app.test:443 ")
    assert asked[1].startswith(b"GET /health ")


def test_a_proxy_of_another_kind_is_told_and_not_passed_by() -> None:
    seen = looked(Check(url="http://app.test/"), all_proxy="socks5://127.0.0.1:1080")

    assert seen == Probe(ok=False, seen="the proxy `socks5://127.0.0.1:1080` is not one of http")
