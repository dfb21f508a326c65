"""The advisory database from a person's side: taking advisories in, fetching them, saying what is there."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING
from zipfile import is_zipfile

from msgspec import Struct

from hookci.errors import HookciError, StateError, UsageError
from hookci.scan.advisories.database import Database, database_path
from hookci.scan.advisories.importer import import_records
from hookci.scan.advisories.sources import Limits, read_archive, read_sources
from hookci.scan.advisories.update import archive_url, download
from hookci.store.private import private_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hookci.scan.advisories.database import Stored
    from hookci.scan.advisories.importer import ImportReport
    from hookci.scan.advisories.sources import Piece
    from hookci.session import Machine

__all__ = ["AdvisoriesStatus", "advisories_status", "import_advisories", "update_advisories"]


class AdvisoriesStatus(Struct, frozen=True, kw_only=True):
    """The database at ``path``: what there is for each ecosystem; nothing at all when there is no database."""

    path: Path
    stored: tuple[Stored, ...]


def advisories_status(machine: Machine) -> AdvisoriesStatus:
    """What is in the database.

    Raises:
        StateError: it cannot be read.
    """
    data = _data(machine)
    database = Database.open(data)
    if database is None:
        return AdvisoriesStatus(path=database_path(data), stored=())
    with database:
        return AdvisoriesStatus(path=database_path(data), stored=database.stored)


def import_advisories(machine: Machine, sources: Sequence[Path]) -> ImportReport:
    """Take in the OSV records in files and directories.

    Raises:
        UsageError: a source cannot be read, or there is nothing in any of them.
        StateError: the database cannot be written.
    """
    paths = [machine.cwd / source for source in sources]
    return import_records(_made(machine), read_sources(paths, Limits()), machine.clock())


def update_advisories(machine: Machine, ecosystems: Sequence[str], url: str, *, timeout: float) -> ImportReport:
    """Fetch the archives of ``ecosystems`` below ``url``, each within ``timeout`` seconds, and take them in.

    All or nothing: when one of them does not come, what is there stays as it is.

    Raises:
        UsageError: ``url`` is not an address of HTTP.
        HookciError: an archive did not come, or is none.
        StateError: the database cannot be written.
    """
    addresses = [archive_url(url, ecosystem) for ecosystem in ecosystems]
    data = _made(machine)
    with ExitStack() as stack:
        # without a name in the directory, so that nothing is left after a kill
        files = [stack.enter_context(tempfile.TemporaryFile(dir=data)) for _ in addresses]
        for address, file in zip(addresses, files, strict=True):
            download(address, file, machine.env, timeout)
            if not is_zipfile(file):
                raise HookciError(f"{address}: what came is not a whole zip archive", "what is there stays as it is")
        try:
            return import_records(data, _archives(addresses, files), machine.clock())
        except UsageError as error:
            raise HookciError(f"{', '.join(addresses)}: {error.message}") from error


def _archives(names: Sequence[str], files: Sequence[IO[bytes]]) -> Iterator[Piece]:
    for name, file in zip(names, files, strict=True):
        file.seek(0)
        yield from read_archive(name, file, Limits())


def _data(machine: Machine) -> Path:
    return machine.data_home / "hookci"


def _made(machine: Machine) -> Path:
    try:
        machine.data_home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise StateError(f"{machine.data_home}: {why}", "XDG_DATA_HOME says where data goes") from error
    return private_directory(_data(machine), within=machine.data_home)
