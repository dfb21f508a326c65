"""Where a result is: from a report's addresses and regions to paths of the tree, lines and columns.

Sources: SARIF 2.1.0 (OASIS), 3.4 (artifact locations), 3.14.14 (``originalUriBaseIds``), 3.14.27 (``columnKind``),
3.30 (regions); RFC 3986 and RFC 8089 (``file`` addresses).
"""

from __future__ import annotations

import functools
import hashlib
import posixpath
import re
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import unquote

from msgspec import Struct

from hookci.scan.sarif.shapes import number, rows, table, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["Place", "Places", "Sources"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: "C:" is a drive
_LONE = re.compile(
    "[\x00\ud800-\udc7f\udd00-\udfff]"
)  # the other surrogates are bytes that are no UTF-8, see os.fsdecode
_URI = 4_096
_BASES = 8  # how deep base ids may refer to each other

_SHOWN_LINES, _SHOWN = 20, 4_000
_CODE = 10_000


class Place(Struct, frozen=True, kw_only=True):
    """A path and what is there; the fields are those of `hookci.model.finding.Finding`."""

    path: str = ""
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    text: str = ""
    code: str = ""


class Sources:
    """The files of the tree, by ``known``, which gives the text of a path or None; ``top`` is where the tree was."""

    def __init__(self, known: Callable[[str], str | None], top: str) -> None:
        self._top = top.rstrip("/")
        self._known = known
        self.lines = functools.lru_cache(maxsize=64)(self._lines)

    def _lines(self, path: str) -> tuple[str, ...] | None:
        """The lines of a file as SARIF counts them, see 3.14.26; None when the tree has no such file."""
        content = self._known(path) if path else None
        return None if content is None else tuple(line.removesuffix("\r") for line in content.split("\n"))

    def inside(self, path: str) -> str | None:
        """``path`` relative to the top of the tree, empty for the top itself; None when it is outside."""
        usable = _LONE.sub("\ufffd", path)
        real = usable.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
        whole = posixpath.normpath(real)
        if whole.startswith("/"):
            whole = f"/{whole.lstrip('/')}"
            inside = f"{whole}/".startswith(f"{self._top}/")
            return whole[len(self._top) + 1 :] if inside else None
        if whole == ".":
            return ""
        return None if f"{whole}/".startswith("../") else whole


class Places:
    """Reads the locations of one run."""

    def __init__(self, run: Mapping[str, object], sources: Sources) -> None:
        self._sources = sources
        self._bases = table(run.get("originalUriBaseIds"))
        self._artifacts = rows(run.get("artifacts"))
        self._in_utf16 = run.get("columnKind") != "unicodeCodePoints"

    def path(self, location: Mapping[str, object]) -> str:
        """The path of an ``artifactLocation``; its address when that leads out of the tree, empty when it has none."""
        if not text(location.get("uri")) and 0 <= number(location.get("index")) < len(self._artifacts):
            location = table(self._artifacts[number(location.get("index"))], "location")
        value = location.get("uri")
        address = value[:_URI] if isinstance(value, str) else ""
        if not address:
            return ""
        meant = [*dict.fromkeys(map(self._sources.inside, self._meant(address, location.get("uriBaseId"))))]
        best = meant[0] if meant else None
        if len(meant) > 1:
            best = next((path for path in meant if path and self._sources.lines(path) is not None), best)
        return text(address, _URI) if best is None else best

    def _meant(self, address: str, base: object) -> Iterator[str]:
        """The paths that ``address`` may stand for, the likeliest first.

        The directory of a base may be one that only the scanner saw, such as that of a container.  Some scanners
        do not encode what they write.
        """
        based = self._based(address, base)
        for one in dict.fromkeys((based, address)):
            path = _path_of(one)
            if path is not None:
                yield unquote(path, "utf-8", "surrogateescape")
                yield path

    def _based(self, address: str, base: object) -> str:
        for _ in range(_BASES):
            entry = table(self._bases, base) if isinstance(base, str) else {}
            if not entry or _SCHEME.match(address):
                break
            before = text(entry.get("uri"), _URI)
            address = f"{before.removesuffix('/')}/{address}" if before else address
            base = entry.get("uriBaseId")
        return address

    def place(self, location: Mapping[str, object], *, in_tree: bool = True, hidden: bool = False) -> Place:
        """What a ``location`` says.

        Args:
            location: of a result or a notification.
            in_tree: whether its lines are those of the tree, and not of another commit.
            hidden: the lines hold a secret, of which only a hash may be kept.
        """
        physical = table(location.get("physicalLocation"))
        path = self.path(table(physical.get("artifactLocation")))
        region = table(physical.get("region"))
        snippet = text(table(region, "snippet").get("text"), _SHOWN)
        lines = (self._sources.lines(path) if in_tree else None) or ()
        span = _span(region, lines, in_utf16=self._in_utf16)
        whole, code = _covered(lines, span)
        if hidden:
            return Place(path=path, code=_hash(code or snippet), **span)
        shown = _joined(whole, _SHOWN) if _agree(snippet, whole) else snippet
        return Place(path=path, text=shown.rstrip("\n"), code=code or snippet, **span)


def _path_of(address: str) -> str | None:
    """The still encoded path of an address; None when it is not one of this machine's files."""
    scheme = _SCHEME.match(address)
    if scheme is None:
        return address
    if scheme[0].lower() != "file:":
        return None
    rest = address[scheme.end() :]
    if not rest.startswith("//"):
        return rest
    host, slash, path = rest[2:].partition("/")
    return f"{slash}{path}" if host.lower() in {"", "localhost"} else None


class _Span(TypedDict):
    line: int
    column: int
    end_line: int
    end_column: int


def _span(region: Mapping[str, object], lines: Sequence[str], *, in_utf16: bool) -> _Span:
    line = max(number(region.get("startLine")), 0)
    if not line:
        return {"line": 0, "column": 0, "end_line": 0, "end_column": 0}
    end_line = max(number(region.get("endLine")), line)
    end_column = max(number(region.get("endColumn")), 0)
    column = max(number(region.get("startColumn")), 1 if end_column else 0)
    column = _column(column, _at(lines, line), in_utf16=in_utf16)
    end_column = _column(end_column, _at(lines, end_line), in_utf16=in_utf16)
    if end_line == line and end_column <= column:
        end_column = 0
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


def _at(lines: Sequence[str], line: int) -> str | None:
    return lines[line - 1] if line <= len(lines) else None


def _column(column: int, line: str | None, *, in_utf16: bool) -> int:
    """``column`` in code points, and not beyond the end of ``line`` when that is known."""
    if line is None or not column:
        return column
    if in_utf16 and not line.isascii():
        before = line[:column].encode("utf-16-le", "surrogatepass")[: 2 * (column - 1)]
        column = len(before.decode("utf-16-le", "replace")) + 1
    return min(column, len(line) + 1)


def _covered(lines: Sequence[str], span: _Span) -> tuple[Sequence[str], str]:
    """The whole lines of a region, and what tells it from another.

    That is the whole lines too: some scanners mark no more than a name, and another call of the same function is
    another finding.  Of a line without measure, as in minified files, it is the region.
    """
    if not span["line"] or span["line"] > len(lines):
        return (), ""
    first, last = span["line"], span["end_line"]
    if last > first and span["end_column"] == 1:
        last -= 1
    whole = lines[first - 1 : min(last, first + _CODE)]
    if first == last and len(whole[0]) > _CODE and span["column"]:
        start, end = span["column"] - 1, span["end_column"] - 1
        return whole, whole[0][start : end if end > start else None][:_CODE]
    return whole, _joined(whole, _CODE)


def _hash(code: str) -> str:
    return hashlib.sha256("".join(code.split()).encode("utf-8", "surrogatepass")).hexdigest()


def _joined(lines: Sequence[str], most: int) -> str:
    taken: list[str] = []
    for line in lines[:_SHOWN_LINES] if most == _SHOWN else lines:
        if most <= 0:
            break
        taken.append(line[:most])
        most -= len(line) + 1
    return "\n".join(taken)


def _agree(snippet: str, whole: Sequence[str]) -> bool:
    """Whether the report shows what is in the tree, rather than something redacted or of another time."""
    if not whole or not snippet:
        return bool(whole)
    shown, there = "".join(snippet.split()), "".join(_joined(whole, _CODE).split())
    return shown in there or there in shown
