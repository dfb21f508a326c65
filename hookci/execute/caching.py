"""Which caches a job has: their keys with variables and file digests filled in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from hookci.errors import HookciError
from hookci.execute.environment import expand
from hookci.model.globs import matcher
from hookci.workspace.cache import CachePlace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.model.pipeline import Cache, Job

__all__ = ["cache_places"]


def cache_places(
    job: Job, environment: Mapping[str, str], blobs: Callable[[], Mapping[str, str]]
) -> list[tuple[Cache, CachePlace]]:
    """Each path of each cache of ``job``, with what it is stored under.

    Args:
        job: the job.
        environment: what ``$VARIABLES`` in keys and paths stand for.
        blobs: lists the snapshot's paths with mode and object name; called only when a key depends on files.

    Raises:
        HookciError: a path leads out of the workspace once its variables are filled in.
    """
    return [(cache, place) for cache in job.cache for place in _places(job, cache, environment, blobs)]


def _places(
    job: Job, cache: Cache, environment: Mapping[str, str], blobs: Callable[[], Mapping[str, str]]
) -> list[CachePlace]:
    key = expand(cache.key, environment)
    if cache.key_files:
        tests = [matcher(pattern) for pattern in cache.key_files]
        rows = sorted(f"{path}\0{found}" for path, found in blobs().items() if any(test(path) for test in tests))
        key += "-" + hashlib.sha256("\n".join(rows).encode(errors="surrogateescape")).hexdigest()[:24]
    return [CachePlace(key, _inside(job, expand(path, environment))) for path in cache.paths]


def _inside(job: Job, path: str) -> str:
    """A path that has its variables in it, and must still be one below the workspace."""
    if path.startswith("/") or ".." in path.split("/") or not path.strip("./"):
        raise HookciError(f"job `{job.name}` caches `{path}`, which is not below the repository's root")
    return path
