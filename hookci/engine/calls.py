"""An engine, and what its API says when something is wrong, in our words."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import HookciError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import APIClient

__all__ = ["Engine", "EngineError", "EngineGoneError", "NotThereError"]

_LONGEST = 200


class EngineError(HookciError):
    """An engine could not do what was asked of it."""


class NotThereError(EngineError):
    """An engine has no such container, image, network, volume or path."""


class EngineGoneError(EngineError):
    """An engine cannot be reached, or answers no more."""


class Engine(Struct, frozen=True, dict=True):
    """An engine that was reached: how a person calls it, the API's version and what speaks it.

    ``identify`` asks it for its own id.  ``socket`` is the path of its socket when that is one of this machine,
    ``kind`` what the machine is on which it runs containers: system, architecture and kernel.  ``is_podman`` is for
    what Podman's compatible API does differently.
    """

    name: str
    identify: Callable[[], str]
    version: str
    api: APIClient
    socket: str | None = None
    kind: str = ""
    is_podman: bool = False

    @functools.cached_property
    def id(self) -> str:
        """What tells this engine from others.

        Raises:
            EngineError: it does not say.
        """
        with self.calling("say which it is"):
            return self.identify()

    @contextlib.contextmanager
    def calling(self, what: str) -> Iterator[APIClient]:
        """The API, for one call that does ``what`` (``start the container``).

        Raises:
            NotThereError: the engine has no such thing.
            EngineGoneError: the engine does not answer.
            EngineError: it refused.
        """
        from docker.errors import APIError, DockerException, NotFound  # noqa: PLC0415 (loaded with the engine)
        from requests.exceptions import RequestException  # noqa: PLC0415 (the same)
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 (the same)

        try:
            yield self.api
        except NotFound as error:
            raise NotThereError(f"{self.name} could not {what}: {_said(error)}") from error
        except APIError as error:
            raise EngineError(f"{self.name} could not {what}: {_said(error)}") from error
        except (RequestException, HTTPError, OSError, DockerException) as error:
            raise EngineGoneError(
                f"{self.name} went away when it was to {what}: {_short(error)}",
                "once it is there again, run it again: what has passed by then is not run twice",
            ) from error


def _said(error: object) -> str:
    return str(getattr(error, "explanation", None) or error).strip().rstrip(".")


def _short(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
