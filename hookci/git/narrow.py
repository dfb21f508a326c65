"""A tree with some of a snapshot's files only, for jobs that declare what they depend on."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

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
    (gitformat-pack(5), "Object types"; gitrepository-layout(5), "objects/[0-9a-f][0-9a-f]").

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


def _write(objects: Path, entries: list[tuple[bytes, bytes, bytes]], algorithm: str) -> bytes:
    """Write one tree object, if it is not there; its name."""
    entries.sort(key=lambda entry: entry[0] + b"/" if entry[1] == _DIRECTORY else entry[0])
    content = b"".join(b"%b %b\0%b" % (mode, name, oid) for name, mode, oid in entries)
    content = b"tree %d\0%b" % (len(content), content)
    import hashlib  # noqa: PLC0415 (it loads OpenSSL, and few jobs declare inputs)

    digest = hashlib.new(algorithm, content, usedforsecurity=False)
    name = digest.hexdigest()
    place = objects / name[:2] / name[2:]
    try:
        os.utime(place)  # like git: what is in use looks new to whoever clears up
    except FileNotFoundError:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = place.with_name(f"tmp_obj_{os.urandom(8).hex()}")
        temporary.write_bytes(zlib.compress(content, 1))
        temporary.chmod(0o444)
        temporary.replace(place)
    return digest.digest()
