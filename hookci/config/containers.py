"""From the tables of containers to their meaning."""

from __future__ import annotations

import math
import re
import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.config.problems import Problem, expected
from hookci.config.scans import has_scanner
from hookci.config.values import check_filled, check_names, longer_than_zero
from hookci.config.words import show
from hookci.model.container import Build, Image, Readiness, Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.schema_container import (
        BuildTable,
        ImageTable,
        ServiceHealthTable,
        ServiceImageTable,
        ServiceTable,
    )
    from hookci.config.schema_job import JobTable, Settings
    from hookci.config.words import Path
    from hookci.model.pipeline import Job

__all__ = ["LOCAL", "check_containers", "images", "read_build", "read_image", "read_services", "settled"]

LOCAL = "local"
"""The image of a job that runs on this machine although the defaults have an image."""

_SIZE = re.compile(r"(\d{1,12}) ?(?:([bkmgt])(?:i?b)?)?", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_LEAST = 6 * 2**20
"""Bytes; engines refuse less (Docker Engine API, "Memory")."""
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")
_UNSPLIT = "text that ends its quotes, or a list of texts"


# -- images


def read_image(table: ImageTable, path: Path, problems: list[Problem]) -> Image | None:
    """The image at ``path``; None when it is this machine."""
    if table.name == LOCAL and table.model_fields_set == {"name"}:
        return None
    if table.name == LOCAL:
        problems.append(Problem((*path, "name"), "`local` is this machine, where nothing else can be said"))
    return replace(_image(table, path, problems), network=table.network)


def _image(table: ServiceImageTable, path: Path, problems: list[Problem]) -> Image:
    _check_image_name(table.name, (*path, "name"), problems)
    check_filled(table, ("user", "platform"), path, problems)
    if table.workdir is not None and not table.workdir.startswith("/"):
        problems.append(expected((*path, "workdir"), "an absolute path in the container", table.workdir))
    if table.cpus is not None and not (math.isfinite(table.cpus) and table.cpus > 0):
        problems.append(expected((*path, "cpus"), "a number of processors above zero", table.cpus))
    return Image(
        name=table.name,
        entrypoint=_words(table.entrypoint, (*path, "entrypoint"), problems),
        pull=tuple(table.pull),
        user=table.user,
        platform=table.platform,
        workdir=table.workdir,
        memory=_size(table.memory, (*path, "memory"), problems),
        cpus=table.cpus,
    )


def _check_image_name(name: str, path: Path, problems: list[Problem]) -> None:
    if not name.strip():
        problems.append(Problem(path, "is empty"))
    elif Image(name=name).builder is None and (name.split() != [name] or not name.isprintable()):
        problems.append(expected(path, "the name of an image", name))


def _size(text: str | None, path: Path, problems: list[Problem]) -> int | None:
    """Bytes, as the ``docker`` command reads them: ``k``, ``m``, ``g`` and ``t`` are powers of 1024."""
    if text is None:
        return None
    match = _SIZE.fullmatch(text.strip())
    size = int(match[1]) * _UNITS[(match[2] or "").lower()] if match else 0
    if not match or not _LEAST <= size < 2**63:
        problems.append(expected(path, 'a size of at least "6m", such as "512m" or "2g"', text))
    return size


def _words(value: str | list[str] | None, path: Path, problems: list[Problem]) -> tuple[str, ...] | None:
    """A program and its arguments; text is split as a shell splits it, and nothing else of a shell is in it."""
    if not isinstance(value, str):
        return None if value is None else tuple(value)
    try:
        return tuple(shlex.split(value))
    except ValueError:
        problems.append(expected(path, _UNSPLIT, value))
        return ()


# -- services


def read_services(tables: list[ServiceTable], path: Path, problems: list[Problem]) -> tuple[Service, ...]:
    """The services at ``path``, in their order."""
    services = tuple(_service(table, (*path, index), problems) for index, table in enumerate(tables))
    seen: set[str] = set()
    for index, service in enumerate(services):
        for alias in service.aliases:
            if alias in seen:
                problems.append(Problem((*path, index, "alias"), f"more than one service is called {show(alias)}"))
            seen.add(alias)
    return services


def _service(table: ServiceTable, path: Path, problems: list[Problem]) -> Service:
    image = _image(table.image, (*path, "image"), problems)
    if table.entrypoint is not None:
        if image.entrypoint is not None:
            problems.append(Problem((*path, "entrypoint"), "is said twice: `image` has one too"))
        image = replace(image, entrypoint=_words(table.entrypoint, (*path, "entrypoint"), problems))
    for index, alias in enumerate(table.alias or ()):
        if not _HOST.fullmatch(alias):
            problems.append(expected((*path, "alias", index), "a host name", alias))
    return Service(
        image=image,
        aliases=tuple(table.alias or ()),
        command=_words(table.command, (*path, "command"), problems),
        variables=check_names(table.variables or {}, (*path, "variables"), problems),
        health=None if table.health is None else _health(table.health, (*path, "health"), problems),
        privileged=table.privileged,
    )


def _health(table: ServiceHealthTable, path: Path, problems: list[Problem]) -> Readiness:
    command = table.command
    if command is not None and not any(word.strip() for word in command):
        problems.append(Problem((*path, "command"), "is empty"))
    # text is for a shell, as in a HEALTHCHECK
    words = ("sh", "-c", command) if isinstance(command, str) else tuple(command or ())
    return Readiness(command=words, within=longer_than_zero(table.within, (*path, "within"), problems))


# -- building


def read_build(table: BuildTable, path: Path, problems: list[Problem]) -> Build:
    """The image that a job builds."""
    for key in ("context", "dockerfile"):
        place: str = getattr(table, key)
        if not place.strip() or place.startswith("/") or ".." in place.split("/"):
            what = "a directory below the repository's root" if key == "context" else "a path below the context"
            problems.append(expected((*path, key), what, place))
    check_filled(table, ("target",), path, problems)
    for index, tag in enumerate(table.tags):
        _check_image_name(tag, (*path, "tags", index), problems)
    return Build(
        context=table.context,
        dockerfile=table.dockerfile,
        target=table.target,
        args=check_names(table.args, (*path, "args"), problems),
        tags=tuple(table.tags),
        pull=table.pull,
    )


# -- together


def settled(job: Job, table: JobTable) -> Job:
    """``job`` without what only the defaults say of containers and what it has no use for."""
    said = table.model_fields_set
    if has_scanner(table):
        return replace(job, image=None, services=())
    if job.build is not None and "image" not in said:
        job = replace(job, image=None)  # it runs in what it builds
    if job.build is not None and not job.script and "services" not in said:
        return replace(job, services=())
    is_local = table.image is not None and table.image.name == LOCAL
    return replace(job, services=()) if is_local and "services" not in said else job


def check_containers(job: Job, table: JobTable, defaults: Settings, problems: list[Problem]) -> None:
    """Containers are where there is something to run in them, and services where a container can reach them."""
    path = ("jobs", job.group)
    if has_scanner(table):
        return
    if job.build is not None and not table.script:
        said = (key for key in ("image", "services") if getattr(table, key))
        problems.extend(Problem((*path, key), "there is no script that would run with it") for key in said)
    elif job.build is not None and table.image is not None and job.image is None:
        hint = "put the script into a job of its own that needs this one"
        problems.append(Problem((*path, "image"), "a job with `build` runs in a container", hint))
    elif job.build is None and job.services and job.image is None:
        here = path if "services" in table.model_fields_set else ("defaults",)
        problems.append(_unreachable((*here, "services"), job, defaults))


def _unreachable(path: Path, job: Job, defaults: Settings) -> Problem:
    said = "" if defaults.image is None else ", whatever the defaults say"
    message = f"the job {show(job.group)} has no `image`{said}, and a service is reached from a container only"
    return Problem(path, message, 'image = "..." runs the job in one')


def images(job: Job) -> Mapping[Path, Image]:
    """Every image that a job is started with, by where it stands below the job."""
    found: dict[Path, Image] = {("image", "name"): job.image} if job.image is not None else {}
    found.update({("services", index, "image", "name"): one.image for index, one in enumerate(job.services)})
    return found
