"""What killed runs left on an engine, and what was kept there: found by its labels, and removed.

Source: Docker Engine API 1.41, the ``filters`` of the lists of containers, networks, volumes and images.  Nothing
without our labels is ever looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from hookci.engine.calls import EngineError, EngineGoneError
from hookci.engine.owner import KEPT, LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from docker import APIClient

    from hookci.engine.calls import Engine

__all__ = ["Swept", "remove_kept", "sweep"]

_BUILT = ("hookci/", "localhost/hookci/")
"""What the tags begin with that are ours: each image that a job builds gets one.  Podman says where they are, too."""


class Swept(Struct, frozen=True):
    """The names of what was removed."""

    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    def __add__(self, other: Swept) -> Swept:
        """Both."""
        return Swept(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


def sweep(
    engine: Engine, repository: str | None, host: str, alive: Callable[[str], bool], *, dry_run: bool = False
) -> Swept:
    """Remove the containers, networks and volumes of processes of this machine that are no more.

    Volumes that may outlive their run (the label `KEPT`) stay.  What somebody else removes meanwhile is no error.

    Args:
        engine: where.
        repository: only of this one, None for all.
        host: how this machine is named in labels.
        alive: whether a process that a label names still runs.
        dry_run: only say what would be removed.

    Raises:
        EngineGoneError: the engine does not answer.
    """

    def dead(labels: Mapping[str, str]) -> bool:
        # a container has the labels of its image too: what a person starts from one that a job built has no process
        process = labels.get(f"{LABEL}process")
        return process is not None and not alive(process)

    found = _Found(engine, _filters(host, repository), dry_run)
    # a network or volume is in use for as long as there is a container at it
    return Swept(
        containers=found.remove("container", found.containers(), dead),
        networks=found.remove("network", found.networks(), dead),
        volumes=found.remove("volume", found.volumes(), lambda labels: KEPT not in labels and dead(labels)),
    )


def remove_kept(
    engine: Engine,
    host: str,
    alive: Callable[[str], bool],
    named: Callable[[str, str], bool],
    *,
    dry_run: bool = False,
) -> Swept:
    """Remove what may outlive its run and nobody needs: kept workspaces, and images no run or release names.

    Workspaces of a repository that has a run at the moment stay.  An image loses the tag of ours; it goes with it
    unless a person has given it one too.

    Args:
        engine: where.
        host: how this machine is named in labels.
        alive: whether a process that a label names still runs.
        named: whether an image, by id, is still named by a run or release of a repository.
        dry_run: only say what would be removed.

    Raises:
        EngineGoneError: the engine does not answer.
    """
    found = _Found(engine, _filters(host))
    running = (*found.containers(), *found.networks(), *found.volumes())
    busy = {each.repository for each in running if alive(each.labels.get(f"{LABEL}process", ""))}
    kept = _Found(engine, {**_filters(host), KEPT: None}, dry_run)
    return Swept(
        volumes=kept.remove("volume", (each for each in kept.volumes() if each.repository not in busy)),
        images=kept.remove("image", (each for each in kept.images() if not named(each.repository, each.id))),
    )


def _filters(host: str, repository: str | None = None) -> dict[str, str | None]:
    of_repository = {f"{LABEL}repository": repository} if repository is not None else {}
    return {f"{LABEL}host": host, **of_repository}


class _Thing(Struct, frozen=True):
    """Something of ours on an engine: what to call it by, and its labels; ``id`` is that of an image."""

    name: str
    labels: Mapping[str, str]
    id: str = ""

    @property
    def repository(self) -> str:
        return self.labels.get(f"{LABEL}repository", "")


class _Found(Struct, frozen=True):
    """What carries all of some labels; a value of None stands for any."""

    engine: Engine
    labels: Mapping[str, str | None]
    dry_run: bool = False

    @property
    def _filter(self) -> dict[str, list[str]]:
        return {"label": [name if value is None else f"{name}={value}" for name, value in self.labels.items()]}

    def _of(self, things: Iterable[_Thing]) -> list[_Thing]:
        # Podman lists volumes that have any of the labels, and what is not ours must never be on the list
        return [thing for thing in things if all(_has(thing.labels, *label) for label in self.labels.items())]

    def containers(self) -> list[_Thing]:
        with self.engine.calling("list containers") as api:
            return self._of(_thing(each, "Id") for each in api.containers(all=True, filters=self._filter))

    def networks(self) -> list[_Thing]:
        with self.engine.calling("list networks") as api:
            return self._of(_thing(each, "Id") for each in api.networks(filters=self._filter))

    def volumes(self) -> list[_Thing]:
        with self.engine.calling("list volumes") as api:
            return self._of(_thing(each, "Name") for each in api.volumes(filters=self._filter)["Volumes"] or ())

    def images(self) -> list[_Thing]:
        """One for each tag of ours; what has none has been taken over by somebody."""
        with self.engine.calling("list images") as api:
            images = api.images(filters=self._filter)
        return self._of(
            _Thing(tag, image.get("Labels") or {}, image["Id"])
            for image in images
            for tag in image.get("RepoTags") or ()
            if tag.startswith(_BUILT)
        )

    def remove(
        self, kind: str, things: Iterable[_Thing], wanted: Callable[[Mapping[str, str]], bool] = lambda _labels: True
    ) -> tuple[str, ...]:
        return tuple(thing.name for thing in things if wanted(thing.labels) and self._removed(kind, thing.name))

    def _removed(self, kind: str, name: str) -> bool:
        if self.dry_run:
            return True
        try:
            with self.engine.calling(f"remove a {kind}") as api:
                _remove(api, kind, name)
        except EngineGoneError:
            raise
        except EngineError:
            # gone already, or in use
            return False
        return True


def _has(labels: Mapping[str, str], name: str, value: str | None) -> bool:
    return name in labels and value in {None, labels[name]}


def _thing(each: Mapping[str, Any], name: str) -> _Thing:
    return _Thing(each[name], each.get("Labels") or {})


def _remove(api: APIClient, kind: str, name: str) -> None:
    if kind == "container":
        api.remove_container(name, v=True, force=True)
    elif kind == "network":
        api.remove_network(name)
    elif kind == "volume":
        api.remove_volume(name)
    else:
        api.remove_image(name)
