"""Which caches a job has: their keys with variables and file digests filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.errors import HookciError
from hookci.execute.environment import expand
from hookci.execute.handing import inside
from hookci.model.digests import sha256
from hookci.model.globs import matcher
from hookci.model.pipeline import CachePolicy
from hookci.workspace.cache import UNTRACKED, CachePlace

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
        HookciError: a path of a hookci.toml leads out of the workspace, or a policy is none, once variables are filled
            in.  (GitLab leaves such paths out.)
    """
    caches = [_with_policy(job, cache, environment) for cache in job.cache]
    return [
        (cache, place)
        for number, cache in enumerate(caches)
        for place in _places(job, number, cache, environment, blobs)
    ]


def _with_policy(job: Job, cache: Cache, environment: Mapping[str, str]) -> Cache:
    if cache.policy_from is None:
        return cache
    text = expand(cache.policy_from, environment, gitlab=job.gitlab)
    if text not in set(CachePolicy):
        known = ", ".join(CachePolicy)
        raise HookciError(f"job `{job.name}`: the policy of its cache is `{text}`", f"policies: {known}")
    return replace(cache, policy=CachePolicy(text))


def _places(
    job: Job, number: int, cache: Cache, environment: Mapping[str, str], blobs: Callable[[], Mapping[str, str]]
) -> list[CachePlace]:
    key, fallbacks = _key(job, number, cache, environment, blobs), _fallbacks(job, cache, environment)
    paths = [expand(path, environment, gitlab=job.gitlab) for path in cache.paths]
    untracked = [UNTRACKED] if cache.untracked else []
    if not job.gitlab:
        return [CachePlace(key, _inside(job, path, environment), fallbacks) for path in paths]
    known = [path.rstrip("/") for path in (inside(path, environment) for path in paths) if path is not None]
    known = [path for path in known if path.partition("/")[0] != ".git"]
    # tracked files win over cached ones, so the rest is all there is of the whole project
    patterns = dict.fromkeys([*(UNTRACKED if path == "." else path for path in known), *untracked])
    return [CachePlace(key, pattern, fallbacks, tuple(patterns)) for pattern in patterns]


def _key(
    job: Job, number: int, cache: Cache, environment: Mapping[str, str], blobs: Callable[[], Mapping[str, str]]
) -> str:
    """The key; with ``files`` and no prefix, the one of several caches of a job has its number for one.

    Source: GitLab CI/CD YAML reference, "cache:key:files", "cache:key:prefix"; of its code ``Seed::Build::Cache``.
    """
    key = expand(cache.key, environment, gitlab=job.gitlab)
    if not cache.key_files:
        return key
    tests = [matcher(pattern) for pattern in cache.key_files]
    rows = sorted(f"{path}\0{found}" for path, found in blobs().items() if any(test(path) for test in tests))
    if job.gitlab and not key and number:
        key = str(number)
    if job.gitlab and not rows:
        return f"{key}-default" if key else "default"
    return key + "-" + sha256("\n".join(rows).encode(errors="surrogateescape")).hexdigest()[:24]


def _fallbacks(job: Job, cache: Cache, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The keys that are tried in turn, last the one for all caches (GitLab, "Use a fallback cache key")."""
    texts = [*cache.fallback_keys, *(["$CACHE_FALLBACK_KEY"] if job.gitlab else [])]
    keys = (expand(text, environment, gitlab=job.gitlab) for text in texts)
    return tuple(key for key in keys if key)


def _inside(job: Job, path: str, environment: Mapping[str, str]) -> str:
    """A path that has its variables in it, and must still be one below the workspace."""
    top = environment.get("CI_PROJECT_DIR", "")
    path = path.removeprefix(f"{top}/") if top else path
    if path.startswith("/") or ".." in path.split("/") or not path.strip("./"):
        raise HookciError(f"job `{job.name}` caches `{path}`, which is not below the repository's root")
    return path
