"""Surroundings that note what was asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from msgspec.structs import replace

from hookci.model.digests import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hookci.config.surroundings import Surroundings

__all__ = ["Noted", "digest_of"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


def digest_of(content: bytes | None) -> str | None:
    """What stands for the content of a file; None for a file that is not there."""
    return None if content is None else sha256(content).hexdigest()


class _Facts(Mapping[str, str]):
    """Facts of which it is noted which were looked at; who goes through them all has asked for more than is noted."""

    def __init__(self, noted: Noted, facts: Mapping[str, str]) -> None:
        self._noted, self._facts = noted, facts

    def __getitem__(self, name: str) -> str:
        self._noted.facts[name] = self._facts.get(name)
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        self._noted.is_all = False
        return iter(self._facts)

    def __len__(self) -> int:
        self._noted.is_all = False
        return len(self._facts)


class Noted:
    """Notes what a config reads of the tree (``files``, as digests) and which predefined variables (``facts``).

    ``is_all`` says whether it asked for nothing else; what it asks about changes and lists of files is not noted.
    ``surroundings`` are those to read with.
    """

    def __init__(self, inner: Surroundings) -> None:
        self._inner = inner
        self.files: dict[str, str | None] = {}
        self.facts: dict[str, str | None] = {}
        self.is_all = True
        self.surroundings = replace(
            inner,
            read=self._read,
            facts=lambda: _Facts(self, inner.facts()),
            paths=self._beyond(inner.paths),
            changed=self._beyond(inner.changed),
            compared=self._beyond(inner.compared),
            fetched=self._beyond(inner.fetched),
        )

    def _read(self, path: str) -> bytes | None:
        content = self._inner.read(path)
        self.files[path] = digest_of(content)
        return content

    def _beyond(self, ask: Callable[_P, _T]) -> Callable[_P, _T]:
        def noting(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            self.is_all = False
            return ask(*args, **kwargs)

        return noting
