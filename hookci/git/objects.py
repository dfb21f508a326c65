"""Git's objects as bytes: read many from one process, and written without any."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.digests import sha1, sha256
from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Found", "read_batch", "tree_entries", "tree_of", "write_object"]

_ENTRIES = {size: pattern(rb"([0-7]+) ([^\0]+)\0(.{%d})" % size, re.DOTALL) for size in (20, 32)}
"""A tree's, by the size of object names."""
_FIELDS = 3


class Found(Struct, frozen=True):
    """An object: its name, its kind (``commit``, ``tree``, ``blob``, ``tag``) and its content."""

    oid: str
    kind: str
    content: bytes


def read_batch(names: Iterable[str], answers: bytes) -> dict[str, Found | None]:
    """What ``git cat-file --batch`` said of ``names``, in their order; None for those that stand for nothing here.

    Source: git-cat-file(1), BATCH OUTPUT.
    """
    found: dict[str, Found | None] = {}
    place = 0
    for name in names:
        end = answers.index(b"\n", place)
        oid, *head = answers[place:end].split(b" ")
        place = end + 1
        # else it is `<name> missing` or the like, and a name may have spaces too
        if len(head) == _FIELDS - 1 and head[1].isdigit():
            size = int(head[1])
            found[name] = Found(oid.decode("ascii"), head[0].decode("ascii"), answers[place : place + size])
            place += size + 1
        else:
            found[name] = None
    return found


def tree_entries(tree: Found) -> Iterator[tuple[bytes, str, str]]:
    r"""Name, mode (``100644``) and object of each entry of a tree, which are ``<mode> <name>\0<raw object name>``."""
    for entry in _ENTRIES[len(tree.oid) // 2].finditer(tree.content):
        mode, name, oid = entry.groups()
        yield name, mode.decode("ascii").zfill(6), oid.hex()


def tree_of(commit: bytes) -> str:
    """The tree of a commit, from its content."""
    return commit.removeprefix(b"tree ").partition(b"\n")[0].decode("ascii")


def write_object(objects: Path, kind: str, content: bytes, object_format: str) -> str:
    """Write an object, if it is not there yet; its name.

    Source: gitrepository-layout(5), "objects/[0-9a-f][0-9a-f]".

    Args:
        objects: an object directory of our own.
        kind: as in `Found`.
        content: without a header.
        object_format: ``sha1`` or ``sha256``.

    Raises:
        OSError: it cannot be written.
    """
    content = b"%b %d\0%b" % (kind.encode("ascii"), len(content), content)
    name = (sha1 if object_format == "sha1" else sha256)(content).hexdigest()
    place = objects / name[:2] / name[2:]
    try:
        os.utime(place)  # like git: what is in use looks new to whoever clears up
    except FileNotFoundError:
        import zlib  # noqa: PLC0415 (a push writes none)

        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = place.with_name(f"tmp_obj_{os.urandom(8).hex()}")
        temporary.write_bytes(zlib.compress(content, 1))
        temporary.chmod(0o444)
        temporary.replace(place)
    return name
