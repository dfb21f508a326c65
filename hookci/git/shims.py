"""The shim: the one small file that git runs for every hook; filled in by install, recognised by its marker."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from msgspec import Struct

from hookci.errors import StateError

__all__ = ["Shim", "find_shim", "read_shim"]

_HEAD = 16_384
"""Bytes that are looked at: the marker and the four values stand at the top."""
_MARKER = re.compile(rb"#!/bin/sh\n(?:#.*\n){0,4}# hookci shim [0-9]+\n")
_VALUE = re.compile(rb"^(name|python|main|before)='((?:[^']|'\\'')*)'$", re.MULTILINE)
_PLACEHOLDER = re.compile(rb"@(name|python|main|before)@")


class Shim(Struct, frozen=True):
    """What is filled into a shim.

    ``python`` and ``main`` (hookci's ``__main__.py``) are absolute.  ``before`` is the directory of the
    hooks that run first; empty: ``before-hookci`` beside the shim, wherever the repository is moved to.
    """

    name: str
    python: Path
    main: Path
    before: str = ""

    def fill(self, template: bytes) -> bytes:
        """The file for git to run."""
        values: dict[bytes, str | Path] = {b"name": self.name, b"python": self.python}
        values |= {b"main": self.main, b"before": self.before}
        return _PLACEHOLDER.sub(lambda found: os.fsencode(values[found[1]]).replace(b"'", rb"'\''"), template)


def read_shim() -> bytes:
    """The shim as it was shipped: in the wheel, or in a checkout of hookci.

    Raises:
        StateError: hookci is installed without it.
    """
    package = Path(__file__).parents[1]
    for path in (package / "_hooks" / "shim", package.parent / "hooks" / "shim"):
        if path.is_file():
            return path.read_bytes()
    raise StateError(f"hookci is installed without its hooks: there is no {package / '_hooks' / 'shim'}")


def find_shim(path: Path) -> Shim | None:
    """What is filled into the shim at ``path``; None when that is anything but a shim, of whatever version."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    if not _MARKER.match(head):
        return None
    values = {key.decode(): os.fsdecode(text.replace(rb"'\''", b"'")) for key, text in _VALUE.findall(head)}
    name, python, main = (values.get(key, "") for key in ("name", "python", "main"))
    return Shim(name or path.name, Path(python), Path(main), values.get("before", ""))
