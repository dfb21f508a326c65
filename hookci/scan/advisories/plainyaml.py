"""YAML in which every scalar is a text: a version ``1.10`` is not the number 1.1.

Built from the parser's events, one after the other: the composers of PyYAML descend into nested lists by recursion, and
the one in C ends the whole process on a file that is nothing but brackets.

Source: YAML 1.1, https://yaml.org/spec/1.1/; ``null`` in its plain forms is None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_yaml"]

_DEPTH = 32
_NULLS = ("", "~", "null", "Null", "NULL")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(data: bytes) -> Iterator[object]:
    """The documents in ``data``: dictionaries, lists, texts and None.

    Raises:
        ValueError: it is not YAML, or has what no plain data needs: anchors, keys that are not texts, depth.
    """
    builder = _Builder()
    try:
        for event in yaml.parse(data, Loader=_LOADER):
            if isinstance(event, yaml.DocumentEndEvent):
                yield builder.finished()
            else:
                builder.add(event)
    except (yaml.YAMLError, UnicodeError) as error:
        raise ValueError("not YAML") from error


class _Builder:
    """Puts together one document; the lists and dictionaries that are not closed yet are on a stack."""

    def __init__(self) -> None:
        self._open: list[list[object]] = [[]]
        self._is_mapping: list[bool] = [False]

    def add(self, event: yaml.Event) -> None:
        """Take in the next event; those that open or close something outside of the document mean nothing."""
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("YAML with anchors")  # noqa: TRY004 (what is wrong with the file, as all)
        if isinstance(event, yaml.ScalarEvent):
            is_null = event.implicit[0] and event.value in _NULLS
            self._open[-1].append(None if is_null else event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(self._open) > _DEPTH:
                raise ValueError("YAML that is nested too deep")
            self._open.append([])
            self._is_mapping.append(isinstance(event, yaml.MappingStartEvent))
        elif isinstance(event, yaml.CollectionEndEvent):
            items = self._open.pop()
            self._open[-1].append(_mapping(items) if self._is_mapping.pop() else items)

    def finished(self) -> object:
        """The document, which is at its end."""
        return self._open[0].pop()


def _mapping(items: list[object]) -> dict[str, object]:
    keys = items[::2]
    if not all(isinstance(key, str) for key in keys):
        raise ValueError("YAML with keys that are not texts")
    return {str(key): value for key, value in zip(keys, items[1::2], strict=True)}
