"""Files with OSV records as a person has them: JSON, JSON Lines, YAML, gz, zip, and directories of those.

They come from outside.  What a file expands to is limited, and what cannot be read is told, not fatal.
"""

from __future__ import annotations

import json
import os
import stat
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from hookci.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import IO
    from zipfile import ZipFile, ZipInfo

__all__ = ["Document", "Limits", "Piece", "Refused", "read_archive", "read_sources"]

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".gz", ".zip")
_YAML = (".yaml", ".yml")
_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"


class Limits(Struct, frozen=True):
    """How many bytes one file, and all files together, may come to when they are expanded."""

    file: int = 128 * 1024 * 1024
    total: int = 4 * 1024 * 1024 * 1024


class Document(Struct, frozen=True):
    """One record as it was read; ``where`` says from which file, and where in it."""

    where: str
    value: object


class Refused(Struct, frozen=True):
    """A file, or a part of one, that cannot be read."""

    where: str
    why: str


Piece = Document | Refused

_Content = tuple[str, bytes] | Refused


class _UnreadableError(Exception):
    """Why a file cannot be read."""


def read_sources(sources: Iterable[Path], limits: Limits) -> Iterator[Piece]:
    """The records in files and, at any depth, in directories (but those whose names begin with a dot).

    Raises:
        UsageError: a source is neither, or cannot be opened; all together come to more than ``limits.total``.
    """
    budget = _Budget(limits)
    for source in sources:
        for path in _files(source) if _is_directory(source) else (source,):
            with _opened(path) as file:
                yield from _pieces(str(path), file, budget)


def read_archive(name: str, file: IO[bytes], limits: Limits) -> Iterator[Piece]:
    """The records in an open file, which is called ``name``.

    Raises:
        UsageError: they come to more than ``limits.total``.
    """
    return _pieces(name, file, _Budget(limits))


class _Budget:
    """What is left of the bytes that everything together may come to."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = limits.total

    def take(self, file: IO[bytes]) -> bytes:
        """The whole content of ``file``."""
        data = file.read(min(self._limits.file, self._left) + 1)
        if len(data) > self._limits.file:
            raise _UnreadableError(f"more than {_size(self._limits.file)}")
        self._left -= len(data)
        if self._left < 0:
            message = f"the files come to more than {_size(self._limits.total)}"
            raise UsageError(message, "import them in parts, if they are what you take them for")
        return data


def _size(count: int) -> str:
    mebibytes = count / (1024 * 1024)
    return f"{mebibytes:.0f} MiB" if mebibytes >= 1 else f"{count} bytes"


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _files(top: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise UsageError(f"{error.filename}: {(error.strerror or str(error)).lower()}") from error

    for folder, folders, names in os.walk(top, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(folder, name) for name in sorted(names) if name.endswith(_SUFFIXES))
        yield from (path for path in paths if path.is_file() and not path.is_symlink())


def _opened(path: Path) -> IO[bytes]:
    try:
        # a named pipe must not hang the open
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError(f"{path} is neither a file nor a directory")
    return open(descriptor, "rb")  # noqa: PTH123 (a descriptor has no Path)


def _pieces(name: str, file: IO[bytes], budget: _Budget) -> Iterator[Piece]:
    for content in _contents(name, file, budget):
        if isinstance(content, Refused):
            yield content
        else:
            yield from _parsed(*content)


def _contents(name: str, file: IO[bytes], budget: _Budget) -> Iterator[_Content]:
    """What ``file`` holds; an archive in an archive is taken for data, and is none."""
    is_zip = file.read(len(_ZIP)) == _ZIP
    file.seek(0)
    if not is_zip:
        yield _told(name, lambda: budget.take(_unpacked(file)))
        return
    archive = _archive(file)
    if archive is None:
        yield Refused(name, "a broken or incomplete zip archive")
        return
    with archive:
        for member in archive.infolist():
            if member.filename.endswith(_SUFFIXES) and not member.is_dir():
                yield _member(f"{name}: {member.filename}", archive, member, budget)


def _archive(file: IO[bytes]) -> ZipFile | None:
    import zipfile  # noqa: PLC0415 (dear, and only archives need it)

    try:
        return zipfile.ZipFile(file)
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return None


def _member(where: str, archive: ZipFile, member: ZipInfo, budget: _Budget) -> _Content:
    from zipfile import ZIP_DEFLATED, ZIP_STORED  # noqa: PLC0415 (as above)

    def read() -> bytes:
        if member.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            raise NotImplementedError
        with archive.open(member) as file:
            return budget.take(_unpacked(file))

    return _told(where, read)


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    is_gzip = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    if not is_gzip:
        return file
    import gzip  # noqa: PLC0415 (as above)

    return cast("IO[bytes]", gzip.GzipFile(fileobj=file))


def _told(where: str, read: Callable[[], bytes]) -> _Content:
    """What ``read`` returns, or why it cannot: a check sum, an encryption, an unknown compression."""
    from zipfile import BadZipFile  # noqa: PLC0415 (as above)

    try:
        return where, read()
    except _UnreadableError as error:
        return Refused(where, str(error))
    except (OSError, EOFError, zlib.error, BadZipFile, RuntimeError, ValueError):
        return Refused(where, "broken, or packed in a way that is not known here")


def _parsed(where: str, data: bytes) -> Iterator[Piece]:
    name = where.removesuffix(".gz")
    try:
        if name.endswith(_YAML):
            from hookci.scan.advisories.plainyaml import read_yaml  # noqa: PLC0415 (dear, and seldom needed)

            yield from (Document(where, value) for value in read_yaml(data))
        else:
            yield from _json(where, data)
    except ValueError as error:
        yield Refused(where, str(error))


def _json(where: str, data: bytes) -> Iterator[Piece]:
    """One document, the items of a list, or a document on each line."""
    try:
        value = json.loads(data)
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Extra data"):
            raise ValueError("not JSON") from error
        yield from _lines(where, data)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    else:
        if isinstance(value, list):
            yield from (Document(f"{where}: item {number}", item) for number, item in enumerate(value, 1))
        else:
            yield Document(where, value)


def _lines(where: str, data: bytes) -> Iterator[Piece]:
    for number, line in enumerate(data.splitlines(), 1):
        place = f"{where}: line {number}"
        try:
            value = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError):
            yield Refused(place, "not JSON")
        else:
            if line.strip():
                yield Document(place, value)
