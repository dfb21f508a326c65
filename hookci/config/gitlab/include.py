"""Puts the files that a document includes below it.

Source: GitLab CI/CD YAML reference, "include", and "Use CI/CD configuration from other files": files are merged in
the order in which they are named, what they include themselves first, the document that includes them last.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from hookci.config.gitlab.addresses import (
    TREE,
    Elsewhere,
    Home,
    Wanted,
    as_table,
    check_entry,
    entries,
    matching,
    problem_with,
    wanted_by,
)
from hookci.config.gitlab.documents import Piece, decoded, pieces, read_piece
from hookci.config.gitlab.inputs import Given, read_inputs
from hookci.config.gitlab.interpolation import interpolate
from hookci.config.gitlab.known import Known, expand
from hookci.config.gitlab.located import Place, ProblemAt, Table, deep_merge, find_place
from hookci.config.words import did_you_mean, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.config.problems import Problem
    from hookci.config.surroundings import Surroundings

__all__ = ["Including"]

_MOST = 150
_LARGEST = 2_000_000
"""Bytes of one file."""

Above = tuple[Wanted, ...]
"""The files that a file is included by, the first one first."""


class Including:
    """All files of one pipeline; ``problems``, ``notes`` and ``elsewhere`` grow while they are read."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._count = 0
        self.known = Known(surroundings)
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.elsewhere: dict[str, Elsewhere] = {}

    def main(self, source: str) -> Table:
        """The document that starts in the file ``source`` of the tree; empty when there is a problem."""
        place = Place(source, 1)
        content = self._surroundings.read(source)
        if content is None:
            self._say(f"there is no {source}", place)
            return Table()
        return self._read(content, Wanted(source, TREE, Given(None, place)), ())

    def child(self, include: object, place: Place) -> Table:
        """The document that consists of nothing but ``include``."""
        return self._expanded(Table({"include": include}, {"include": place}), TREE, ())

    def _say(self, message: str, place: Place, hint: str | None = None) -> None:
        self.problems.append(ProblemAt((), message, hint, place))

    def _read(self, content: bytes, wanted: Wanted, above: Above) -> Table:
        document = self._document(content, wanted)
        return self._expanded(document, wanted.home, (*above, wanted))

    def _document(self, content: bytes, wanted: Wanted) -> Table:
        """What stands in a file, with its inputs put in; empty when that is no mapping."""
        before = len(self.problems)
        if len(content) > _LARGEST:
            self._say(f"is larger than {_LARGEST // 1_000_000} MB", Place(wanted.file, 1))
            return Table()
        text = decoded(content, wanted.file, self.problems)
        value = self._value(text, wanted) if text is not None else None
        if isinstance(value, Table):
            return value
        if len(self.problems) == before:
            self._say("is empty" if value is None else f"expected jobs, saw {show(value)}", Place(wanted.file, 1))
        return Table()

    def _value(self, text: str, wanted: Wanted) -> Any:  # noqa: ANN401 (any YAML value)
        """The value of the document that counts: the first one, or the last one after a header."""
        found = [piece for piece in pieces(text) if _says_something(piece)]
        if not found:
            return None
        value = self._piece(found[0], wanted)
        if isinstance(value, Table) and "spec" in value:
            if len(found) > 1:
                return self._after_header(value, found[-1], wanted)
            self._say("`spec` is a header", value.marks["spec"], "write a line with `---` below it")
            return None
        if wanted.given.values:
            message = f"the inputs given are not defined in a `spec` section of `{wanted.file}`"
            self._say(message, wanted.given.place)
        if len(found) > 1:
            self.notes.append(f"{Place(wanted.file, found[1].line(0))}: only the first document of a file counts")
        return value

    def _after_header(self, header: Table, piece: Piece, wanted: Wanted) -> Any:  # noqa: ANN401 (any YAML value)
        before = len(self.problems)
        values = {"inputs": read_inputs(header, wanted.given, self.problems)}
        elsewhere = wanted.elsewhere
        if elsewhere is not None and elsewhere.kind == "component":
            values["component"] = {"name": elsewhere.file, "reference": elsewhere.ref, "version": elsewhere.ref}
        if len(self.problems) > before:
            return None
        piece = interpolate(piece, values, self.known.value, wanted.file, self.problems)
        return self._piece(piece, wanted) if len(self.problems) == before else None

    def _piece(self, piece: Piece, wanted: Wanted) -> Any:  # noqa: ANN401 (any YAML value)
        return read_piece(piece, wanted.file, self.problems, self.notes)

    def _expanded(self, document: Table, home: Home, above: Above) -> Table:
        """``document`` laid upon all that it includes."""
        if document.get("include") is None:
            return document
        merged = Table()
        for wanted, place in self._wanted(document, home, above[-1].file if above else ""):
            content = self._content(wanted, place, above)
            if content is not None:
                merged = deep_merge(merged, self._read(content, wanted, above))
        merged = deep_merge(merged, document)
        del merged["include"]
        return merged

    def _wanted(self, document: Table, home: Home, file: str) -> Iterator[tuple[Wanted, Place]]:
        """The files that a document includes, each with the place where it says so."""
        found: list[Problem] = []
        for path, entry in entries(document["include"], found):
            place = find_place(document, path) or Place(file, 1)
            table = as_table(entry, place, self._expand)
            kind = check_entry(table, path, found)
            if kind and self.known.admits(table.get("rules"), (*path, "rules"), found):
                for wanted in wanted_by(table, kind, home, place, self._expand):
                    yield from ((one, place) for one in self._matching(wanted, place))
        for problem in found:
            place = find_place(document, problem.path) or Place(file, 1)
            self.problems.append(ProblemAt(problem.path, problem.message, problem.hint, place))

    def _expand(self, text: str) -> str:
        return expand(text, self.known.value)

    def _matching(self, wanted: Wanted, place: Place) -> list[Wanted]:
        found = matching(wanted, self._surroundings.paths)
        if not found:
            self.notes.append(f"{place}: no file is called `{wanted.file}`, so none is included")
        return found

    def _content(self, wanted: Wanted, place: Place, above: Above) -> bytes | None:
        """The content of a file that is to be included; None, and a problem, when it cannot be."""
        self._count += 1
        why = problem_with(wanted)
        if why is None and self._count > _MOST:
            why = f"maximum of {_MOST} nested includes are allowed!"
        if why is None and any(_same(wanted, other) for other in above):
            why = f"`{wanted.file}` includes itself"
        if why is not None:
            # said once, since each further file would say the same
            if self._count <= _MOST + 1:
                self._say(why, place)
            return None
        return self._local(wanted, place) if wanted.elsewhere is None else self._fetched(wanted.elsewhere, place)

    def _local(self, wanted: Wanted, place: Place) -> bytes | None:
        content = self._surroundings.read(wanted.file)
        if content is None:
            hint = did_you_mean(wanted.file, self._surroundings.paths())
            self._say(f"local file `{wanted.file}` does not exist!", place, hint)
        return content

    def _fetched(self, elsewhere: Elsewhere, place: Place) -> bytes | None:
        self.elsewhere[elsewhere.address] = elsewhere
        content = self._surroundings.fetched(elsewhere.address)
        if content is None:
            self._say(f"`{elsewhere.address}` was not fetched", place, "`hookci include fetch` fetches and pins it")
        elif elsewhere.integrity is not None and not _is_intact(content, elsewhere.integrity):
            self._say(f"`{elsewhere.address}` is not what its integrity says", place)
            return None
        return content


def _says_something(piece: Piece) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in piece.text.splitlines())


def _same(wanted: Wanted, other: Wanted) -> bool:
    return wanted.file == other.file and wanted.given.values == other.given.values


def _is_intact(content: bytes, integrity: str) -> bool:
    return integrity == f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode('ascii')}"
