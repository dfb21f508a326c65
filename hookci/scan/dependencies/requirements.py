"""pip's requirements files.

Source: pip's documentation, "Requirements File Format"; what it leaves open is as pip's ``req_file.py`` has it (a line
that is all comment ends a continuation, ``#`` begins a comment only after white space, a line ends where Python's
``splitlines`` ends it).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.scan.dependencies.text import NOWHERE, UnreadableError, decoded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.scan.dependencies.dependency import Manifest
    from hookci.scan.dependencies.text import Place, Text

__all__ = ["includes", "read_requirements", "requirements_text"]

_CODING = re.compile(rb"#.*?coding[:=]\s*([-\w.]+)")  # PEP 263, which pip honours there
_COMMENT = re.compile(r"(?<!\S)#.*")
# pip's options can be shortened
_INCLUDE = re.compile(r"""(?<!\S)(?:-[rc]\s*|--(?:requirem|cons)[a-z]*(?:=|\s+))("[^"]+"|'[^']+'|[^\s"']\S*)""")
_EDITABLE = re.compile(r"(?:-e\s*|--e[a-z]*(?:=|\s+))[\"']?(?P<what>[^\s\"']+)")
_REMOTE = re.compile(r"(?:git|hg|svn|bzr)\+|(?!file:)[a-z][a-z0-9+.-]+:", re.IGNORECASE)
_LOCAL = re.compile(
    r"file:|[./~\\]|[a-z]:[\\/]|[^\s@;<>=!~\[]*(?:[\\/]|\.(?:whl|zip|tgz|tar\.\w+)(?![\w.]))", re.IGNORECASE
)
_EGG = re.compile(r"[#&]egg=([\w.-]+)")
_BEFORE_PATH = re.compile(r"[^:]*:(?://[^/?#]*)?")


def requirements_text(data: bytes) -> str:
    """The contents of a requirements file as pip decodes them.

    Raises:
        UnreadableError: they are in an encoding that cannot be read.
    """
    declared = (_CODING.match(line) for line in data.split(b"\n", 2)[:2])
    encoding = next((match[1].decode() for match in declared if match), None)
    try:
        return data.decode(encoding) if encoding else decoded(data)
    except (LookupError, UnicodeError):
        raise UnreadableError(f"not in the encoding that it names, {encoding}") from None


def includes(text: Text) -> Iterator[tuple[str, Place]]:
    """The files that a requirements file takes in (``-r``, ``-c``), as they are written there."""
    for place, line in _lines(text):
        if line.startswith("-"):
            for match in _INCLUDE.finditer(line):
                yield match[1].strip("\"'"), place


def read_requirements(text: Text, manifest: Manifest) -> None:
    """Read a requirements file; see `includes` for the ones it takes in."""
    for place, line in _lines(text):
        editable = _EDITABLE.match(line)
        if editable:
            _unnamed(editable["what"], manifest)
        elif line and not line.startswith("-"):
            _entry(re.split(r"\s-", line, maxsplit=1)[0].strip(), place, manifest)


def _entry(entry: str, place: Place, manifest: Manifest) -> None:
    if _REMOTE.match(entry) or _LOCAL.match(entry):
        _unnamed(entry, manifest)
    else:
        manifest.requirement(entry, place)


def _unnamed(where: str, manifest: Manifest) -> None:
    """An address or a path in place of a name; of an address its last part is told, never what may be a password."""
    if _REMOTE.match(where):
        egg = _EGG.search(where)
        path = re.split("[?#]", _BEFORE_PATH.sub("", where, count=1), maxsplit=1)[0]
        last = path.rstrip("/").rpartition("/")[2].partition("@")[0]
        manifest.addresses.append(egg[1] if egg else last or "one without a name")


def _lines(text: Text) -> Iterator[tuple[Place, str]]:
    """What pip reads as one line, without comments, and the line of the file where it begins."""
    pieces: list[str] = []
    place = NOWHERE
    number = 1
    for whole in text.text.splitlines(keepends=True):
        line = whole.splitlines()[0]
        place = place if pieces else text.line(number)
        number += whole.endswith("\n")
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            pieces.append(line.strip("\\"))
            continue
        pieces.append(f" {line}" if is_comment else line)
        yield place, _joined(pieces)
        pieces = []
    if pieces:
        yield place, _joined(pieces)


def _joined(pieces: list[str]) -> str:
    return _COMMENT.sub("", "".join(pieces)).strip()
