"""Whether a service can be used by now: asked in its container, so that it is the same on an engine far away.

In turn, the first that there is: the command that was given; the image's HEALTHCHECK, which is run here too, since an
engine waits for its interval (30 s) before it looks for the first time; a port it exposes is listened on, as a GitLab
runner has it; it still runs after a moment.
"""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from hookci.engine.calls import EngineError, EngineGoneError
from hookci.engine.containers import create
from hookci.model.container import Readiness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from threading import Event

    from hookci.engine.containers import Container, ContainerSpec

__all__ = ["UNASKED", "Unready", "how_it_died", "wait_until_ready"]

UNASKED = Readiness(within=30.0)
"""For a service nothing was asked of; GitLab's ``wait_for_services_timeout``."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
_MOMENT = 0.5
_NOT_RUN = frozenset({126, 127})
"""How the engine says that there is no such program in the container."""
_LISTENING = "0A"
_LOOK = ("cat", "/proc/net/tcp", "/proc/net/tcp6")
_LOOPBACK = re.compile(r"0{24}01000000|(?:0{16}FFFF0000)?[0-9A-F]{6}7F")
"""::1 and 127.0.0.0/8 as these tables have them: words of a little-endian machine."""
_EXCERPT = 400


class Unready(Struct, frozen=True):
    """Why a service is not ready, and what the command that was to say so has written; that may hold secrets."""

    why: str
    said: str = ""


def wait_until_ready(container: Container, wanted: Readiness, onlooker: ContainerSpec, stop: Event) -> Unready | None:
    """Wait until a service that was started is ready.

    Args:
        container: the service.
        wanted: what is asked of it; with no command, what its image says.
        onlooker: a container to look at its ports from, should its own image have no `cat`.
        stop: ends the waiting.

    Returns:
        None when it is ready, otherwise why it is not.

    Raises:
        EngineGoneError: the engine does not answer.
    """
    deadline = time.monotonic() + wanted.within
    pause = _FIRST_PAUSE
    with contextlib.ExitStack() as held:
        check = _check(container, wanted, onlooker, held)
        while True:
            died = how_it_died(container)
            if died:
                return Unready(died)
            unready = _ask(check)
            if unready is None:
                return None
            if time.monotonic() >= deadline or stop.wait(pause):
                return replace(unready, why=f"{unready.why} (after {wanted.within:g} s)")
            pause = min(pause * 1.5, _LONGEST_PAUSE)


def how_it_died(container: Container) -> str | None:
    """How the container ended, None while it runs."""
    state = _inspect(container)["State"]
    if state["Running"] or state["Status"] == "created":
        return None
    memory = ", out of memory" if state.get("OOMKilled") else ""
    return f"it ended with exit status {state['ExitCode']}{memory}"


def _inspect(container: Container) -> dict[str, Any]:
    with container.engine.calling("look at a service") as api:
        found: dict[str, Any] = api.inspect_container(container.id)
    return found


def _ask(check: Callable[[], Unready | None]) -> Unready | None:
    """An engine refuses to look into a container that has just died; whether it has is seen the next time."""
    try:
        return check()
    except EngineGoneError:
        raise
    except EngineError as error:
        return Unready(error.message)


def _check(
    container: Container, wanted: Readiness, onlooker: ContainerSpec, held: contextlib.ExitStack
) -> Callable[[], Unready | None]:
    config = _inspect(container)["Config"]
    command = wanted.command or _image_health(config)
    if command:
        return _Command(container, list(command)).ask
    moment = _Moment(time.monotonic() + _MOMENT)
    ports = _ports(config)
    return _Ports(container, ports, onlooker, held, moment).ask if ports else moment.ask


def _image_health(config: Mapping[str, Any]) -> list[str]:
    """The command of HEALTHCHECK (Docker Engine API, HealthConfig), none for ``NONE`` and where there is none."""
    kind, *words = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    if kind == "CMD-SHELL":
        return [*(config.get("Shell") or ("/bin/sh", "-c")), *words]
    return words if kind == "CMD" else []


def _ports(config: Mapping[str, Any]) -> frozenset[int]:
    """The TCP ports an image exposes, or the one that ``HEALTHCHECK_TCP_PORT`` names, as for a GitLab runner."""
    for entry in config.get("Env") or ():
        name, _, value = entry.partition("=")
        if name == "HEALTHCHECK_TCP_PORT" and value.isdecimal():
            return frozenset({int(value)})
    exposed = (str(port).partition("/") for port in config.get("ExposedPorts") or {})
    return frozenset(int(port) for port, _, kind in exposed if port.isdecimal() and kind in {"tcp", ""})


class _Command(Struct, frozen=True):
    """Whether a command ends in 0."""

    container: Container
    command: list[str]

    def ask(self) -> Unready | None:
        status, output = _run(self.container, self.command)
        if status == 0:
            return None
        words = self.command[2:] if self.command[1:2] == ["-c"] else self.command  # what a shell is given says enough
        said = " ".join(output.split())[-_EXCERPT:]
        return Unready(f"`{' '.join(words)}` ended with exit status {status}", said)


class _Ports(Struct):
    """Whether one of ``ports`` is listened on, for others than the container itself."""

    seen_from: Container
    ports: frozenset[int]
    onlooker: ContainerSpec | None
    held: contextlib.ExitStack
    otherwise: _Moment

    def ask(self) -> Unready | None:
        status, output = _run(self.seen_from, _LOOK)
        if status in _NOT_RUN and self.onlooker is not None:
            onlooker, self.onlooker = self.onlooker, None
            self._look_from(onlooker)
            status, output = _run(self.seen_from, _LOOK)
        if status in _NOT_RUN:  # nobody can look
            return self.otherwise.ask()
        listed = ", ".join(map(str, sorted(self.ports)))
        return None if self.ports & _listened_on(output) else Unready(f"nothing listens on port {listed}")

    def _look_from(self, onlooker: ContainerSpec) -> None:
        beside = create(self.seen_from.engine, onlooker)
        self.held.callback(beside.remove)
        with beside.engine.calling("start a container beside a service") as api:
            api.start(beside.id)
        self.seen_from = beside


class _Moment(Struct, frozen=True):
    """Whether it has been there for a moment."""

    until: float

    def ask(self) -> Unready | None:
        return None if time.monotonic() >= self.until else Unready("it has only begun")


def _listened_on(tables: str) -> frozenset[int]:
    """The ports of proc(5)'s ``/proc/net/tcp`` and ``tcp6`` that can be reached from another container."""
    found = set()
    for fields in map(str.split, tables.splitlines()):
        address, _, port = fields[1].partition(":")
        if fields[3] == _LISTENING and not _LOOPBACK.fullmatch(address):
            found.add(int(port, 16))
    return frozenset(found)


def _run(container: Container, command: Sequence[str]) -> tuple[int | None, str]:
    """Run a command in a container that runs; how it ended (None: nobody knows yet) and what it wrote."""
    with container.engine.calling("look into a service") as api:
        asked = api.exec_create(container.id, list(command))
        output = api.exec_start(asked["Id"])
        status: int | None = api.exec_inspect(asked["Id"])["ExitCode"]
    return status, output.decode(errors="replace")
