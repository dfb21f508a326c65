"""Building an image by the engine's own builder.

Source: Docker Engine API 1.41, ``POST /build``: the answer is a stream of JSON objects, one a line; closing the
connection cancels the build.
"""

from __future__ import annotations

import contextlib
import json
import queue
import re
import threading
import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from hookci.engine.calls import EngineError, EngineGoneError
from hookci.engine.owner import KEPT, LABEL
from hookci.proc.supervise import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from requests import Response

    from hookci.engine.calls import Engine
    from hookci.engine.context import Context
    from hookci.engine.owner import Owner
    from hookci.model.container import Build
    from hookci.proc.supervise import Cancel

__all__ = ["Built", "Following", "build_image", "built_labels", "no_space", "tag_image"]

_LOOK = 0.1
"""Seconds after which a cancel is noticed, and output without a line end is shown."""
_CONNECTING = 10.0
_CHUNK = 262_144
_STEP = re.compile(r"Step \d+/\d+ : (.*)")
_DONE = re.compile(r"Successfully built ([0-9a-f]{12,64})")
_FULL = "no space left on device"
_BAD_REQUEST = 400


class Following(Struct, frozen=True, kw_only=True):
    """How a build is followed: where its output goes, for how many seconds at most, and what ends it early."""

    sink: Callable[[bytes], None]
    timeout: float
    cancel: Cancel


class Built(Struct, frozen=True):
    """How a build ended: the image's id if one came of it, else the step that failed, as it was written."""

    ended: Ended
    image: str | None = None
    step: str | None = None


def built_labels(owner: Owner) -> dict[str, str]:
    """The labels of an image: nothing that is another thing in the next run, or its id would be another one too."""
    lasting = {f"{LABEL}repository": owner.repository, f"{LABEL}host": owner.host}
    return {**lasting, KEPT: "true"}


def no_space(engine: str, message: str) -> EngineError:
    """The error of a disk that is full; ``message`` is the engine's."""
    return EngineError(f"{engine} has no space left to build in: {message}", "`docker system df` shows what takes it")


def tag_image(engine: Engine, image: str, name: str) -> None:
    """Give an image a name, ``name`` or ``name:tag``.

    Raises:
        EngineError: the engine takes no such name.
    """
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # the port of a registry
        repository, tag = name, "latest"
    with engine.calling(f"name the image {name}") as api:
        api.tag(image, repository, tag, force=True)


def build_image(
    engine: Engine, context: Context, build: Build, labels: Mapping[str, str], following: Following
) -> Built:
    """Build an image to its end; nothing of it runs any more afterwards.

    Args:
        engine: what builds it.
        context: what it is built from.
        build: how; without ``$VARIABLES``.
        labels: those of the image.
        following: gets its output.

    Raises:
        EngineGoneError: nobody knows how it ended.
        EngineError: the engine could not do it, whatever is built.
    """
    begun = time.monotonic()
    stream = _Stream(engine, context, build, labels)
    threading.Thread(target=stream.pump, name="build", daemon=True).start()
    state = _State(engine.name, following.sink)
    why = _until(stream, state, begun + following.timeout, following.cancel)
    ended = Ended(why, state.code, time.monotonic() - begun)
    if why != "exit":
        stream.stop()
        return Built(ended, step=state.step)
    state.check()
    return Built(ended, state.image, state.step if state.code else None)


def _until(stream: _Stream, state: _State, deadline: float, cancel: Cancel) -> str:
    """Take what the engine says until it is over (``exit``), it is time (``timeout``), or ``cancel``."""
    quiet = True
    while True:
        if cancel.reason is not None:
            return "cancel"
        left = deadline - time.monotonic()
        if left <= 0:
            return "timeout"
        try:
            said = stream.messages.get(timeout=min(left, _LOOK))
        except queue.Empty:
            if not quiet:
                state.sink(b"")
            quiet = True
            continue
        if said is None:
            return "exit"
        if isinstance(said, BaseException):
            raise said
        quiet = False
        state.take(said)


class _State(Struct):
    """What a build has said so far."""

    engine: str
    sink: Callable[[bytes], None]
    image: str | None = None
    step: str | None = None
    code: int = 0

    def take(self, said: Mapping[str, Any]) -> None:
        """One object of the stream."""
        if text := said.get("stream"):
            self._note(text)
            self._show(text)
        elif "error" in said:
            self._failed(said)
        elif found := (said.get("aux") or {}).get("ID"):
            self.image = found
        elif (status := said.get("status")) and not said.get("progressDetail"):
            self._show(f"{said['id']}: {status}\n" if said.get("id") else f"{status}\n")

    def _note(self, text: str) -> None:
        if match := _STEP.match(text):
            self.step = match[1].strip()
        elif (match := _DONE.match(text)) and self.image is None:
            self.image = match[1]

    def _failed(self, said: Mapping[str, Any]) -> None:
        message = str(said["error"])
        if _FULL in message:
            raise no_space(self.engine, message)
        self.code = int((said.get("errorDetail") or {}).get("code") or 1)
        self.image = None
        self._show(f"{message}\n")

    def _show(self, text: str) -> None:
        self.sink(text.encode(errors="surrogateescape"))

    def check(self) -> None:
        """The stream is over; one that is cut off says neither that it worked nor that it failed."""
        if self.image is None and not self.code:
            raise EngineGoneError(
                f"{self.engine} went away when it was to build the image",
                "once it is there again, run it again: what has passed by then is not run twice",
            )


class _Stream(Struct):
    """The engine's answer, read in a thread of its own: ``messages`` are its objects, an error, and None at the end."""

    engine: Engine
    context: Context
    build: Build
    labels: Mapping[str, str]
    messages: queue.SimpleQueue[Mapping[str, Any] | BaseException | None] = field(default_factory=queue.SimpleQueue)
    _response: Response | None = None
    _stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pump(self) -> None:
        """Ask for the build and read what comes of it."""
        try:
            with self.engine.calling("build the image"):
                for said in self._read():
                    self.messages.put(said)
        except Exception as error:  # noqa: BLE001 (told to whoever waits for the build)
            self.messages.put(error)
        self.messages.put(None)

    def _read(self) -> Iterator[Mapping[str, Any]]:
        response = self._ask()
        with self._lock:
            self._response = response
            stopped = self._stopped
        with contextlib.closing(response):
            if stopped:
                return
            if response.status_code >= _BAD_REQUEST:
                yield self._refused(response)
                return
            for line in response.iter_lines(chunk_size=None):
                if line.strip():
                    yield json.loads(line)

    def _ask(self) -> Response:
        api, build = self.engine.api, self.build
        parameters = {
            "dockerfile": self.context.dockerfile,
            "buildargs": json.dumps(dict(build.args)),
            "labels": json.dumps(dict(self.labels)),
            "target": build.target or "",
            "rm": "1",
            "forcerm": "1",
        }
        return api.post(
            f"{api.base_url}/v{api.api_version}/build",
            params=parameters,
            data=self._chunks(),
            headers={"Content-Type": "application/x-tar"},
            stream=True,
            timeout=(_CONNECTING, None),
        )

    def _chunks(self) -> Iterator[bytes]:
        with self.context.file.open("rb") as archive:
            while not self._stopped and (chunk := archive.read(_CHUNK)):
                yield chunk

    def _refused(self, response: Response) -> Mapping[str, Any]:
        """What the recipe itself is to blame for is the build's own failure; all else is the engine's."""
        try:
            message = str(response.json()["message"])
        except (ValueError, LookupError, TypeError):
            message = response.text.strip()
        if response.status_code == _BAD_REQUEST or "dockerfile" in message.lower():
            return {"error": message}
        raise EngineError(f"{self.engine.name} could not build the image: {message}")

    def stop(self) -> None:
        """Close the connection, which ends the build, from another thread than the one that reads."""
        with self._lock:
            self._stopped = True
            response = self._response
        if response is not None:
            # closing would wait for the thread that reads; what it reads is over after this
            with contextlib.suppress(AttributeError, OSError, ValueError, RuntimeError):
                response.raw.shutdown()
