"""Containers: what a job runs in, and what runs beside it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hookci.model.pipeline import Job

__all__ = ["BUILT_BY", "Build", "Image", "Pull", "Readiness", "Service", "builders_of", "images_of", "texts_of"]

BUILT_BY = "job:"
"""What an image's name begins with that is no image of a registry but the one a job of the pipeline builds."""


class Pull(StrEnum):
    """When an image is fetched; the words are GitLab's."""

    ALWAYS = "always"
    IF_NOT_PRESENT = "if-not-present"
    NEVER = "never"


class Image(Struct, frozen=True, kw_only=True):
    """The image a container is started from, and how.

    ``name`` is a name, with a tag or digest, and may hold ``$VARIABLES``; ``job:NAME`` is the image that a job of the
    pipeline builds.  ``entrypoint`` takes the place of the image's own (None: its own; empty or one empty text: none).
    ``pull`` are policies, tried in turn.  ``user``, ``platform`` and ``workdir`` are the engine's own words,
    ``memory`` is in bytes, ``cpus`` a number of cores; ``network`` is ``none`` for no network at all.
    """

    name: str
    entrypoint: tuple[str, ...] | None = None
    pull: tuple[Pull, ...] = (Pull.IF_NOT_PRESENT,)
    user: str | None = None
    platform: str | None = None
    workdir: str | None = None
    memory: int | None = None
    cpus: float | None = None
    network: str | None = None

    @property
    def builder(self) -> str | None:
        """The job that builds it, None for an image that has a name of its own."""
        return self.name.removeprefix(BUILT_BY) if self.name.startswith(BUILT_BY) else None


class Readiness(Struct, frozen=True, kw_only=True):
    """When a service is ready: a command in its container ends in 0, within so many seconds.

    An empty ``command`` means what the image itself says: its HEALTHCHECK, or else that one of its exposed ports is
    listened on.
    """

    command: tuple[str, ...] = ()
    within: float = 60.0


class Service(Struct, frozen=True, kw_only=True):
    """A container beside a job.

    The job reaches it by its ``aliases``, or without any by names made from the image's.  ``health`` is None when
    nothing was asked for: a service that does not become ready is then told about and no error, as on a GitLab
    runner.  ``privileged`` is what the config asks for (None: nothing is said); what it gets is for the settings of
    the clone to say.
    """

    image: Image
    aliases: tuple[str, ...] = ()
    command: tuple[str, ...] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    health: Readiness | None = None
    privileged: bool | None = None


class Build(Struct, frozen=True, kw_only=True):
    """An image that a job builds from the snapshot.

    ``context`` is a directory below the workspace, ``dockerfile`` a path below the context.  ``args`` and ``tags`` may
    hold ``$VARIABLES``.
    """

    context: str = "."
    dockerfile: str = "Dockerfile"
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    pull: bool = False


def images_of(job: Job) -> tuple[Image, ...]:
    """The images that a job's containers are started from: its own and those of its services."""
    own = () if job.image is None else (job.image,)
    return (*own, *(service.image for service in job.services))


def builders_of(job: Job) -> tuple[str, ...]:
    """The jobs whose images it uses, by the names it uses, each once."""
    return tuple(dict.fromkeys(image.builder for image in images_of(job) if image.builder is not None))


def texts_of(job: Job) -> Iterator[str]:
    """The texts about a job's containers that may hold ``$VARIABLES``."""
    yield from (image.name for image in images_of(job))
    for service in job.services:
        yield from (*(service.command or ()), *service.variables.values())
    if job.build is not None:
        yield from (*job.build.args.values(), *job.build.tags)
