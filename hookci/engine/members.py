"""The members of a tar archive that comes in pieces: read forwards only, and what reading one may cost is bounded.

`tarfile` reads the headers.  It was not made for archives of strangers: it takes as much memory as a header says, takes
an archive that breaks off for one that ends, and answers nonsense with any exception at all.
"""

from __future__ import annotations

import contextlib
import tarfile
from typing import IO, TYPE_CHECKING, cast

from hookci.errors import HookciError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Archive", "ArchiveError", "Content"]

_HEADERS = 128 * 1024
"""Bytes of the headers of one member: two of the longest paths, and extended attributes."""
_BLOCK = 512
_CHUNK = 1024 * 1024


class ArchiveError(HookciError):
    """An archive that a container gave is broken, or too large, or there is no place for what it holds."""


class Archive:
    """An archive in pieces; ``failure`` is what went wrong with the pieces themselves, if anything did."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._file = _Forward(stream)

    @property
    def failure(self) -> Exception | None:
        """What the stream raised."""
        return self._file.failure

    def members(self) -> Iterator[tuple[tarfile.TarInfo, Content | None]]:
        """Each member, and the content of a regular file, which can be read until the next one is asked for.

        Raises:
            ArchiveError: it is no archive, breaks off, or its headers are larger than any there should be.
        """
        with _reading(self._file):
            self._file.headers_left = _HEADERS
            archive = tarfile.TarFile.open(fileobj=cast("IO[bytes]", self._file), mode="r:")
        while True:
            with _reading(self._file):
                self._file.headers_left = _HEADERS
                member = archive.next()
                self._file.headers_left = None
            if member is None:
                self._file.check_end()
                return
            # it notes all it has ever read
            archive.members.clear()  # type: ignore[attr-defined]  # the stubs do not have it
            content = archive.extractfile(member) if member.isreg() else None
            yield member, None if content is None else Content(self._file, content)


class Content:
    """The bytes of one file."""

    def __init__(self, file: _Forward, content: IO[bytes]) -> None:
        self._file = file
        self._content = content

    def pieces(self) -> Iterator[bytes]:
        """All of it.

        Raises:
            ArchiveError: it breaks off.
        """
        while piece := self._read():
            yield piece

    def _read(self) -> bytes:
        with _reading(self._file):
            return self._content.read(_CHUNK)


@contextlib.contextmanager
def _reading(file: _Forward) -> Iterator[None]:
    try:
        yield
    except ArchiveError:
        raise
    except Exception as error:
        if file.failure is not None:
            raise file.failure from None
        raise ArchiveError(f"the engine gave a broken archive: {error}") from error


class _Forward:
    """Pieces as a file that can only be read forwards: as much of one as `tarfile` asks for."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece = b""
        self._at = 0
        self._position = 0
        self._last = b""
        self.headers_left: int | None = None
        """Bytes of headers that may still be read, None outside of headers."""
        self.failure: Exception | None = None

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        if position < self._position:
            raise ArchiveError("the engine gave a broken archive: it leads back to where it was read already")
        while self._position < position and self._take(position - self._position):
            pass

    def read(self, size: int) -> bytes:
        if self.headers_left is not None:
            self.headers_left -= size
        if size < 0 or (self.headers_left is not None and self.headers_left < 0):
            raise ArchiveError(f"the engine gave a broken archive: a header of more than {_HEADERS:,} bytes")
        found = []
        while size and (part := self._take(size)):
            found.append(part)
            size -= len(part)
        self._last = b"".join(found)
        return self._last

    def _take(self, size: int) -> bytes:
        """Some bytes, at most ``size``; none at the end."""
        while self._at >= len(self._piece):
            piece = self._next()
            if piece is None:
                return b""
            self._piece, self._at = piece, 0
        part = self._piece[self._at : self._at + size]
        self._at += len(part)
        self._position += len(part)
        return part

    def _next(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except Exception as error:
            self.failure = error
            raise

    def check_end(self) -> None:
        """An archive ends in blocks of zeros (POSIX.1, pax, "ustar Interchange Format"); all else breaks off."""
        if self._last != bytes(_BLOCK):
            raise ArchiveError("the engine gave a broken archive: it breaks off")
