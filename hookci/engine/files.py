"""Files into and out of containers and volumes, as archives (Docker Engine API 1.41, ``/containers/{id}/archive``)."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
from typing import TYPE_CHECKING, TypeVar

from hookci.engine.archives import Unpacked, unpack
from hookci.engine.calls import EngineError, NotThereError
from hookci.engine.containers import Container
from hookci.engine.members import Archive
from hookci.engine.owner import LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from hookci.engine.calls import Engine

__all__ = ["get_file", "get_tree", "make_volume", "put_files", "put_tree", "remove_volume", "remove_volume_with_users"]

_Taken = TypeVar("_Taken")
_CHUNK = 1024 * 1024
_LARGEST_FILE = 64 * 1024


def put_files(container: Container, folder: str, files: Mapping[str, bytes], *, mode: int = 0o644) -> None:
    """Write small files below ``folder`` of a container, which must be there.

    Raises:
        EngineError: the engine could not.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    _put(container, folder, buffer.getvalue())


def put_tree(container: Container, folder: str, members: Iterable[tuple[str, Path]]) -> None:
    """Write files, links and directories below ``folder`` of a container; they belong to root there.

    Args:
        container: where to; it need not run.
        folder: must be there.
        members: the path below ``folder``, and the file on this machine, with parents before what is in them.

    Raises:
        OSError: a file cannot be read.
        EngineError: the engine could not, such as when its disk is full.
    """
    unreadable: list[OSError] = []
    try:
        _put(container, folder, _joined(_packed(members, unreadable)))
    finally:
        if unreadable:
            raise unreadable[0]


def _packed(members: Iterable[tuple[str, Path]], unreadable: list[OSError]) -> Iterator[bytes]:
    """The archive in pieces, as they are needed; one that breaks off when a file is ``unreadable``."""
    try:
        with tarfile.open(fileobj=io.BytesIO(), mode="w") as headers:
            for name, path in members:
                yield from _member(headers, name, path)
    except OSError as error:
        unreadable.append(error)
        raise
    yield bytes(2 * tarfile.BLOCKSIZE)


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same in fewer pieces: each one is a packet of its own on the way to an engine."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        if len(buffer) >= _CHUNK:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)


def _member(headers: tarfile.TarFile, name: str, path: Path) -> Iterator[bytes]:
    member = headers.gettarinfo(os.fspath(path), name)
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    if member.islnk():  # every name gets its own content
        member.type, member.linkname, member.size = tarfile.REGTYPE, "", path.lstat().st_size
    yield member.tobuf(tarfile.PAX_FORMAT)
    if member.isreg():
        left = member.size
        with path.open("rb") as content:
            while left and (piece := content.read(min(left, _CHUNK))):
                left -= len(piece)
                yield piece
        # as long as its header says, also if it has become shorter meanwhile
        yield bytes(left + -member.size % tarfile.BLOCKSIZE)


def _put(container: Container, folder: str, archive: bytes | Iterator[bytes]) -> None:
    with container.engine.calling(f"write into {folder}") as api:
        if not api.put_archive(container.id, folder, archive):
            raise EngineError(f"{container.engine.name} could not write into {folder}")


def get_file(container: Container, path: str) -> bytes | None:
    """The content of one small file of a container, None when there is none or it is no small file.

    Raises:
        EngineError: the engine could not, or has no such container.
        ArchiveError: what it gave is broken.
    """
    return _read(container, path, _first)


def _first(stream: Iterable[bytes]) -> bytes | None:
    for member, content in Archive(stream).members():
        if content is not None and member.size <= _LARGEST_FILE:
            return b"".join(content.pieces())
        break
    return None


def get_tree(container: Container, path: str, into: Path, *, placed_at: Callable[[str], str | None]) -> Unpacked:
    """Bring what is at ``path`` of a container below ``into``; nothing, if nothing is there.

    Args:
        container: where from.
        path: a file or a directory; ``/.`` at its end means what is in it.
        into: a directory of ours.
        placed_at: where a member goes, see `unpack`; names begin with the last part of ``path``.

    Raises:
        EngineError: the engine could not, or has no such container.
        ArchiveError: it gave too much, or what cannot be placed.
    """
    return _read(container, path, lambda stream: unpack(stream, into, placed_at=placed_at)) or Unpacked()


def _read(container: Container, path: str, take: Callable[[Iterable[bytes]], _Taken]) -> _Taken | None:
    """What ``take`` makes of the archive of what is at ``path``; None if nothing is there."""
    try:
        with container.engine.calling(f"read {path}") as api:
            stream, _stat = api.get_archive(container.id, path, chunk_size=_CHUNK)
            with contextlib.closing(stream):
                return take(stream)
    except NotThereError:  # the path, or the container?
        with container.engine.calling(f"read {path}") as api:
            api.inspect_container(container.id)
    return None


def make_volume(engine: Engine, labels: Mapping[str, str], name: str | None = None) -> str:
    """Make a volume; its name.

    Raises:
        EngineError: the engine could not.
    """
    with engine.calling("make a volume") as api:
        return str(api.create_volume(name=name, labels=dict(labels))["Name"])


def remove_volume(engine: Engine, name: str) -> None:
    """Remove a volume; that it is gone already is no error.

    Raises:
        EngineError: somebody uses it.
    """
    with contextlib.suppress(NotThereError), engine.calling("remove a volume") as api:
        api.remove_volume(name, force=True)


def remove_volume_with_users(engine: Engine, name: str, host: str) -> None:
    """Remove a volume that only we use, and the containers of ours that a killed run has left at it.

    Raises:
        EngineError: somebody else uses it.
    """
    with engine.calling("list containers") as api:
        users = api.containers(all=True, filters={"volume": name, "label": f"{LABEL}host={host}"})
    for user in users:
        Container(engine, user["Id"]).remove()
    remove_volume(engine, name)
