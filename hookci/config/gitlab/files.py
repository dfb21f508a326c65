"""Files that jobs hand on: artifacts with their reports, and caches.

Source: GitLab CI/CD YAML reference, "artifacts", "artifacts:reports", "cache".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.config.gitlab.inert import check_artifacts, check_reports
from hookci.config.gitlab.keywords import EXECUTED, WITHOUT_EFFECT, words
from hookci.config.gitlab.shapes import as_list, flag, ruby_text, table, texts
from hookci.config.words import did_you_mean, show
from hookci.model.pipeline import Artifacts, Cache, CachePolicy, When
from hookci.model.scan import GITLAB, Scan, WrittenReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path

__all__ = ["HandedOn", "read_artifacts", "read_caches"]

_ARTIFACTS = words("access exclude expire_in expose_as name paths public reports untracked when")
_CACHE = words("key paths policy when untracked unprotect fallback_keys")
_REPORTS = [
    word.removeprefix("artifacts.reports.")
    for word in (*EXECUTED, *WITHOUT_EFFECT)
    if word.startswith("artifacts.reports.")
]
_OF_FINDINGS = words("codequality sast sarif secret_detection dependency_scanning container_scanning")
_READ = {"dotenv", "junit", *_OF_FINDINGS}
_WHEN = ("on_success", "on_failure", "always")
_MOST_CACHES = 4
_MOST_KEY_FILES = 10
_MOST_FALLBACKS = 5


class HandedOn(Struct, frozen=True):
    """What ``artifacts`` says: the files for later jobs, and the reports of tests and findings."""

    artifacts: Artifacts = field(default_factory=Artifacts)
    junit: tuple[str, ...] = ()
    scan: Scan | None = None


def read_artifacts(value: object, path: Path, ledger: Ledger) -> HandedOn:
    """``artifacts``, with the reports that are read here: variables for later jobs, results of tests, findings."""
    said = table(value, path, ledger, _ARTIFACTS)
    below = (*path, "reports")
    reports = table(said.get("reports", {}), below, ledger, _REPORTS)
    written = tuple(
        WrittenReport(kind, glob) for kind in _OF_FINDINGS for glob in _texts(reports, kind, below, ledger, single=True)
    )
    artifacts = Artifacts(
        paths=_texts(said, "paths", path, ledger),
        exclude=_texts(said, "exclude", path, ledger),
        when=_when(said, path, ledger),
        untracked=_flag(said, "untracked", path, ledger),
        dotenv=_texts(reports, "dotenv", below, ledger, single=True),
    )
    junit = _texts(reports, "junit", below, ledger, single=True)
    check_artifacts(said, path, ledger)
    check_reports({name: item for name, item in reports.items() if name not in _READ}, below, ledger)
    return HandedOn(artifacts, junit, Scan(tool=GITLAB, written=written) if written else None)


def read_caches(value: object, path: Path, ledger: Ledger) -> tuple[Cache, ...]:
    """``cache``: one, or up to four of them; one of no files is none."""
    several = isinstance(value, list)
    items = as_list(value)
    if len(items) > _MOST_CACHES:
        ledger.problem(path, f"caches config no more than {_MOST_CACHES} caches can be created, saw {len(items)}")
    found = [_cache(item, (*path, index) if several else path, ledger) for index, item in enumerate(items)]
    return tuple(cache for cache in found if cache.paths or cache.untracked)


def _cache(value: object, path: Path, ledger: Ledger) -> Cache:
    said = table(value, path, ledger, _CACHE)
    key, files = _key(said["key"], (*path, "key"), ledger) if "key" in said else ("default", ())
    policy, policy_from = _policy(said.get("policy", "pull-push"), (*path, "policy"), ledger)
    _flag(said, "unprotect", path, ledger)
    fallbacks = _texts(said, "fallback_keys", path, ledger)
    if len(fallbacks) > _MOST_FALLBACKS:
        ledger.problem((*path, "fallback_keys"), f"has too many entries (maximum {_MOST_FALLBACKS})")
    return Cache(
        paths=_texts(said, "paths", path, ledger),
        key=key,
        key_files=files,
        policy=policy,
        when=_when(said, path, ledger),
        fallback_keys=fallbacks,
        untracked=_flag(said, "untracked", path, ledger),
        policy_from=policy_from,
    )


def _key(value: object, path: Path, ledger: Ledger) -> tuple[str, tuple[str, ...]]:
    """The text of a key (what stands before the digest of files, if it has any) and those files."""
    if not isinstance(value, dict):
        key = ruby_text(value)
        if not key:
            ledger.problem(path, f"key should be a hash, a string or a symbol, saw {show(value)}")
        elif "/" in key or "%2f" in key.lower() or not key.strip("."):
            ledger.problem(path, 'key cannot contain the "/" character, or be "." or ".."')
        return key or "default", ()
    said = table(value, path, ledger, ("files", "files_commits", "prefix"))
    files = _texts(said, "files", path, ledger)
    if not files and "files_commits" not in said:
        ledger.problem((*path, "files"), "files config must have at least 1 file" if "files" in said else "is missing")
    elif len(files) > _MOST_KEY_FILES:
        ledger.problem((*path, "files"), f"files config has too many items (maximum is {_MOST_KEY_FILES})")
    return ruby_text(said.get("prefix", "")) or "", files


def _policy(value: object, path: Path, ledger: Ledger) -> tuple[CachePolicy, str | None]:
    words = [policy.value for policy in CachePolicy]
    if isinstance(value, str) and value in words:
        return CachePolicy(value), None
    if isinstance(value, str) and value.startswith("$"):
        return CachePolicy.PULL_PUSH, value
    hint = did_you_mean(value, words) if isinstance(value, str) else None
    ledger.problem(path, f"policy should be a variable or one of: {', '.join(words)}, saw {show(value)}", hint)
    return CachePolicy.PULL_PUSH, None


def _texts(
    said: Mapping[str, object], key: str, path: Path, ledger: Ledger, *, single: bool = False
) -> tuple[str, ...]:
    return texts(said[key], (*path, key), ledger, single=single) if key in said else ()


def _flag(said: Mapping[str, object], key: str, path: Path, ledger: Ledger) -> bool:
    return bool(flag(said[key], (*path, key), ledger)) if key in said else False


def _when(said: Mapping[str, object], path: Path, ledger: Ledger) -> When:
    value = said.get("when", "on_success")
    if isinstance(value, str) and value in _WHEN:
        return When(value)
    ledger.problem((*path, "when"), f"should be one of: {', '.join(_WHEN)}, saw {show(value)}")
    return When.ON_SUCCESS
