"""How a call of hookci comes to its engine, and what the containers of a run share."""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from hookci.engine.containers import Bind
from hookci.engine.desk import EngineDesk, beside
from hookci.engine.owner import Owner
from hookci.errors import HookciError
from hookci.execute.rooms import Allowed, Rooms
from hookci.model.container import Image
from hookci.store.identity import ProcessIdentity, identify, is_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.config.settings import Settings
    from hookci.engine.calls import Engine
    from hookci.execute.context import RunContext
    from hookci.execute.place import Place
    from hookci.model.plan import PlannedJob
    from hookci.workspace.slot import Slot

__all__ = ["engine_desk", "engine_kind", "image_id", "owner_of", "places", "rooms", "this_host"]

_MACHINE_ID = Path("/etc/machine-id")
_SOON = 0.15
"""Seconds until what killed runs left is cleared away: the first jobs of this one come first."""


def engine_desk(wanted: str | None, env: Mapping[str, str], repository: str, host: str) -> EngineDesk:
    """Reaches the engine when it is first asked for, and clears away what killed runs left there.

    Args:
        wanted: the engine that a person or this clone's settings name, None for the usual one.
        env: the user's environment.
        repository: how the repository is named in labels.
        host: how this machine is.
    """
    return EngineDesk(functools.partial(_reach, wanted, env, repository, host))


def _reach(wanted: str | None, env: Mapping[str, str], repository: str, host: str) -> Engine:
    from hookci.engine.endpoints import find_endpoints  # noqa: PLC0415 (only with an engine)
    from hookci.engine.greeting import greet_first  # noqa: PLC0415 (the same)

    endpoints = find_endpoints(wanted, env, Path(env.get("HOME", "/")))
    greeting = greet_first(endpoints)
    from hookci.engine.loading import load  # noqa: PLC0415 (only with an engine)

    load(encrypted=any(endpoint.tls is not None for endpoint in endpoints))
    from hookci.engine.connect import connect  # noqa: PLC0415 (it takes longer to load than an engine to answer)

    engine = connect(endpoints, greeting)
    beside(functools.partial(_sweep, engine, repository, host), after=_SOON)
    return engine


def _sweep(engine: Engine, repository: str, host: str) -> None:
    from hookci.engine.leftovers import sweep  # noqa: PLC0415 (when the first jobs have what they need)

    sweep(engine, repository, host, process_lives)


def image_id(desk: EngineDesk, name: str, platform: str | None) -> str:
    """The id of an image on the engine; empty when it has none such, or cannot be asked."""
    try:
        return desk.images.peek(Image(name=name, platform=platform)) or ""
    except HookciError:
        return ""


def engine_kind(desk: EngineDesk) -> str:
    """On what the engine's containers run; empty when it cannot be asked."""
    try:
        return desk.engine.kind
    except HookciError:
        return ""


def this_host(cache_home: Path) -> str:
    """A name for this user on this machine that no other one has (machine-id(5)); the same after it was started again.

    Whoever has another ``cache_home`` has other repositories' workspaces and artifacts, and cannot say what is needed.
    Whose processes one cannot see, in another PID namespace (namespaces(7)) or of another user (proc(5), ``hidepid``),
    would all look dead: they are somewhere else.
    """
    try:
        machine = _MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        machine = ""
    try:
        processes = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        processes = ""
    name = f"{machine} {os.uname().nodename} {os.getuid()} {processes} {cache_home}"
    return hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:16]


def process_lives(label: str) -> bool:
    """Whether the process that a label names still runs on this machine."""
    pid, _, start = label.partition(":")
    return pid.isdecimal() and is_alive(ProcessIdentity(int(pid), start))


def owner_of(repository: str, run: int, *, pid: int, host: str) -> Owner:
    """Whose the containers of a run are, which the process ``pid`` makes."""
    me = identify(pid) or ProcessIdentity(pid, "unknown")
    return Owner(repository=repository, run=run, process=f"{me.pid}:{me.start}", host=host)


def rooms(desk: EngineDesk, settings: Settings, owner: Owner) -> Rooms:
    """What the containers of one run share."""
    mounts = [Bind(mount.source, mount.target, mount.read_only) for mount in settings.mounts]
    allowed = Allowed(privileged=settings.privileged, socket=settings.socket, mounts=mounts)
    return Rooms(desk=desk, owner=owner, allowed=allowed)


def places(
    rooms: Rooms, local: Callable[[RunContext, PlannedJob, Slot], Place]
) -> Callable[[RunContext, PlannedJob, Slot], Place]:
    """Where each job's commands run: in a container if it has an image, else where ``local`` says."""

    def place(context: RunContext, planned: PlannedJob, slot: Slot) -> Place:
        if not planned.job.contained:
            return local(context, planned, slot)
        from hookci.execute.contained import ContainerPlace  # noqa: PLC0415 (only with an engine)

        def inside(planned: PlannedJob) -> Place:
            return ContainerPlace(rooms, context, planned, slot)

        if planned.job.build is None:
            return inside(planned)
        from hookci.execute.building import BuildingPlace  # noqa: PLC0415 (only for images)

        return BuildingPlace(rooms, context, planned, slot, inside)

    return place
