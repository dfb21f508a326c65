"""Building an image by BuildKit, through the ``docker`` command, which alone speaks its protocol.

Sources: docs.docker.com, "docker buildx build" and "BuildKit"; the output is that of ``--progress plain``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.engine.builder import Built, no_space
from hookci.engine.calls import EngineError
from hookci.proc.supervise import Ended, Supervised, exit_text, supervise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from hookci.engine.builder import Following
    from hookci.engine.calls import Engine
    from hookci.engine.context import Context
    from hookci.model.container import Build

__all__ = ["BuildKit"]

_BEGUN = re.compile(r"#[1-9]")
"""How the lines of a build begin; a command that fails without any has no BuildKit, or the engine has none."""
_STEP = re.compile(r"#(\d+) \[(?!internal\])[^\]]*\] (.+)")
_FAILED = re.compile(r"#(\d+) ERROR: (.*)")
_CODE = re.compile(r"exit code: (\d+)\s*$")
_FULL = "no space left on device"
_SETTINGS = {
    "DOCKER_BUILDKIT": "1",
    # the builder of the engine itself: images of any other one would not be on the engine
    "BUILDX_BUILDER": "default",
    # it tells the time, so the same image would have another id each time
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
}
_ELSEWHERE = frozenset({"DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"})


class BuildKit(Struct, frozen=True, kw_only=True):
    """The ``docker`` command at ``program`` in the user's environment; ``directory`` is private, for its files.

    ``token`` marks its processes.
    """

    program: str
    user: Mapping[str, str]
    directory: Path
    token: str

    def build(
        self, engine: Engine, context: Context, build: Build, labels: Mapping[str, str], following: Following
    ) -> Built | None:
        """Build an image to its end, as `hookci.engine.builder.build_image` does; None when there is no BuildKit here.

        Raises:
            EngineError: the engine could not do it, whatever is built.
        """
        if engine.socket is None:  # which engine the command would reach is not certain
            return None
        iid = self.directory / "image.id"
        iid.unlink(missing_ok=True)
        environment = {**{name: value for name, value in self.user.items() if name not in _ELSEWHERE}, **_SETTINGS}
        environment["DOCKER_HOST"] = f"unix://{engine.socket}"
        options = _options(context, build, labels, environment)
        redirected = ["sh", "-c", 'exec "$@" <"$0"', str(context.file)]
        what = Supervised(
            argv=[*redirected, self.program, "build", "--progress=plain", f"--iidfile={iid}", *options, "-"],
            cwd=str(self.directory),
            env={**{name: value for name, value in build.args.items() if name not in environment}, **environment},
            timeout=following.timeout,
            token=self.token,
            directory=str(self.directory),
        )
        heard = _Heard(following.sink)
        ended = supervise(what, heard.take, following.cancel, _nothing)
        if ended.why == "exit" and ended.returncode == 0:
            heard.finish()
            return Built(ended, iid.read_text(encoding="ascii").strip())
        if ended.why == "exit" and not heard.begun:
            return None
        return _failed(engine, heard, ended)


def _options(
    context: Context, build: Build, labels: Mapping[str, str], environment: Mapping[str, str]
) -> Iterator[str]:
    yield f"--file={context.dockerfile}"
    if build.target:
        yield f"--target={build.target}"
    yield from (f"--label={name}={value}" for name, value in labels.items())
    for name, value in build.args.items():
        # from its environment where that is possible: everybody can read a command line
        yield f"--build-arg={name}={value}" if name in environment else f"--build-arg={name}"


def _failed(engine: Engine, heard: _Heard, ended: Ended) -> Built:
    if ended.why != "exit":
        return Built(ended, step=heard.last)
    if heard.full:
        raise no_space(engine.name, heard.full)
    if ended.returncode < 0:
        raise EngineError(f"`docker build` was {exit_text(ended.returncode)}")
    if heard.code is None:
        # no step has failed: the recipe is to blame, unless the engine is gone
        with engine.calling("build the image") as api:
            api.ping()
    return Built(Ended("exit", heard.code or 1, ended.seconds), step=heard.failed)


class _Heard(Struct):
    """What the command has said so far; nothing of it is passed on before it builds."""

    sink: Callable[[bytes], None]
    begun: bool = False
    last: str | None = None
    failed: str | None = None
    code: int | None = None
    full: str = ""
    _steps: dict[str, str] = field(default_factory=dict)
    _line: bytes = b""
    _held: bytes = b""

    def take(self, data: bytes) -> None:
        """Some output, or nothing for a moment."""
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._note(line.decode(errors="replace"))
        if self.begun:
            self.sink(self._held + data)
            self._held = b""
        else:
            self._held += data

    def finish(self) -> None:
        """It has worked, whatever it said."""
        self.sink(self._held)

    def _note(self, line: str) -> None:
        self.begun = self.begun or _BEGUN.match(line) is not None
        if match := _STEP.match(line):
            self.last = self._steps[match[1]] = match[2]
        elif match := _FAILED.match(line):
            found = _CODE.search(match[2])
            self.code = int(found[1]) if found else 1
            self.failed = self._steps.get(match[1])
        if _FULL in line and not line.startswith("#"):
            self.full = line.strip()


def _nothing() -> None:
    """Nobody waits for the process to run."""
