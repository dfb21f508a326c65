"""Docker engines in containers of a job: what they may, and how the job's container gets their certificates.

Source: GitLab, "Use Docker to build Docker images"; the entrypoints of the images ``docker:dind`` and ``docker``.
"""

from __future__ import annotations

import contextlib
import secrets
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.engine.calls import EngineError
from hookci.engine.containers import Volume

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.engine.calls import Engine
    from hookci.engine.owner import Owner
    from hookci.model.container import Service

__all__ = ["Certificates", "is_engine", "is_privileged"]

_TOP = "DOCKER_TLS_CERTDIR"
"""The variable that says below which directory a docker:dind makes its certificates; empty for no TLS."""


def is_privileged(service: Service, allowed: Callable[[str], bool], say: Callable[[str], None]) -> bool:
    """Whether a service gets privileges: where the clone's settings allow its image, unless it wants none.

    That one which needs them does not get them is said, with the command that allows it.
    """
    name = service.image.name
    if service.privileged is False or allowed(name):
        return service.privileged is not False
    if service.privileged or is_engine(name):
        say(
            f"hookci: service {name} runs without privileges, so what needs them (a Docker engine, mounts) fails in it;"
            f" to allow them in this clone: git config --add hookci.privileged {shlex.quote(_pattern(name))}"
        )
    return False


def is_engine(image: str) -> bool:
    """Whether an image is a Docker engine, such as ``docker:24-dind-rootless`` and ``example.com/dind:1``."""
    return "dind" in image.rpartition("/")[2]


def _pattern(image: str) -> str:
    return "docker:*dind*" if image.startswith("docker:") and is_engine(image) else image


class Certificates(Struct):
    """The volumes in which the engines of one job leave the certificates of their clients.

    ``environment`` tells the clients where they are, as the image ``docker`` does by itself.
    """

    engine: Engine
    owner: Owner
    environment: dict[str, str] = field(default_factory=dict)
    _volumes: dict[str, Volume] = field(default_factory=dict)

    @property
    def volumes(self) -> tuple[Volume, ...]:
        """What a client's container needs."""
        return tuple(self._volumes.values())

    def shared_with(self, image: str, environment: Mapping[str, str]) -> tuple[Volume, ...]:
        """What a service of ``image`` gets, whose whole environment this is: nothing if it is no engine with TLS."""
        top = environment.get(_TOP, "")
        if not top or not is_engine(image):
            return ()
        target = f"{top.rstrip('/')}/client"
        if target not in self._volumes:
            self._volumes[target] = Volume(f"hookci-{secrets.token_hex(8)}", target)
            with self.engine.calling("make a volume") as api:
                api.create_volume(self._volumes[target].name, labels=self.owner.labels("volume"))
            self.environment[_TOP] = top
        return (self._volumes[target],)

    def remove(self) -> None:
        """Remove them; what cannot be removed has a label to be found by later."""
        for volume in self.volumes:
            with contextlib.suppress(EngineError), self.engine.calling("remove a volume") as api:
                api.remove_volume(volume.name, force=True)
