"""``hookci gc``: what is kept on disk within its bounds, and of what is on an engine nothing that nobody needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.engines import process_lives, this_host
from hookci.errors import HookciError
from hookci.git.environment import for_own_git
from hookci.housekeeping.gone import places, remove_gone
from hookci.housekeeping.needed import needed
from hookci.housekeeping.record import owner_of, write_record
from hookci.housekeeping.things import House
from hookci.housekeeping.tidy import tidy, would_tidy
from hookci.model.housekeeping import Bounds, Tidied
from hookci.session import Session
from hookci.workspace.artifacts import ArtifactStore
from hookci.workspace.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hookci.engine.calls import Engine
    from hookci.engine.leftovers import Swept
    from hookci.session import Machine

__all__ = ["ClearRequest", "clear", "clear_disk", "names_engine"]

_DAY = 86400.0


class ClearRequest(Struct, frozen=True, kw_only=True):
    """What a person asks for: bounds in bytes and days (None: those of the settings), only this repository or all.

    With ``dry_run`` nothing is removed.
    """

    size: int | None = None
    days: float | None = None
    everywhere: bool = False
    dry_run: bool = False

    def bounds(self, session: Session) -> Bounds:
        """The bounds for one repository."""
        settings = session.settings
        size = settings.keep_size if self.size is None else self.size
        return Bounds(size=size, age=_DAY * (settings.keep_days if self.days is None else self.days))


def clear_disk(machine: Machine, request: ClearRequest) -> list[Tidied]:
    """Clear away what is beyond the bounds: of this repository or of all, and of those that are gone.

    Raises:
        UsageError: there is no repository here.
        StateError: a directory is not private, or somebody else is just doing the same.
    """
    session = Session.open(machine)
    cleared = [_tidied(session, request)]
    home = machine.cache_home / "hookci"
    if request.everywhere:
        cleared += _others(machine, home, session.place, request)
    gone = remove_gone(home, request.bounds(session), machine.clock(), dry_run=request.dry_run)
    return [*cleared, gone] if gone.removed or gone.problems else cleared


def _tidied(session: Session, request: ClearRequest) -> Tidied:
    machine, house = session.machine, House(place=session.place, state=session.state)
    bounds, now = request.bounds(session), machine.clock()
    if request.dry_run:
        return would_tidy(house, needed(house.state, machine.clock), bounds, now)
    if house.place.is_dir():
        # what is left of a job that was killed still uses its workspace
        Slots(house.place, session.project).end_interrupted()
    tidied = tidy(house, needed(house.state, machine.clock), bounds, now)
    write_record(session.repository.common_dir, tidied, now)
    return tidied


def _others(machine: Machine, home: Path, own: Path, request: ClearRequest) -> Iterator[Tidied]:
    """The same of all other repositories that are there, each with its own settings."""
    for place in places(home):
        owner = owner_of(place)
        if place == own or owner is None or not owner.is_dir():
            continue
        try:
            there = Session.open(replace(machine, cwd=owner, env={**for_own_git(machine.env), "GIT_DIR": str(owner)}))
            if there.place == place:
                yield _tidied(there, request)
        except HookciError as error:
            yield Tidied(place=str(place), problems=(error.message,))


def names_engine(machine: Machine, wanted: str | None) -> bool:
    """Whether somebody has said which engine it is, so that one that is not there is an error."""
    said = wanted or Session.open(machine).settings.engine
    return bool(said or machine.env.get("DOCKER_HOST") or machine.env.get("DOCKER_CONTEXT"))


def clear(machine: Machine, wanted: str | None, *, dry_run: bool = False) -> tuple[Engine, Swept]:
    """Remove what killed runs left, kept workspaces, and images that no run or release names.

    Args:
        machine: where.
        wanted: the engine, None for the one that the settings say.
        dry_run: only look.

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
    swept = sweep(engine, None, host, process_lives, dry_run=dry_run)
    return engine, swept + remove_kept(engine, host, process_lives, _named(machine), dry_run=dry_run)


def _named(machine: Machine) -> Callable[[str, str], bool]:
    """Whether a run or a kept release of a repository names an image."""

    def named(repository: str, image: str) -> bool:
        runs = machine.cache_home / "hookci" / repository / "artifacts"
        releases = (machine.data_home / "hookci" / "releases" / repository).glob("*/*/artifacts")
        return any(image in ArtifactStore(place, machine.env).images() for place in (runs, *releases))

    return named
