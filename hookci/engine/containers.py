"""One container: made, started, followed to its end, and removed.

Source: Docker Engine API 1.41, "Containers"; the `docker` package's low-level client speaks it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from msgspec import Struct, field

from hookci.engine.calls import EngineError, EngineGoneError, NotThereError
from hookci.proc.supervise import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hookci.engine.calls import Engine
    from hookci.proc.supervise import Cancel

__all__ = ["Bind", "Container", "ContainerSpec", "Volume", "create", "run_helper"]

_CHUNK = 65_536
_IDLE = 0.1
"""Seconds after which output without a line end is shown."""
_GRACE = 1.0
"""Seconds between SIGTERM and SIGKILL, as for a job's processes on this machine."""
_DRAIN = 0.5
"""Seconds for the last output of a container that was killed."""
_ENDING = 10.0
"""Seconds the engine has to say how a container ended whose output is over."""
_KILLED = 137
"""128 + SIGKILL."""
_HELPER = 600.0
_SETTLED = frozenset({"created", "exited"})
"""States of Podman's in which nothing is done to a container."""


class Bind(Struct, frozen=True):
    """A directory or socket of the engine's machine, seen at ``target``."""

    source: str
    target: str
    read_only: bool = False


class Volume(Struct, frozen=True):
    """A volume of the engine's, seen at ``target``."""

    name: str
    target: str
    read_only: bool = False


class ContainerSpec(Struct, frozen=True, kw_only=True):
    """What to make; words as the engine's API has them.

    ``image`` is an id or a name, ``entrypoint`` None for the image's own.  ``memory`` is in bytes, ``cpus`` a number
    of cores. ``network`` is the id of one, ``none``, ``container:ID`` or None for the engine's default; ``aliases``
    are its names in a network that has an id.
    """

    image: str
    labels: Mapping[str, str]
    command: Sequence[str] = ()
    entrypoint: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    workdir: str | None = None
    mounts: Sequence[Bind | Volume] = ()
    user: str | None = None
    platform: str | None = None
    memory: int | None = None
    cpus: float | None = None
    network: str | None = None
    aliases: Sequence[str] = ()
    privileged: bool = False


def create(engine: Engine, spec: ContainerSpec) -> Container:
    """Make a container that does not run yet.

    Raises:
        NotThereError: there is no such image.
        EngineError: the engine refused.
    """
    with engine.calling("make a container") as api:
        host = api.create_host_config(
            mounts=[_mount(mount) for mount in spec.mounts],
            network_mode=spec.network,
            privileged=spec.privileged,
            security_opt=None if spec.privileged else ["no-new-privileges"],
            mem_limit=spec.memory,
            memswap_limit=spec.memory,  # no swap beside it
            nano_cpus=round(spec.cpus * 1e9) if spec.cpus else None,
        )
        made = api.create_container(
            spec.image,
            command=list(spec.command) or None,
            entrypoint=None if spec.entrypoint is None else (list(spec.entrypoint) or [""]),
            environment=dict(spec.environment),
            labels=dict(spec.labels),
            working_dir=spec.workdir,
            user=spec.user,
            platform=spec.platform,
            host_config=host,
            networking_config=_named(spec),
        )
        # without limits of swap, that of memory holds all the same
        warnings = [warning for warning in made.get("Warnings") or () if "swap" not in warning]
        if spec.memory or spec.cpus:
            warnings += _unheeded(spec, api.info())
    return Container(engine, made["Id"], tuple(warnings))


def _unheeded(spec: ContainerSpec, info: Mapping[str, Any]) -> Iterator[str]:
    """Which limits it does not know how to hold: a rootless engine has none without control groups of its own."""
    if spec.memory and not info.get("MemoryLimit", True):
        yield "it cannot limit memory, so the container has no such limit"
    if spec.cpus and not info.get("CpuCfsQuota", True):
        yield "it cannot limit processors, so the container has no such limit"


def _named(spec: ContainerSpec) -> dict[str, Any] | None:
    return {"EndpointsConfig": {spec.network: {"Aliases": list(spec.aliases)}}} if spec.aliases else None


def _mount(mount: Bind | Volume) -> Any:  # noqa: ANN401 (the package's own type)
    from docker.types import Mount  # noqa: PLC0415 (loaded with the engine)

    if isinstance(mount, Bind):
        return Mount(mount.target, mount.source, type="bind", read_only=mount.read_only)
    return Mount(mount.target, mount.name, type="volume", read_only=mount.read_only)


class Container(Struct, frozen=True):
    """A container of ours; ``warnings`` say what of its spec the engine did not do."""

    engine: Engine
    id: str
    warnings: tuple[str, ...] = ()

    def follow(
        self, sink: Callable[[bytes], None], timeout: float, cancel: Cancel, started: Callable[[], None]
    ) -> Ended:
        """Start it and pass its output on until it ends; on a deadline or cancel it is ended with all that runs in it.

        Args:
            sink: gets standard output and error in one stream, and an empty chunk a moment after the last output.
            timeout: seconds.
            cancel: ends it early.
            started: called once it runs.

        Raises:
            EngineError: it could not be started.
            EngineGoneError: nobody knows how it ended.
        """
        if self.engine.is_podman:
            self._until_settled(time.monotonic() + _ENDING)
        clock = time.monotonic()
        with self.engine.calling("follow the container") as api:
            # `attach` would ask the engine first whether there is a terminal
            attached = api.attach_socket(self.id, params={"stdout": 1, "stderr": 1, "stream": 1})
        with _Piped(attached) as output:
            with self.engine.calling("start the container") as api:
                api.start(self.id)
            output.begin()
            started()
            why = output.until(sink, clock + timeout, cancel)
            why, state = self._until_ended(clock + timeout, cancel) if why == "exit" else (why, {})
            if why != "exit":
                self.end()
                output.drain(sink, _DRAIN)
                _, state = self._until_ended(time.monotonic() + _ENDING, None)
        return Ended(why, state["ExitCode"], time.monotonic() - clock)

    def _until_settled(self, deadline: float) -> None:
        """Wait until Podman has cleaned up after the last run of it.

        That is done by a process of its own, a while after the end: it would do away with what an attachment makes
        ready, and all output of the next run would be lost.  Only Podman's own API tells ended (``stopped``) from
        cleaned up (``exited``).
        """
        while time.monotonic() < deadline:
            with self.engine.calling("look at the container") as api:
                url = f"{api.base_url}/v4.0.0/libpod/containers/{self.id}/json"
                answer = api.get(url, timeout=_ENDING)
            if not answer.ok or answer.json()["State"]["Status"] in _SETTLED:
                return
            time.sleep(0.02)

    def _until_ended(self, deadline: float, cancel: Cancel | None) -> tuple[str, Mapping[str, Any]]:
        """Wait for a container whose output is over; most have ended by then, and some only close their output.

        Why the waiting is over, and the container's state.
        """
        pause = 0.002
        while (state := self._state())["Running"]:
            if cancel is not None and cancel.reason is not None:
                return "cancel", state
            if time.monotonic() >= deadline:
                return "timeout", state
            time.sleep(pause)
            pause = min(pause * 2, 0.1)
        return "exit", state

    def _state(self) -> Mapping[str, Any]:
        with self.engine.calling("look at the container") as api:
            state: Mapping[str, Any] = api.inspect_container(self.id)["State"]
        return state

    def ended_for_memory(self, returncode: int) -> bool:
        """Whether the engine says that it was killed for want of memory; some programs then end in 137, some in 1."""
        return returncode != 0 and bool(self._state().get("OOMKilled"))

    def end(self) -> None:
        """End all that runs in it: asked first, then killed."""
        with contextlib.suppress(EngineError):
            self._ask_to_end()
        with contextlib.suppress(EngineError), self.engine.calling("kill the container") as api:
            api.kill(self.id)

    def _ask_to_end(self) -> None:
        # the first process takes no signal that it has no handler for, and -1 means all but that one (kill(2))
        deadline = time.monotonic() + _GRACE
        with self.engine.calling("end the container") as api:
            command = ["sh", "-c", "kill -TERM 1; kill -TERM -1"]
            asked = api.exec_create(self.id, command, user="0", stdout=False, stderr=False)
            api.exec_start(asked["Id"], detach=True)
        self._until_ended(deadline, None)

    def remove(self) -> None:
        """Remove it with its anonymous volumes; that it is gone already is no error."""
        with contextlib.suppress(NotThereError, EngineGoneError), self.engine.calling("remove the container") as api:
            api.remove_container(self.id, v=True, force=True)


def run_helper(engine: Engine, spec: ContainerSpec, cancel: Cancel) -> tuple[int, str]:
    """Run a container of hookci's own to its end and remove it; its exit status and its output."""
    container = create(engine, spec)
    output: list[bytes] = []
    try:
        ended = container.follow(output.append, _HELPER, cancel, lambda: None)
    finally:
        container.remove()
    text = b"".join(output).decode(errors="replace").strip()
    return (ended.returncode if ended.why == "exit" else _KILLED), text


class _Piped:
    """A stream that blocks, read by a thread into a pipe that can be waited for together with other things.

    ``attached`` gives frames, each with the name of the stream that it is of (Engine API, "Attach to a container").
    """

    def __init__(self, attached: Any) -> None:  # noqa: ANN401 (a socket, or what is like one)
        self._attached = attached
        self._read, self._write = os.pipe()
        self._open = True
        self._thread = threading.Thread(target=self._pump, name="container output", daemon=True)

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Begin to read; until then it is kept where it comes from."""
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        os.close(self._read)  # a thread that still writes then ends
        if self._thread.ident is None:
            os.close(self._write)
        if not self._thread.is_alive():
            # the package keeps it there, and nothing else closes all that there is of the connection
            getattr(self._attached, "_response").close()  # noqa: B009 (private)

    def _pump(self) -> None:
        from docker.utils.socket import frames_iter  # noqa: PLC0415 (loaded with the engine)

        # what breaks here shows when the engine is asked how the container ended
        with contextlib.suppress(Exception):
            for _stream, chunk in frames_iter(self._attached, tty=False):  # type: ignore[no-untyped-call]  # no stub types it
                view = memoryview(chunk)
                while view:
                    view = view[os.write(self._write, view) :]
        os.close(self._write)

    def until(self, sink: Callable[[bytes], None], deadline: float, cancel: Cancel) -> str:
        """Pass on what comes until the stream is over (``exit``), it is time (``timeout``), or ``cancel``."""
        show_at: float | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(self._read, selectors.EVENT_READ)
            selector.register(cancel, selectors.EVENT_READ)
            while self._open:
                now = time.monotonic()
                if cancel.reason is not None:
                    return "cancel"
                if now >= deadline:
                    return "timeout"
                if show_at is not None and now >= show_at:
                    sink(b"")
                    show_at = None
                ready = selector.select(min(deadline, show_at or deadline) - now)
                if any(key.fd == self._read for key, _ in ready) and self._pass_on(sink):
                    show_at = show_at or time.monotonic() + _IDLE
        return "exit"

    def drain(self, sink: Callable[[bytes], None], seconds: float) -> None:
        """Pass on what still comes, for so many seconds at most."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._read, selectors.EVENT_READ)
            while self._open and (left := deadline - time.monotonic()) > 0:
                if selector.select(left):
                    self._pass_on(sink)

    def _pass_on(self, sink: Callable[[bytes], None]) -> int:
        data = os.read(self._read, _CHUNK)
        if data:
            sink(data)
        else:
            self._open = False
        return len(data)
