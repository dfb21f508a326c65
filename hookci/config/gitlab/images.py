"""The image a job runs in, and the services beside it.

Source: GitLab CI/CD YAML reference, "image" and "services"; "Services": several aliases stand in one text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.config.gitlab.shapes import choices, table, text, texts
from hookci.config.gitlab.variables import read_variables
from hookci.config.words import show
from hookci.model.container import Image, Pull, Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path

__all__ = ["read_image", "read_services"]

_IMAGE = ("name", "entrypoint", "pull_policy", "docker", "kubernetes")
_SERVICE = (*_IMAGE, "alias", "command", "variables")


def read_image(value: object, path: Path, ledger: Ledger) -> Image | None:
    """``image``: a name, or a hash with one; variables in it are for later."""
    if isinstance(value, dict):
        return _image(table(value, path, ledger, _IMAGE), path, ledger)
    if isinstance(value, str):
        name = text(value, path, ledger)
        return Image(name=name) if name else None
    ledger.problem(path, f"config should be a hash or a string, saw {show(value)}")
    return None


def read_services(value: object, path: Path, ledger: Ledger) -> tuple[Service, ...]:
    """``services``: names, or hashes with one."""
    if not isinstance(value, list):
        ledger.problem(path, f"config should be an array, saw {show(value)}")
        return ()
    found = (_service(item, (*path, index), ledger) for index, item in enumerate(value))
    return tuple(service for service in found if service is not None)


def _image(said: Mapping[str, object], path: Path, ledger: Ledger) -> Image | None:
    name = text(said.get("name", ""), (*path, "name"), ledger)
    docker = table(said.get("docker", {}), (*path, "docker"), ledger, ("platform", "user"))
    pull = choices(said["pull_policy"], Pull, (*path, "pull_policy"), ledger) if "pull_policy" in said else ()
    entrypoint = texts(said["entrypoint"], (*path, "entrypoint"), ledger) if "entrypoint" in said else None
    user, platform = (
        text(str(docker[key]), (*path, "docker", key), ledger) if key in docker else None
        for key in ("user", "platform")
    )
    if name is None:
        return None
    return Image(name=name, entrypoint=entrypoint, pull=pull or Image(name=name).pull, user=user, platform=platform)


def _service(value: object, path: Path, ledger: Ledger) -> Service | None:
    if isinstance(value, str):
        name = text(value, path, ledger)
        return Service(image=Image(name=name)) if name else None
    if not isinstance(value, dict):
        ledger.problem(path, f"config should be a hash or a string, saw {show(value)}")
        return None
    said = table(value, path, ledger, _SERVICE)
    image = _image(said, path, ledger)
    alias = text(said["alias"], (*path, "alias"), ledger) if "alias" in said else None
    command = texts(said["command"], (*path, "command"), ledger) if "command" in said else None
    variables = read_variables(said.get("variables", {}), (*path, "variables"), ledger)
    if image is None:
        return None
    aliases = tuple(filter(None, re.split(r"[\s,]+", alias or "")))
    return Service(image=image, aliases=aliases, command=command, variables=variables.values)
