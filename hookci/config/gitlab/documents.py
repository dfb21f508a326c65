"""Reads the text of one YAML document into values that know where they stand, as GitLab reads it.

Source: GitLab reads with Ruby's Psych, thus YAML 1.1: anchors and aliases, merge keys that take effect where they
stand, and of a key that is there twice the last one.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from hookci.config.gitlab.located import Items, NoText, Place, ProblemAt, Table
from hookci.config.gitlab.reference import Reference
from hookci.config.gitlab.scalars import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hookci.config.problems import Problem

__all__ = ["Piece", "decoded", "pieces", "read_piece"]

_DEEPEST = 100
_MOST = 100_000
"""Values in one document, what an alias stands for counted each time: GitLab has such limits too."""

_DIVIDER = re.compile(r"^---\s+", re.MULTILINE)
_MOST_PIECES = 3
_PLAIN_TAG = "tag:yaml.org,2002:"


class _UnreadableError(Exception):
    """The document makes no sense from ``place`` on."""

    def __init__(self, message: str, place: Place, hint: str | None = None) -> None:
        super().__init__(message)
        self.problem = ProblemAt((), message, hint, place)


class Piece(NamedTuple):
    """The text of one document; ``lines`` are those of the file that its lines stand on, or only the first of them."""

    text: str
    lines: int | Sequence[int]

    def line(self, number: int) -> int:
        """The line of the file that the line ``number`` of the text, counted from 0, stands on."""
        if isinstance(self.lines, int):
            return self.lines + number
        return self.lines[min(number, len(self.lines) - 1)]


def decoded(content: bytes, file: str, problems: list[Problem]) -> str | None:
    """The text of a file; None when it is none."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Place(file, content.count(b"\n", 0, error.start) + 1)
        problems.append(ProblemAt((), f"not UTF-8: byte 0x{content[error.start]:02x}", None, place))
        return None


def pieces(text: str) -> list[Piece]:
    """The documents of a file, of which GitLab looks at three at most."""
    found: list[Piece] = []
    start, line = 0, 1
    for divider in _DIVIDER.finditer(text):
        if len(found) == _MOST_PIECES - 1:
            break
        found.append(Piece(text[start : divider.start()], line))
        line += text.count("\n", start, divider.end())
        start = divider.end()
    return [*found, Piece(text[start:], line)]


def read_piece(piece: Piece, file: str, problems: list[Problem], notes: list[str]) -> Any:  # noqa: ANN401 (any YAML value)
    """The value that a document holds; None also for one that cannot be read."""
    import yaml  # noqa: PLC0415 (only when there is YAML to read)

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        builder = _Builder(yaml.parse(piece.text, Loader=loader), piece, file, problems, notes)
        return builder.document()
    except _UnreadableError as error:
        problems.append(error.problem)
    except yaml.MarkedYAMLError as error:
        problems.append(_marked(error, piece, file))
    except (yaml.YAMLError, RecursionError) as error:
        problems.append(ProblemAt((), f"no YAML: {_one_line(error)}", None, Place(file, piece.line(0))))
    return None


def _marked(error: Any, piece: Piece, file: str) -> ProblemAt:  # noqa: ANN401 (a type of yaml's, which is imported late)
    mark = error.problem_mark or error.context_mark
    context = f"{error.context}, " if error.context else ""
    line = piece.line(mark.line) if mark else piece.line(0)
    column = f"column {mark.column + 1}: " if mark else ""
    return ProblemAt((), f"{column}no YAML: {context}{error.problem}", None, Place(file, line))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


class _Builder:
    """Values from the events of a parser."""

    def __init__(
        self, events: Iterator[Any], piece: Piece, file: str, problems: list[Problem], notes: list[str]
    ) -> None:
        self._next = functools.partial(next, events)
        self._piece = piece
        self._file = file
        self._problems = problems
        self._notes = notes
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._count = 0
        self._make = {
            "AliasEvent": self._alias,
            "ScalarEvent": self._scalar,
            "SequenceStartEvent": self._sequence,
            "MappingStartEvent": self._mapping,
        }

    def document(self) -> Any:  # noqa: ANN401 (any YAML value)
        """The first document's value; None when there is none."""
        self._next()
        if type(self._next()).__name__ == "StreamEndEvent":
            return None
        return self._value(self._next(), 0)

    def _value(self, event: Any, depth: int) -> Any:  # noqa: ANN401 (any YAML value)
        before = self._count
        self._count += 1
        value = self._make[type(event).__name__](event, depth)
        if self._count > _MOST:
            raise _UnreadableError(f"stands for more than {_MOST} values", self._place(event))
        anchor = event.anchor
        if anchor is not None and type(event).__name__ != "AliasEvent":
            self._anchors[anchor] = (value, self._count - before)
        return value

    def _place(self, event: Any) -> Place:  # noqa: ANN401 (an event)
        return Place(self._file, self._piece.line(event.start_mark.line))

    def _alias(self, event: Any, _depth: int) -> Any:  # noqa: ANN401 (any YAML value)
        if event.anchor not in self._anchors:
            raise _UnreadableError(f"there is no anchor &{event.anchor} before *{event.anchor}", self._place(event))
        value, count = self._anchors[event.anchor]
        self._count += count
        return value

    def _scalar(self, event: Any, _depth: int) -> Any:  # noqa: ANN401 (any YAML value)
        tag = event.tag
        if tag is None:
            if not event.implicit[0]:
                return event.value
        elif tag in {"!", f"{_PLAIN_TAG}str", "!str"}:
            return event.value
        else:
            self._check_tag(event)
        try:
            return resolve(event.value)
        except ValueError as error:
            message = f"`{event.value}` {error}"
            self._problems.append(ProblemAt((), message, "put it in quotes", self._place(event), bounded=True))
            return event.value

    def _sequence(self, event: Any, depth: int) -> Any:  # noqa: ANN401 (any YAML value)
        self._check_depth(event, depth)
        items = Items()
        while type(inner := self._next()).__name__ != "SequenceEndEvent":
            items.append(self._value(inner, depth + 1))
            items.marks.append(self._place(inner))
        if event.tag == "!reference":
            return Reference(items, self._place(event))
        self._check_tag(event)
        return items

    def _mapping(self, event: Any, depth: int) -> Table:  # noqa: ANN401 (an event)
        self._check_depth(event, depth)
        self._check_tag(event)
        table = Table()
        written: set[str] = set()
        while type(key := self._next()).__name__ != "MappingEndEvent":
            name = self._key(key)
            value = self._value(self._next(), depth + 1)
            if name == "<<":
                self._merge(table, value, key)
            else:
                if name in written:
                    self._notes.append(f"{self._place(key)}: `{name}` stands here again; the last one counts")
                written.add(name)
                table.put(name, value, self._place(key))
        return table

    def _key(self, event: Any) -> str:  # noqa: ANN401 (an event)
        if type(event).__name__ == "ScalarEvent":
            if event.anchor is not None:
                self._anchors[event.anchor] = (event.value, 1)
            return self._plain_key(event) if event.tag is None and event.implicit[0] else str(event.value)
        value = self._alias(event, 0) if type(event).__name__ == "AliasEvent" else None
        if not isinstance(value, str):
            raise _UnreadableError("a key is a text", self._place(event))
        return value

    def _plain_key(self, event: Any) -> str:  # noqa: ANN401 (an event)
        """A key without quotes, which may be a number or a boolean as any other scalar may."""
        value = self._scalar(event, 0)
        return value if isinstance(value, str) else NoText(event.value, value)

    def _merge(self, table: Table, value: Any, key: Any) -> None:  # noqa: ANN401 (any YAML value; an event)
        # Psych: a merge overwrites what stands before it, and of several mappings the first one wins
        sources = list(reversed(value)) if isinstance(value, Items) else [value]
        if not all(isinstance(source, Table) for source in sources):
            self._problem("`<<` takes a mapping or a list of mappings", key)
            return
        fresh = Table()
        for source in sources:
            fresh.update(source)
            fresh.marks.update(source.marks)
        table.update(fresh)
        table.marks.update(fresh.marks)

    def _check_depth(self, event: Any, depth: int) -> None:  # noqa: ANN401 (an event)
        if depth >= _DEEPEST:
            raise _UnreadableError(f"is nested more than {_DEEPEST} levels deep", self._place(event))

    def _check_tag(self, event: Any) -> None:  # noqa: ANN401 (an event)
        tag = event.tag
        if tag is None or tag.startswith(_PLAIN_TAG) or tag == "!":
            return
        if tag == "!reference":
            self._problem("`!reference` takes a list of keys", event, "write `!reference [.job, script]`")
        elif tag.startswith("!ruby/"):
            self._problem(f"there is no tag `{tag}` here", event)
        else:
            self._notes.append(f"{self._place(event)}: the tag `{tag}` means nothing to GitLab")

    def _problem(self, message: str, event: Any, hint: str | None = None) -> None:  # noqa: ANN401 (an event)
        self._problems.append(ProblemAt((), message, hint, self._place(event)))
