"""What is on an engine: what hookci made there for a repository, and what others have there."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import NotFound
from images import BUSYBOX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Repo
    from docker import APIClient

__all__ = ["Bystanders", "left", "of_hookci", "things"]

_OF = "io.hookci.repository"
_KEPT = "io.hookci.kept"


@dataclass(frozen=True)
class Thing:
    """A container, network or volume."""

    kind: str
    name: str
    labels: dict[str, str] = field(hash=False, default_factory=dict)


def things(api: APIClient) -> Iterator[Thing]:
    """All that is on an engine; what goes while one looks may be missing."""
    for container in api.containers(all=True):
        yield Thing("container", container["Names"][0] if container["Names"] else container["Id"], container["Labels"])
    for network in api.networks():
        yield Thing("network", network["Name"], network["Labels"] or {})
    for volume in api.volumes()["Volumes"] or []:
        yield Thing("volume", volume["Name"], volume["Labels"] or {})


def of_hookci(api: APIClient, repo: Repo) -> list[Thing]:
    """What hookci made for the jobs of ``repo`` and did not remove."""
    # what a repository is called is also the name of the directory of its workspaces
    names = {path.name for path in Path(repo.env["HOME"], ".cache", "hookci").glob("*")}
    return [thing for thing in things(api) if thing.labels.get(_OF) in names and _KEPT not in thing.labels]


def left(api: APIClient, repo: Repo) -> list[str]:
    """The same in words, for assertions."""
    return [f"{thing.kind} {thing.name} {thing.labels}" for thing in of_hookci(api, repo)]


class Bystanders:
    """Things of another person's on the same engine, some of them with labels that are nearly hookci's."""

    def __init__(self, api: APIClient, name: str) -> None:
        self._api = api
        self._name = name
        labels = {"io.hookci": "no", "hookci": name, "com.example.repository": name}
        api.create_network(name, labels=labels)
        api.create_volume(name, labels=labels)
        host = api.create_host_config(binds=[f"{name}:/kept"], network_mode=name)
        made = api.create_container(BUSYBOX, ["sleep", "600"], labels=labels, host_config=host, name=name)
        self._container: str = made["Id"]
        api.start(self._container)

    def picture(self) -> dict[str, Any]:
        """All that would show that somebody touched them."""
        container = self._api.inspect_container(self._container)
        network = self._api.inspect_network(self._name)
        volume = self._api.inspect_volume(self._name)
        return {"container": container["State"], "network": network["Containers"], "volume": volume}

    def remove(self) -> None:
        """Take them away again."""
        with contextlib.suppress(NotFound):
            self._api.remove_container(self._container, force=True, v=True)
        with contextlib.suppress(NotFound):
            self._api.remove_network(self._name)
        with contextlib.suppress(NotFound):
            self._api.remove_volume(self._name)
