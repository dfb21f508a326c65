"""The private network of one job, and what the services in it are called."""

from __future__ import annotations

import contextlib
import re
import secrets
from typing import TYPE_CHECKING

from hookci.engine.calls import EngineError
from hookci.errors import HookciError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.engine.calls import Engine
    from hookci.engine.owner import Owner
    from hookci.model.container import Service

__all__ = ["create_network", "host_names", "remove_network"]

_LONGEST = 253
_HOST_NAME = re.compile(
    r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
)
"""RFC 1123, and the underscore, which the engine's name server answers for too (GitLab's own names have it)."""


def create_network(engine: Engine, owner: Owner) -> str:
    """Make a bridge network that only the containers of one job are in; its id.

    Raises:
        EngineError: the engine refused, for instance because it has no addresses left.
    """
    name = f"hookci-{secrets.token_hex(8)}"
    try:
        with engine.calling("make a network") as api:
            made: str = api.create_network(name, driver="bridge", labels=owner.labels("network"))["Id"]
    except EngineError as error:
        if "address pool" not in error.message:
            raise
        raise EngineError(error.message, "remove networks nobody uses: `hookci gc`, `docker network prune`") from error
    return made


def remove_network(engine: Engine, network: str) -> None:
    """Remove a network that no container is in any more; what cannot be removed has a label to be found by later."""
    with contextlib.suppress(EngineError), engine.calling("remove the network") as api:
        api.remove_network(network)


def host_names(services: Sequence[Service]) -> list[tuple[str, ...]]:
    """What each service is called in the network of its job.

    As on a GitLab runner (GitLab, "Services", accessing the services) these are the names made from its image's, and
    then its aliases.  An alias that two services have leads to both, as in docker; a name made from an image's leads to
    the first that has it.

    Raises:
        HookciError: an alias is no host name.
    """
    taken = {alias for service in services for alias in _aliases(service)}
    found = []
    for service in services:
        made = [name for name in _names_of(service) if name not in taken]
        taken.update(made)
        found.append((*dict.fromkeys([*service.aliases, *made]),))
    return found


def _aliases(service: Service) -> tuple[str, ...]:
    for alias in service.aliases:
        if not _is_host_name(alias):
            raise HookciError(
                f"service `{service.image.name}`: the alias `{alias}` is no host name",
                "take letters, digits, `-` and `.`, such as `db`",
            )
    return service.aliases


def _names_of(service: Service) -> list[str]:
    """``registry.example.com:5000/org/name:1`` is ``registry.example.com__org__name``, and the same with ``-``."""
    image = service.image.builder or service.image.name
    path = re.sub(r":[^/]*$", "", image.partition("@")[0])
    path = re.sub(r"^([^/]*):\d+/", r"\1/", path)
    return [name for name in (path.replace("/", "__"), path.replace("/", "-")) if _is_host_name(name)]


def _is_host_name(name: str) -> bool:
    return len(name) <= _LONGEST and _HOST_NAME.fullmatch(name) is not None
