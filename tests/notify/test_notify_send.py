"""Everybody is told who can be told, nobody waits for the rest, and no token gets out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from listeners import black_hole, closed_door, listener
from msgspec.structs import replace

import hookci.scan.scanners  # noqa: F401 (so that it is there when the path is taken away)
from hookci.execute.masking import Masker
from hookci.model.notification import Notify, Occasion
from hookci.notify.send import NotifyDesk, deliver, send
from hookci.notify.texts import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

RED = Message(occasion=Occasion.RED, title="shop: main is red", body="3f9c2e1a Fix the cart\nunit: failed")
TOKEN = "a-token-of-nobody"


@pytest.fixture
def desk(tmp_path: Path) -> NotifyDesk:
    directory = tmp_path / "desk"
    directory.mkdir(mode=0o700)
    return NotifyDesk(
        environment={"PATH": os.environ["PATH"]}, python=sys.executable, directory=directory, mask=lambda line: line
    )


def everything_written(directory: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_a_message_reaches_every_address(desk: NotifyDesk) -> None:
    with listener() as first, listener() as second:
        warnings = send(Notify((f"json://{first.host}/a", f"json://{second.host}/b")), RED, desk)

    assert warnings == []
    assert [*first.paths, *second.paths] == ["/a", "/b"]
    for message in (*first.messages, *second.messages):
        assert (message["title"], message["message"], message["type"]) == (RED.title, RED.body, "failure")


def test_only_the_occasions_that_were_asked_for_are_told(desk: NotifyDesk) -> None:
    with listener() as told:
        notify = Notify((f"json://{told.host}",), (Occasion.STUCK, Occasion.ROLLED_BACK))
        warnings = [send(notify, replace(RED, occasion=occasion), desk) for occasion in (Occasion.RED, Occasion.STUCK)]

    assert warnings == [[], []]
    assert len(told.messages) == 1


def test_addresses_come_from_variables(desk: NotifyDesk) -> None:
    with listener() as told:
        known = {"CHAT_URL": f"json://{told.host}/whole\n", "CHAT_HOST": told.host, "ROOM": "part"}
        told_by = replace(desk, environment={**desk.environment, **known})
        warnings = send(Notify(("$CHAT_URL", "json://${CHAT_HOST}/$ROOM/$$")), RED, told_by)

    assert warnings == []
    assert sorted(told.paths) == ["/part/$", "/whole"]


def test_what_cannot_be_told_is_a_warning_each_and_keeps_nobody_else_from_it(desk: NotifyDesk) -> None:
    with listener() as told, listener(status=403) as refusing, black_hole() as silent:
        urls = (
            f"json://{closed_door()}",
            "nosuchservice://host",
            "$NOT_THERE",
            f"json://{refusing.host}/$NOT_THERE/$NOR_THIS",
            f"json://{refusing.host}",
            f"json://{silent}?rto=0.2",
            f"json://{told.host}",
        )
        warnings = send(Notify(urls), RED, desk)

    assert warnings == [
        "notify.urls[0] (json://...) was not notified: could not be reached",
        "notify.urls[1] (nosuchservice://...) was not notified: apprise knows no such address",
        "notify.urls[2] ($NOT_THERE) was not notified: $NOT_THERE is not set",
        "notify.urls[3] (json://...) was not notified: $NOT_THERE, $NOR_THIS are not set",
        "notify.urls[4] (json://...) was not notified: answered with status 403",
        "notify.urls[5] (json://...) was not notified: could not be reached",
    ]
    assert len(told.messages) == 1
    assert len(refusing.messages) == 1


def test_who_never_answers_is_not_waited_for(desk: NotifyDesk) -> None:
    with listener() as told, black_hole() as silent:
        urls = (*[f"json://{silent}?rto=600&cto=600"] * 40, f"json://{told.host}")
        warnings = send(Notify(urls), RED, replace(desk, seconds=5.0))

    assert len(told.messages) == 1
    assert [warning.partition(" was ")[2] for warning in warnings] == ["not notified: no answer within 5 s"] * 40


def test_a_token_in_an_address_is_nowhere(desk: NotifyDesk, capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[list[str]] = []
    files: list[bytes] = []

    def look() -> None:
        known = (process.info for process in psutil.process_iter(["cmdline", "environ"]))
        seen.extend([*(info["cmdline"] or ()), *(info["environ"] or {}).values()] for info in known)
        files.extend(everything_written(desk.directory))

    with listener(status=500, meanwhile=look) as told:
        urls = (
            "$CHAT_URL",
            f"json://{TOKEN}:{TOKEN}@{told.host}/{TOKEN}?+X-Token={TOKEN}",
            f"nosuchservice://{TOKEN}/{TOKEN}",
            f"tgram://{TOKEN}/{TOKEN}",
            f"json://{TOKEN}.invalid/{TOKEN}",
            f"json://$NOT_THERE/{TOKEN}",
        )
        known = {**desk.environment, "CHAT_URL": f"json://{told.host}/{TOKEN}"}
        warnings = send(Notify(urls), RED, replace(desk, environment=known))

    assert len(warnings) == len(urls)
    assert told.paths == [f"/{TOKEN}"] * 2
    assert any(str(part).endswith("worker.py") for parts in seen for part in parts)
    outputs = capfd.readouterr()
    everything = [outputs.out, outputs.err, *warnings, *(part for parts in seen for part in parts), str(files)]
    assert [text for text in everything if TOKEN in text] == []
    assert [content for content in everything_written(desk.directory) if TOKEN.encode() in content] == []


@given(st.text(alphabet="0123456789#/?&=:@%", min_size=3))
def test_of_an_address_only_its_place_and_scheme_are_shown(rest: str) -> None:
    desk = NotifyDesk(environment={}, python="", directory=Path(), mask=lambda line: line)

    [delivery] = deliver([f"slack://{rest}$NOT_THERE"], RED, desk)

    assert delivery.address == "notify.urls[0] (slack://...)"


def test_a_message_is_plain_text_without_secrets(desk: NotifyDesk) -> None:
    hidden = "a hidden value"
    message = Message(
        occasion=Occasion.APPROVAL,
        title=f"shop:\x1b]0;mine\x07 \x1b[31mproduction\x1b[0m\nof {hidden}",
        body=f"key {hidden[:4]}\x1b[1m{hidden[4:]}\r\n\u202egnp.exe \udcff\n{'x' * 295} {hidden}\n" + "more\n" * 100,
    )

    with listener() as told:
        warnings = send(Notify((f"json://{told.host}",)), message, replace(desk, mask=Masker([hidden]).mask))

    assert warnings == []
    assert told.messages[0]["title"] == "shop: production of [MASKED]"
    lines = told.messages[0]["message"].split("\n")
    assert lines[:3] == ["key [MASKED]", "gnp.exe ?", f"{'x' * 295} [MAS"]
    assert len(lines) == 30


def test_without_apprise_there_is_one_warning_with_the_command_that_installs_it(
    desk: NotifyDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if not Path(entry, "apprise").is_dir()])

    warnings = send(Notify(("$NOT_THERE", "json://127.0.0.1:9")), RED, desk)

    assert warnings == ["nobody was notified: apprise is not installed here: pip install 'hookci[notify]'"]


def test_an_apprise_that_is_broken_is_a_warning(desk: NotifyDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = desk.directory.parent / "broken" / "apprise"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('broken')\n")
    monkeypatch.syspath_prepend(str(broken.parent))
    bare = desk.directory.parent / "bare"
    bare.symlink_to(Path(sys.base_prefix, "bin", f"python{sys.version_info.major}"))

    warnings = send(Notify(("json://127.0.0.1:9",)), RED, replace(desk, python=str(bare)))

    assert warnings == ["notify.urls[0] (json://...) was not notified: the process that sends failed: exit status 1"]


def test_an_interpreter_that_is_gone_is_a_warning(desk: NotifyDesk) -> None:
    warnings = send(Notify(("json://127.0.0.1:9",)), RED, replace(desk, python="/nosuch/python"))

    assert len(warnings) == 1
    assert "`/nosuch/python` could not be started" in warnings[0]
