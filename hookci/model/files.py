"""A snapshot's files, arranged so that finding a few of many costs what the few cost."""

from __future__ import annotations

import functools
import itertools
from bisect import bisect_left

from hookci.model.globs import matcher
from hookci.model.patterns import pattern

__all__ = ["Files"]

_CERTAIN = pattern(r"[\w. -]*(?:/[\w. -]+)*/?")
"""What of a pattern can mean nothing but itself, whatever follows."""
_BELOW = "/**"
_ALWAYS = (".gitattributes", ".gitmodules")
"""The files that say how git writes others."""


class Files(dict[str, str]):
    """Mode and object name (``100644 <oid>``) by path; not to be changed once it was asked for anything."""

    @functools.cached_property
    def _names(self) -> list[str]:
        return sorted(self)

    @functools.cached_property
    def _always(self) -> list[str]:
        return [name for name in self._names if name.endswith(_ALWAYS) and name.rpartition("/")[2] in _ALWAYS]

    @functools.cached_property
    def _found(self) -> dict[tuple[str, ...], Files]:
        return {}

    def named(self, patterns: tuple[str, ...]) -> Files:
        """Those that declared inputs name (see `matcher`), and those that say how git writes files; by path."""
        found = self._found.get(patterns)
        if found is None:
            paths = {path for pattern in patterns for path in self._of(pattern)}.union(self._always)
            found = self._found[patterns] = Files({path: self[path] for path in sorted(paths)})
        return found

    def _of(self, pattern: str) -> list[str]:
        stem = pattern.removeprefix("./").rstrip("/")
        certain = _certain(stem)
        if stem == certain:
            return [*([stem] if stem in self else []), *self._starting(f"{stem}/")]
        if stem == certain + _BELOW[1:] and certain.endswith("/"):
            return self._starting(certain)
        test = matcher(pattern)
        return [path for path in self._starting(certain) if test(path)]

    def _starting(self, start: str) -> list[str]:
        names = self._names
        rest = itertools.islice(names, bisect_left(names, start), None)
        return list(itertools.takewhile(lambda name: name.startswith(start), rest))


def _certain(stem: str) -> str:
    found = _CERTAIN.match(stem)
    return found[0] if found else ""
