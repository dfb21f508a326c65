"""One look at what a deployment started: a request, a connection or a command, bounded as a whole."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from hookci.execute.environment import expand
from hookci.model.text import plain
from hookci.proc.supervise import exit_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.model.environment import Check

__all__ = ["POLL", "HealthDesk", "Lifeline", "Probe", "in_thread", "look", "name", "probe", "short", "wanted"]

T = TypeVar("T")

POLL = 0.05
"""Seconds between two questions whether to stop."""
_SHORT = 80
_EXCERPT = 1000


class HealthDesk(Struct, frozen=True, kw_only=True):
    """What health checks work with.

    ``variables`` are what ``$NAMES`` in checks stand for.  ``run`` runs a command of a check in a shell, with those
    variables in its environment and a deadline in seconds: its exit status, None when it was ended.  It is called from
    several threads, and ends early once ``cancelled`` says why to stop; that is asked all 0.05 s.  ``say`` gets lines
    for the log, in the caller's thread.  ``clock`` tells monotonic seconds.
    """

    variables: Mapping[str, str]
    run: Callable[[str, float], int | None]
    cancelled: Callable[[], str | None]
    say: Callable[[str], None]
    clock: Callable[[], float]


class Probe(Struct, frozen=True, kw_only=True):
    """Whether a look found what its check wants, and in a few words of one line what it saw."""

    ok: bool
    seen: str


class Lifeline:
    """What a look is connected to, so that whoever no longer waits for it can end it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def hold(self, connected: socket.socket) -> None:
        """Take note of a connection.

        Raises:
            TimeoutError: nobody waits any more; the connection is closed.
        """
        with self._lock:
            self._socket = connected
            if self._is_cut:
                connected.close()
                raise TimeoutError

    def cut(self) -> None:
        """End what is held and what will be: a thread that reads from it gets an end of file."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                # not the method of an SSLSocket, which would take the state away that the other thread works with
                with suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def probe(check: Check, desk: HealthDesk) -> Probe:
    """Look once, for ``check.timeout`` seconds at most.

    Raises:
        HookciError: ``desk.run`` could not start a command.
    """
    return look(check, desk, check.timeout, lambda: desk.cancelled() is not None)


def look(check: Check, desk: HealthDesk, seconds: float, is_over: Callable[[], bool]) -> Probe:
    """Look once, for ``seconds`` in all; a command goes on to its end, everything else ends when ``is_over``.

    Raises:
        HookciError: ``desk.run`` could not start a command.
    """
    if check.command:
        return _command(check, desk, seconds)
    lifeline = Lifeline()
    # in a thread, because nothing else bounds a name server that does not answer
    future = in_thread(partial(_connect, check, desk.variables, seconds, lifeline))
    end = desk.clock() + seconds
    try:
        while not future.done() and (left := end - desk.clock()) > 0:
            if is_over():
                return Probe(ok=False, seen="not waited for")
            wait((future,), min(left, POLL))
        # asked before it is cut: an end that we have made is no answer
        return future.result() if future.done() else Probe(ok=False, seen=_late("no answer", seconds))
    finally:
        lifeline.cut()


def name(check: Check, variables: Mapping[str, str]) -> str:
    """What a person reads a check as: its address without user and password, or its command as it was written."""
    if check.url:
        from hookci.deploy.answers import Address  # noqa: PLC0415 (http.client and ssl, where there is an address)

        return short(Address.of(check.url, variables).url)
    return short(expand(check.tcp, variables)) or short(check.command)


def wanted(check: Check, variables: Mapping[str, str]) -> str:
    """What a check expects, in words."""
    if check.command:
        return "exit status 0"
    if check.tcp:
        return "a connection"
    parts = [f"`{short(expand(check.version, variables))}`"] if check.version else []
    if check.expect:
        parts.append(f"text `{short(expand(check.expect, variables))}`")
    parts += [f"header `{header}: {short(expand(text, variables))}`" for header, text in check.headers.items()]
    if check.status is not None or not parts:
        parts.append(f"status {'200 to 299' if check.status is None else check.status}")
    return ", ".join(parts)


def short(text: str) -> str:
    """A text on one line, without terminal controls, cut where it gets long."""
    line = " ".join(plain(text[:_EXCERPT]).split())
    return line if len(line) <= _SHORT else line[: _SHORT - 3] + "..."


def in_thread(work: Callable[[], T]) -> Future[T]:
    """Do ``work`` in a thread of its own, that nothing waits for at the end of the program."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 (raised again where the result is asked for)
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _late(what: str, seconds: float) -> str:
    return f"{what} within {round(seconds, 2):g} s"


def _command(check: Check, desk: HealthDesk, seconds: float) -> Probe:
    # as it is written: its shell expands it, and a secret does not come to stand on a command line
    status = desk.run(check.command, seconds)
    return Probe(ok=status == 0, seen=_late("no end", seconds) if status is None else exit_text(status))


def _connect(check: Check, variables: Mapping[str, str], seconds: float, lifeline: Lifeline) -> Probe:
    if check.url:
        from hookci.deploy.answers import request  # noqa: PLC0415 (http.client and ssl, where there is an address)

        return request(check, variables, seconds, lifeline)
    try:
        return _tcp(expand(check.tcp, variables), seconds)
    except TimeoutError:
        return Probe(ok=False, seen=_late("no connection", seconds))
    except OSError as error:
        return Probe(ok=False, seen=short(error.strerror or str(error)).lower())
    except ValueError:
        return Probe(ok=False, seen="the address is not host:port")


def _tcp(address: str, seconds: float) -> Probe:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=seconds) as connected:
        # a port nobody listens on may be given to our own end, which then has connected to itself (RFC 9293, 3.5)
        if connected.getsockname() == connected.getpeername():
            return Probe(ok=False, seen="connection refused")
    return Probe(ok=True, seen="a connection")
