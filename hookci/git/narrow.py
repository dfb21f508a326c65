"""A tree with some of a snapshot's files only, for jobs that declare what they depend on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hookci.git.objects import write_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hookci.git.repository import Repository
    from hookci.git.snapshots import Scratch

__all__ = ["narrow_tree"]

_DIRECTORY = b"40000"


def narrow_tree(repository: Repository, scratch: Scratch, files: Mapping[str, str]) -> str:
    r"""Write the tree that holds exactly ``files`` among hookci's own objects; only what is not there yet is written.

    Jobs with few files are many, so no git is started: a tree object is ``<mode> <name>\0<oid>`` for each entry
    (gitformat-pack(5), "Object types").

    Args:
        repository: where the files' objects are.
        scratch: where the tree goes.
        files: mode and object name (``100644 <oid>``) by path.

    Raises:
        OSError: it cannot be written.
    """
    below: dict[bytes, list[tuple[bytes, bytes, bytes]]] = {b"": []}
    for path, found in files.items():
        mode, _, oid = found.partition(" ")
        directory, _, name = os.fsencode(path).rpartition(b"/")
        _entries(below, directory).append((name, mode.encode("ascii"), bytes.fromhex(oid)))
    objects = scratch.objects
    # the deepest first: a directory is known by what is in it
    for directory in sorted(below, key=lambda each: each.count(b"/"), reverse=True):
        if directory:
            parent, _, name = directory.rpartition(b"/")
            below[parent].append((name, _DIRECTORY, _write(objects, below[directory], repository.object_format)))
    return _write(objects, below[b""], repository.object_format).hex()


def _entries(
    below: dict[bytes, list[tuple[bytes, bytes, bytes]]], directory: bytes
) -> list[tuple[bytes, bytes, bytes]]:
    if directory not in below:
        _entries(below, directory.rpartition(b"/")[0])
        below[directory] = []
    return below[directory]


def _write(objects: Path, entries: list[tuple[bytes, bytes, bytes]], object_format: str) -> bytes:
    """Write one tree object, if it is not there; its name."""
    entries.sort(key=lambda entry: entry[0] + b"/" if entry[1] == _DIRECTORY else entry[0])
    content = b"".join(b"%b %b\0%b" % (mode, name, oid) for name, mode, oid in entries)
    return bytes.fromhex(write_object(objects, "tree", content, object_format))
