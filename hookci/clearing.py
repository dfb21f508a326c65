"""``hookci gc``: what hookci left on an engine, of all repositories of this user, and needs no more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hookci.engines import process_lives, this_host
from hookci.session import Session
from hookci.workspace.artifacts import ArtifactStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookci.engine.calls import Engine
    from hookci.engine.leftovers import Swept
    from hookci.session import Machine

__all__ = ["clear"]


def clear(machine: Machine, wanted: str | None) -> tuple[Engine, Swept]:
    """Remove what killed runs left, kept workspaces, and images that no run or release names.

    Args:
        machine: where.
        wanted: the engine, None for the one that the settings say.

    Returns:
        The engine and what was removed there.

    Raises:
        UsageError: there is no repository here.
        EngineGoneError: the engine cannot be reached.
    """
    from hookci.engine.connect import connect  # noqa: PLC0415 (only with an engine)
    from hookci.engine.endpoints import find_endpoints  # noqa: PLC0415 (the same)
    from hookci.engine.leftovers import remove_kept, sweep  # noqa: PLC0415 (the same)

    env = machine.env
    wanted = wanted or Session.open(machine).settings.engine
    engine = connect(find_endpoints(wanted, env, Path(env.get("HOME", "/"))))
    host = this_host(machine.cache_home)
    swept = sweep(engine, None, host, process_lives)
    return engine, swept + remove_kept(engine, host, process_lives, _named(machine))


def _named(machine: Machine) -> Callable[[str, str], bool]:
    """Whether a run or a kept release of a repository names an image."""

    def named(repository: str, image: str) -> bool:
        runs = machine.cache_home / "hookci" / repository / "artifacts"
        releases = (machine.data_home / "hookci" / "releases" / repository).glob("*/*/artifacts")
        return any(image in ArtifactStore(place, machine.env).images() for place in (runs, *releases))

    return named
