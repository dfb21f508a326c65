"""Archives of people who mean harm, or of nobody at all: made header by header, as no library would."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from hookci.engine.archives import Limits, Unpacked, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["END", "directory", "file", "hard", "link", "make", "picture", "special", "tar", "unpacked"]

END = bytes(1024)


def file(name: str, content: bytes = b"", mode: int = 0o644, mtime: float = 0) -> bytes:
    return make(name, tarfile.REGTYPE, content, mode=mode, mtime=mtime)


def directory(name: str, mode: int = 0o755) -> bytes:
    return make(name, tarfile.DIRTYPE, mode=mode)


def link(name: str, target: str) -> bytes:
    return make(name, tarfile.SYMTYPE, target=target)


def hard(name: str, target: str, mode: int = 0o644) -> bytes:
    return make(name, tarfile.LNKTYPE, target=target, mode=mode)


def special(name: str, kind: bytes = tarfile.FIFOTYPE) -> bytes:
    return make(name, kind)


def make(
    name: str,
    kind: bytes,
    content: bytes = b"",
    *,
    target: str = "",
    mode: int = 0o644,
    mtime: float = 0,
    size: int | None = None,
    pax: dict[str, str] | None = None,
) -> bytes:
    """One member; ``size`` is what its header says, whatever its content is."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode, member.mtime = kind, target, mode, mtime
    member.size = len(content) if size is None else size
    member.pax_headers = pax or {}
    header = member.tobuf(tarfile.GNU_FORMAT if size is not None else tarfile.PAX_FORMAT)
    return header + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def tar(*members: bytes) -> bytes:
    return b"".join(members) + END


def unpacked(
    data: bytes | Iterable[bytes],
    into: Path,
    *,
    placed_at: Callable[[str], str | None] = lambda name: name,
    limits: Limits | None = None,
) -> Unpacked:
    """Unpack an archive that comes in pieces of odd sizes."""
    if isinstance(data, bytes):
        stream = io.BytesIO(data)
        data = iter(lambda: stream.read(700), b"")
    return unpack(data, into, placed_at=placed_at, limits=limits or Limits())


def picture(place: Path) -> dict[str, tuple[int, bytes | str | None]]:
    """All that is at or below a place: mode, and content or target."""
    found: dict[str, tuple[int, bytes | str | None]] = {}
    for folder, folders, files in os.walk(place):
        for name in (*folders, *files):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            inside: bytes | str | None = None
            if path.is_symlink():
                inside = str(path.readlink())
            elif path.is_file():
                inside = path.read_bytes()
            found[os.path.relpath(path, place)] = (mode, inside)
    return found
