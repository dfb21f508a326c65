"""Telling people through apprise: in a process of its own, for a bounded time, and never as a reason to fail.

The addresses hold tokens.  They go to that process on its standard input: they are on no command line, in no file and
in no environment, and nothing of what apprise says is passed on.  People are shown what stands in the config instead.
"""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import GitError, HookciError
from hookci.execute.environment import passed_environment
from hookci.model.notification import Occasion
from hookci.model.text import plain
from hookci.proc.run import run
from hookci.proc.supervise import exit_text
from hookci.scan.installed import installed_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hookci.model.notification import Notify
    from hookci.notify.texts import Message

__all__ = ["Delivery", "NotifyDesk", "deliver", "send"]

_WORKER = Path(__file__).with_name("worker.py")
_SLACK = 5.0
"""Seconds beyond its own deadline until the process is ended from outside."""
_DESKTOP = ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY")
"""What a job does not get, and a message on the person's own screen needs."""
_LONGEST = 300
_MOST_LINES = 30

_VARIABLE = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

_TYPES = {
    Occasion.GREEN: "success",
    Occasion.DEPLOYED: "success",
    Occasion.APPROVAL: "info",
    Occasion.INTERRUPTED: "warning",
    Occasion.ROLLED_BACK: "warning",
    Occasion.RED: "failure",
    Occasion.STUCK: "failure",
}
"""The colours and signs of apprise (``apprise.NotifyType``)."""


class NotifyDesk(Struct, frozen=True, kw_only=True):
    """What sending works with.

    ``environment`` holds the variables that addresses may name, ``python`` is our own interpreter.  ``directory`` is
    private and empty; it is where the process works, and its home.  ``mask`` takes the secrets out of one line.  All
    of it takes ``seconds`` at most.
    """

    environment: Mapping[str, str]
    python: str
    directory: Path
    mask: Callable[[str], str]
    seconds: float = 10.0


class Delivery(Struct, frozen=True):
    """What became of a message to an address: the address as it may be shown, and why it was not told (or nothing)."""

    address: str
    why: str


def send(notify: Notify, message: Message, desk: NotifyDesk) -> list[str]:
    """Tell everybody who wants to be told; a person's Ctrl-C is all it raises.

    Args:
        notify: what the config asks for.
        message: what there is to say; control characters and secrets are taken out.
        desk: what it works with.

    Returns:
        Warnings for a person, one for each address that was not told.
    """
    if message.occasion not in notify.on or not notify.urls:
        return []
    try:
        deliveries = deliver(notify.urls, message, desk)
    except HookciError as error:
        return [f"nobody was notified: {error.message}" + (f": {error.hint}" if error.hint else "")]
    return [f"{one.address} was not notified: {one.why}" for one in deliveries if one.why]


def deliver(urls: Sequence[str], message: Message, desk: NotifyDesk) -> list[Delivery]:
    """Send ``message`` to every one of ``urls``, all at the same time; one result for each, in order.

    Raises:
        HookciError: apprise is not installed.
    """
    where = installed_directory("apprise")
    if not where:
        from hookci.scan.scanners import install_hint  # noqa: PLC0415 (only when it is missing)

        raise HookciError("apprise is not installed here", install_hint("notify"))
    whys = {index: why for index, url in enumerate(urls) if (why := _unset(url, desk.environment))}
    ready = [index for index in range(len(urls)) if index not in whys]
    if ready:
        full = [Template(urls[index]).safe_substitute(desk.environment).strip() for index in ready]
        whys |= zip(ready, _sent(full, message, desk, where), strict=True)
    return [Delivery(_shown(index, url), whys[index]) for index, url in enumerate(urls)]


def _unset(url: str, environment: Mapping[str, str]) -> str:
    missing = [f"${name}" for name in Template(url).get_identifiers() if not environment.get(name)]
    return f"{', '.join(missing)} {'are' if len(missing) > 1 else 'is'} not set" if missing else ""


def _shown(index: int, url: str) -> str:
    """An address as it may be shown: its place and its variables or its scheme; all else in it may be a token."""
    scheme = _SCHEME.match(url)
    shown = url if _VARIABLE.fullmatch(url) else f"{scheme[0] if scheme else ''}..."
    return f"notify.urls[{index}] ({shown})"


def _sent(urls: Sequence[str], message: Message, desk: NotifyDesk, where: str) -> list[str]:
    """Why each of ``urls`` was not told; empty when it was."""
    order = {
        "urls": urls,
        "title": " ".join(_clean(message.title, desk.mask).split()),
        "body": _clean(message.body, desk.mask),
        "type": _TYPES[message.occasion],
    }
    home = str(desk.directory)
    try:
        done = run(
            [desk.python, "-I", "-X", "utf8", "-W", "ignore", str(_WORKER), where, f"{desk.seconds:g}"],
            cwd=home,
            env={**passed_environment(desk.environment, _DESKTOP), "HOME": home, "TMPDIR": home},
            stdin=json.dumps(order).encode(),
            timeout=desk.seconds + _SLACK,
        )
    except GitError as error:
        return [error.message] * len(urls)
    told = dict(json.loads(line) for line in done.stdout.splitlines())
    if done.returncode in {0, -signal.SIGALRM}:
        missing = f"no answer within {desk.seconds:g} s"
    else:
        missing = f"the process that sends failed: {exit_text(done.returncode)}"
    return [told.get(index, missing) for index in range(len(urls))]


def _clean(text: str, mask: Callable[[str], str]) -> str:
    # cut last: what is left of a secret that was cut is not found any more
    lines = [mask(line)[:_LONGEST] for line in plain(text).split("\n")]
    return "\n".join(lines[:_MOST_LINES]).encode(errors="replace").decode()
