"""The images of an engine as one call of hookci finds them: each is pulled once, as its policies say.

Sources: Docker Engine API 1.41, ``/images/{name}/json`` and ``/images/create``; the policies are those of the GitLab
CI/CD YAML reference, ``image:pull_policy``.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from hookci.engine.calls import EngineError, EngineGoneError, NotThereError
from hookci.engine.pulling import Progress, explained, split_name
from hookci.errors import HookciError
from hookci.model.container import Pull

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hookci.engine.calls import Engine
    from hookci.model.container import Image
    from hookci.proc.supervise import Cancel

__all__ = ["ImageInfo", "Images", "PullCancelledError"]

_LOOK = 0.1
"""Seconds after which somebody who waits for an image looks whether that was cancelled."""
_ID = "sha256:"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def _to_nobody(_line: str, _share: float) -> None:
    """Nobody looks."""


class PullCancelledError(EngineError):
    """A job was cancelled while it waited for its image."""


class ImageInfo(Struct, frozen=True, kw_only=True):
    """What an engine says of an image.

    ``digests`` are the names by which registries know it, ``ports`` those it exposes (``5432/tcp``), ``healthcheck``
    says whether it has one, ``volumes`` are the directories that get an anonymous volume, ``platform`` is
    ``os/architecture`` or ``os/architecture/variant``.
    """

    id: str
    digests: tuple[str, ...] = ()
    user: str = ""
    ports: tuple[str, ...] = ()
    healthcheck: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    workdir: str = ""
    volumes: tuple[str, ...] = ()
    platform: str = ""


class _Fetching(Struct):
    """An image that is being fetched for all jobs that want it, or how that ended."""

    lines: list[str] = field(default_factory=list)
    progress: tuple[str, float] | None = None
    followers: int = 0
    outcome: ImageInfo | HookciError | None = None


class Images:
    """The images of one engine; any number of threads may ask."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._fetchings: dict[tuple[str, tuple[Pull, ...], str | None], _Fetching] = {}

    def peek(self, image: Image) -> str | None:
        """The id of an image, None if the engine has none such; nothing is pulled.

        Raises:
            EngineGoneError: the engine does not answer.
        """
        found = self._look(image)
        return found.id if found else None

    def there(self, image: Image) -> ImageInfo | None:
        """An image that is on the engine and good enough as it is; None if there is none such, or it is to be pulled.

        Raises:
            EngineGoneError: the engine does not answer.
        """
        return self._look(image) if _may_be_there(image, image.pull[0]) else None

    def ensure(
        self, image: Image, tell: Callable[[str], None], cancel: Cancel, show: Callable[[str, float], None] = _to_nobody
    ) -> ImageInfo:
        """Have an image on the engine; ``tell`` gets what happens as lines, ``show`` how far it is (see `Progress`).

        Raises:
            PullCancelledError: ``cancel`` was asked for while it was pulled; others who wait for it still get it.
            EngineError: it is not there, and cannot or may not be pulled.
        """
        if found := self.there(image):
            return found
        fetching = self._join(image)
        try:
            outcome = self._follow(fetching, image, tell, cancel, show)
        finally:
            with self._changed:
                fetching.followers -= 1
        if isinstance(outcome, HookciError):
            raise type(outcome)(outcome.message, outcome.hint) from outcome
        return outcome

    def _look(self, image: Image) -> ImageInfo | None:
        if not image.name:
            return None
        try:
            with self._engine.calling(f"look for the image {image.name}") as api:
                found = _read(api.inspect_image(image.name))  # type: ignore[no-untyped-call]  # no stub types it
        except EngineGoneError:
            raise
        except EngineError:  # whatever it has against the name, it has not such an image
            return None
        return found if _fits(found.platform, image.platform) else None

    # -- fetching, once for all

    def _join(self, image: Image) -> _Fetching:
        """Wait with the others for an image that is being fetched, or begin to fetch it."""
        key = (image.name, image.pull, image.platform)
        with self._changed:
            fetching = self._fetchings.get(key)
            if fetching is None:
                fetching = self._fetchings[key] = _Fetching()
                arguments = (image, fetching)
                threading.Thread(target=self._fetch, args=arguments, name=f"pull {image.name}", daemon=True).start()
            fetching.followers += 1
            return fetching

    def _follow(
        self,
        fetching: _Fetching,
        image: Image,
        tell: Callable[[str], None],
        cancel: Cancel,
        show: Callable[[str, float], None],
    ) -> ImageInfo | HookciError:
        told = max(0, len(fetching.lines) - 1)
        shown = None
        while True:
            with self._changed:
                if fetching.outcome is None and len(fetching.lines) == told:
                    self._changed.wait(_LOOK)
                lines, outcome = fetching.lines[told:], fetching.outcome
            for line in lines:
                tell(line)
            told += len(lines)
            if outcome is not None:
                return outcome
            if fetching.progress is not None and fetching.progress != shown:
                shown = fetching.progress
                show(*shown)
            if cancel.reason is not None:
                raise PullCancelledError(f"image {image.name} was not waited for: {cancel.reason}")

    def _fetch(self, image: Image, fetching: _Fetching) -> None:
        """In a thread of its own, which outlives a job that is cancelled."""

        def say(line: str) -> None:
            with self._changed:
                fetching.lines.append(line)
                self._changed.notify_all()

        outcome: ImageInfo | HookciError = EngineError(f"image {image.name}: nobody wants it any more")
        try:
            outcome = self._by_policies(image, say, fetching)
        except HookciError as error:
            outcome = error
        except Exception as error:  # noqa: BLE001 (whoever waits has to hear of it)
            outcome = HookciError(f"internal error: {type(error).__name__}: {error}", "please report it")
        finally:
            with self._changed:
                fetching.outcome = outcome
                self._changed.notify_all()

    def _by_policies(self, image: Image, say: Callable[[str], None], fetching: _Fetching) -> ImageInfo:
        for number, policy in enumerate(image.pull, 1):
            try:
                return self._by_policy(image, policy, say, fetching)
            except (EngineGoneError, PullCancelledError):
                raise
            except EngineError as error:
                if number == len(image.pull):
                    raise
                say(f"{error.message}; next pull policy: {image.pull[number]}")
        raise EngineError(f"image {image.name}: no pull policy")

    def _by_policy(self, image: Image, policy: Pull, say: Callable[[str], None], fetching: _Fetching) -> ImageInfo:
        if _may_be_there(image, policy) and (found := self._look(image)):
            return found
        if not image.name:
            raise NotThereError("the name of the image is empty", "a variable in it is not set")
        where = f"{self._engine.name} has no image {image.name}"
        if image.name.startswith(_ID):
            raise NotThereError(f"{where} any more, and an id is not to be had from a registry")
        if policy is Pull.NEVER:
            raise NotThereError(f"{where}, and its pull policy is `never`", f"`docker pull {image.name}`, or build it")
        self._pull(image, say, fetching)
        pulled = self._look(image)
        if pulled is None:
            raise NotThereError(f"{where} for {image.platform}, also after it was pulled")
        say(f"pulled {image.name}: {pulled.digests[0] if pulled.digests else pulled.id}")
        return pulled

    def _pull(self, image: Image, say: Callable[[str], None], fetching: _Fetching) -> None:
        def show(line: str, share: float) -> None:
            fetching.progress = (line, share)

        progress = Progress(image.name, say, time.monotonic, show)
        progress.begin()
        for message in self._messages(image):
            if not self._is_wanted(image, fetching):
                raise PullCancelledError(f"image {image.name} is not wanted any more")
            if "error" in message:
                raise explained(image.name, str(message["error"]))
            progress.take(message)

    def _messages(self, image: Image) -> Iterator[dict[str, Any]]:
        """What the engine says while it pulls; it ends the pull when nobody listens any more."""
        repository, tag = split_name(image.name)
        try:
            with self._engine.calling(f"pull {image.name}") as api:
                yield from api.pull(repository, tag, stream=True, decode=True, platform=image.platform)
        except EngineGoneError as error:
            from docker.errors import DockerException  # noqa: PLC0415 (loaded with the engine)

            refusal = error.__cause__
            if isinstance(refusal, DockerException):  # the package itself refuses: names, credentials it cannot get
                raise explained(image.name, str(refusal.__cause__ or refusal)) from error
            raise
        except EngineError as error:
            raise explained(image.name, str(getattr(error.__cause__, "explanation", error.message))) from error

    def _is_wanted(self, image: Image, fetching: _Fetching) -> bool:
        """Whether anybody still waits for it; who asks for it later has it fetched anew."""
        with self._changed:
            if fetching.followers == 0:
                self._fetchings.pop((image.name, image.pull, image.platform), None)
            return fetching.followers > 0


def _may_be_there(image: Image, policy: Pull) -> bool:
    """Whether what the engine has is good enough; what has an id for a name cannot be another one elsewhere."""
    return policy is not Pull.ALWAYS or image.name.startswith(_ID)


def _read(found: Mapping[str, Any]) -> ImageInfo:
    config = found.get("Config") or {}
    variables = (variable.partition("=") for variable in config.get("Env") or ())
    return ImageInfo(
        id=found["Id"],
        digests=tuple(found.get("RepoDigests") or ()),
        user=config.get("User") or "",
        ports=tuple(config.get("ExposedPorts") or ()),
        healthcheck=_has_check(config.get("Healthcheck") or found.get("HealthCheck") or {}),
        env={name: value for name, _, value in variables},
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        workdir=config.get("WorkingDir") or "",
        volumes=tuple(config.get("Volumes") or ()),
        platform="/".join(part for part in (found.get("Os"), found.get("Architecture"), found.get("Variant")) if part),
    )


def _has_check(check: Mapping[str, Any]) -> bool:
    # `HEALTHCHECK NONE` takes away the one of the image it is built on
    return bool(check.get("Test")) and check["Test"][0] != "NONE"


def _fits(platform: str, wanted: str | None) -> bool:
    """Whether an image is of the platform that is asked for, as far as both say."""
    pairs = zip(platform.split("/"), (wanted or "").split("/"), strict=False)
    return all(not asked or has == _ARCHITECTURES.get(asked, asked) for has, asked in pairs)
