"""Caches: files that a job hands to its own next run, stored once per key and path, or as on GitLab once per key."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.digests import sha256
from hookci.store.locks import FileLock
from hookci.workspace.copy import copy_paths, expand, mentions, relocate, signature, untracked
from hookci.workspace.listing import parents
from hookci.workspace.sweep import remove

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["UNTRACKED", "CachePlace", "CacheStore"]

UNTRACKED = ""
"""The pattern that means every file which git does not track."""


class CachePlace(Struct, frozen=True):
    """One path (or glob) under one key: the smallest thing that is stored and restored.

    Where nothing is stored under ``key``, the first of ``fallbacks`` that something is stored under answers for it.
    ``together`` are all paths of a cache of GitLab's: they are stored as one, which takes the place of what is stored
    under the key, whatever its paths, and all of that is restored (GitLab CI/CD YAML reference, "cache:key": "All jobs
    that use the same cache key use the same cache, including in different pipelines").
    """

    key: str
    pattern: str
    fallbacks: tuple[str, ...] = ()
    together: tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """All that is stored with it."""
        return self.together or (self.pattern,)

    @property
    def identity(self) -> str:
        """The name it is stored under."""
        text = f"{self.key}\0\0" if self.together else f"{self.key}\0{self.pattern}"
        return sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]

    @property
    def choices(self) -> list[CachePlace]:
        """Where it may be restored from, best first."""
        return [CachePlace(key, self.pattern, (), self.together) for key in (self.key, *self.fallbacks)]


class CacheStore(Struct, frozen=True):
    """The caches of one repository, below ``directory``.

    A slot keeps a record of what was put where, with a signature of the files.  What is still exactly
    that may stay in place for the next job; anything else is removed and copied from the store again,
    so a job that failed half way, or wrote into a cache it may only pull, leaves nothing behind.
    """

    directory: Path
    env: Mapping[str, str]

    def has(self, place: CachePlace) -> bool:
        """Whether something is stored for ``place``, with the same paths."""
        meta = self._meta(place)
        return meta is not None and (not place.together or meta.patterns == place.together)

    def in_place(self, slot: Path, files: bytes, places: list[CachePlace]) -> set[bytes]:
        """The paths below ``files`` that are exactly what a restore would put there."""
        record = _read(slot / "caches.json") if places else {}
        kept: set[bytes] = set()
        for place in self._answering(places):
            meta = self._meta(place)
            if meta and (now := meta.record(files)) and record.get(place.identity) == now:
                kept.update(meta.paths)
        return kept

    def restore(self, slot: Path, files: bytes, workspace: bytes, places: list[CachePlace]) -> set[bytes]:
        """Put what is stored below ``files``, but for what is in place, and say which paths were put there.

        ``workspace`` is what jobs call the directory.
        """
        before = _read(slot / "caches.json")
        record: dict[str, object] = {}
        put: set[bytes] = set()
        for place in self._answering(places):
            with self._lock(place):
                meta = self._meta(place)
                if meta is None:
                    continue
                now = meta.record(files)
                # asked again: the files may be gone with the whole checkout, the store may have moved on
                if not now or before.get(place.identity) != now:
                    data = os.fsencode(self._entry(place) / meta.generation)
                    copy_paths(data, meta.paths, files, env=self.env)
                    relocate(files, meta.relocate, meta.origin, workspace)
                    now = meta.record(files)
                    put.update(meta.paths)
                record[place.identity] = now
        if record != before:
            _write(slot / "caches.json", record)
        return put

    def _answering(self, places: Iterable[CachePlace]) -> list[CachePlace]:
        """The places that ``places`` are restored from."""
        found: dict[str, CachePlace] = {}
        for place in places:
            answer = next((choice for choice in place.choices if self._meta(choice)), place.choices[0])
            found.setdefault(answer.identity, answer)
        return list(found.values())

    def save(
        self,
        slot: Path,
        files: bytes,
        workspace: bytes,
        places: list[CachePlace],
        tracked: Callable[[], Collection[str]] = tuple,
    ) -> list[CachePlace]:
        """Store what is at ``places`` below ``files``, unless it is what was restored; say what was stored.

        ``workspace`` is what jobs call the directory; ``tracked`` lists what git knows of it, for `UNTRACKED`.
        """
        record = _read(slot / "caches.json") if places else {}
        stored = []
        for place in {(place.identity, place.patterns): place for place in places}.values():
            paths = _found(files, place.patterns, tracked)
            now = signature(files, paths)
            if not paths or _is_known(now, record.get(place.identity), place):
                continue
            with self._lock(place):
                generation = self._store(place, files, workspace, paths)
            record[place.identity] = {"generation": generation, "signature": now}
            stored.append(place)
        if stored:
            _write(slot / "caches.json", record)
        return stored

    def _store(self, place: CachePlace, files: bytes, workspace: bytes, paths: list[bytes]) -> str:
        entry, generation = self._entry(place), os.urandom(8).hex()
        copy_paths(files, paths, os.fsencode(entry / generation), env=self.env)
        meta = {
            "key": place.key,
            "patterns": place.patterns,
            "generation": generation,
            "origin": os.fsdecode(workspace),
            "paths": [os.fsdecode(path) for path in paths],
            "relocate": [os.fsdecode(path) for path in mentions(files, paths, workspace)],
        }
        _write(entry / "meta.json", meta)
        for other in entry.iterdir():
            if other.is_dir() and other.name != generation:
                remove(os.fsencode(other))
        return generation

    def _entry(self, place: CachePlace) -> Path:
        return self.directory / place.identity

    def _lock(self, place: CachePlace) -> FileLock:
        self._entry(place).mkdir(parents=True, exist_ok=True, mode=0o700)
        return FileLock(self._entry(place) / "lock")

    def _meta(self, place: CachePlace) -> _Meta | None:
        meta = _Meta.of(_read(self._entry(place) / "meta.json"))
        return meta if meta and (self._entry(place) / meta.generation).is_dir() else None


class _Meta(Struct, frozen=True):
    """What is known of a stored place: where it was made, its paths, and which files name that place."""

    generation: str
    origin: bytes
    paths: list[bytes]
    relocate: list[bytes]
    patterns: tuple[str, ...]

    @classmethod
    def of(cls, content: Mapping[str, object]) -> _Meta | None:
        generation, origin = content.get("generation"), content.get("origin")
        paths, relocatable, patterns = content.get("paths"), content.get("relocate"), content.get("patterns")
        if not (isinstance(generation, str) and isinstance(origin, str)):
            return None
        if not (isinstance(paths, list) and isinstance(relocatable, list)):
            return None
        known = tuple(map(str, patterns)) if isinstance(patterns, list) else ()
        return cls(generation, os.fsencode(origin), [*map(os.fsencode, paths)], [*map(os.fsencode, relocatable)], known)

    def record(self, workspace: bytes) -> dict[str, object]:
        """What a slot notes of these files in ``workspace``; another one after any change to them."""
        try:
            return {"generation": self.generation, "signature": signature(workspace, self.paths)}
        except OSError:  # they are not there, or closed to us
            return {}


def _is_known(now: list[list[object]], record: object, place: CachePlace) -> bool:
    """Whether the files are the ones that were restored; of what is stored together also some of them."""
    known = record.get("signature") if isinstance(record, dict) else None
    if not isinstance(known, list) or not place.together:
        return known == now
    rows = {tuple(row) for row in known}
    return all(tuple(row) in rows for row in now)


def _found(files: bytes, patterns: Sequence[str], tracked: Callable[[], Collection[str]]) -> list[bytes]:
    """What is at ``patterns`` below ``files``, each path once, and none below another one."""
    paths = set(expand(files, [pattern for pattern in patterns if pattern != UNTRACKED]))
    if UNTRACKED in patterns:
        paths.update(untracked(files, tracked()))
    return sorted(path for path in paths if not paths & parents([path]))


def _read(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # not there, torn or foreign: the same as never stored
    return content if isinstance(content, dict) else {}


def _write(path: Path, content: Mapping[str, object]) -> None:
    fresh = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
    fresh.write_text(json.dumps(content), encoding="utf-8")
    fresh.replace(path)
