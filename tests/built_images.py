"""The images that the jobs of a test's repository have built."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from images import BUSYBOX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Repo

    from hookci.engine.calls import Engine

__all__ = ["RECIPE", "built", "retagged", "swept"]

RECIPE = f"FROM {BUSYBOX}\nARG WHO=nobody\nCOPY word /word\nRUN echo $WHO >/who\n"
"""A Dockerfile that needs a file ``word``."""


def built(repo: Repo, engine: Engine) -> list[dict[str, Any]]:
    """What the engine says of each image of a repository."""
    end = "-" + hashlib.sha256(os.fsencode((repo.path / ".git").resolve())).hexdigest()[:10]
    found = engine.api.images(filters={"label": "io.hookci.kept"})
    return [image for image in found if image["Labels"].get("io.hookci.repository", "").endswith(end)]


@contextmanager
def swept(repo: Repo, engine: Engine) -> Iterator[Repo]:
    """``repo``; what its jobs have built is removed afterwards."""
    try:
        yield repo
    finally:
        for image in built(repo, engine):
            engine.api.remove_image(image["Id"], force=True)


@contextmanager
def retagged(engine: Engine, name: str, image: str) -> Iterator[str]:
    """Another name of an image, that can be moved to others; it is gone afterwards."""
    repository, _, tag = name.partition(":")
    engine.api.tag(image, repository, tag)
    try:
        yield name
    finally:
        engine.api.remove_image(name, force=True, noprune=True)
