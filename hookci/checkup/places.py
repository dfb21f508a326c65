"""Whether hookci can write what it keeps: state in the repository, workspaces in the user's cache directory."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import tempfile
from typing import TYPE_CHECKING

from hookci.config.settings import read_settings
from hookci.errors import ConfigError, StateError
from hookci.housekeeping.record import read_record
from hookci.model.checkup import Finding, Level
from hookci.model.size import size_text
from hookci.store.identity import ProcessIdentity, identify
from hookci.store.private import private_directory
from hookci.store.runs import Store
from hookci.workspace.kinds import Kind, decide
from hookci.workspace.slots import repository_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hookci.checkup.patient import Patient

__all__ = ["examine_cache", "examine_state", "examine_workspaces", "room"]

_LITTLE = 1 << 30
"""Bytes: below one GiB a build may well fill the disk."""
_MIB = 1 << 20
_RUNS = 200


def examine_state(patient: Patient) -> Iterator[Finding]:
    """The directory of runs and logs, its database, and what killed runs left."""
    directory = patient.repository.common_dir / "hookci"
    if not os.path.lexists(directory):
        _require_writable(patient.repository.common_dir)
        yield Finding("state", Level.OK, f"nothing in {directory} yet")
        return
    _try_to_write(private_directory(directory))
    me = identify(patient.machine.pid) or ProcessIdentity(patient.machine.pid, "unknown")
    with Store.open(directory, clock=patient.machine.clock, owner=me) as store:
        runs = store.runs(_RUNS)
    yield Finding("state", Level.OK, f"{directory}: {len(runs)} run{'s' * (len(runs) != 1)}")
    for broken in sorted(path for path in directory.glob("state.db.broken-*") if path.suffix.split("-")[-1].isdigit()):
        mend = f"rm {shlex.quote(str(broken))}*"
        yield Finding("state", Level.WARNING, f"a broken database was set aside: {broken.name}", mend)
    for run in runs:
        if run.verdict is None and run.interrupted:
            message = f"run {run.number} of {run.label} was killed; the next run cleans up after it"
            yield Finding("state", Level.WARNING, message, "hookci run")


def examine_cache(patient: Patient) -> Iterator[Finding]:
    """The directory of workspaces and caches, and the room there."""
    home = patient.machine.cache_home
    place = repository_directory(home, patient.repository)
    if os.path.lexists(place):
        there = private_directory(place, within=home)
        _try_to_write(there)
    else:
        there = next(parent for parent in place.parents if os.path.lexists(parent))
        _require_writable(there)
    yield room(place, shutil.disk_usage(there).free)
    record = read_record(place)
    if record is not None:
        hours = max(0.0, patient.machine.clock() - record.at) / 3600
        yield Finding("cache", Level.OK, f"{size_text(record.used)} were used there {hours:.0f} h ago, with all logs")


def examine_workspaces(patient: Patient) -> Iterator[Finding]:
    """What jobs of this machine work in, and why it is not the quickest."""
    with contextlib.suppress(ConfigError):  # another check tells
        kind, why = decide(read_settings(patient.repository.settings, patient.user_settings).workspaces)
        place = repository_directory(patient.machine.cache_home, patient.repository)
        if kind is not Kind.COPY and place.is_dir():
            from hookci.workspace.mounters import try_overlay  # noqa: PLC0415 (few can have overlays)

            why = try_overlay(place, kind, patient.machine.python)
            kind = Kind.COPY if why else kind
        yield Finding("workspaces", Level.OK, f"{kind.value}{f' ({why})' if why else ''}")


def room(place: Path, free: int) -> Finding:
    """What ``free`` bytes on the disk of ``place`` mean."""
    if free >= _LITTLE:
        return Finding("cache", Level.OK, f"{place}: {free // _LITTLE} GiB free")
    mend = "free some space, or set XDG_CACHE_HOME to a place with more"
    return Finding("cache", Level.WARNING, f"{place}: only {free // _MIB} MiB free", mend)


def _try_to_write(directory: Path) -> None:
    """What root may do, and what a full disk or one that is read-only forbids, is told by nothing but trying."""
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        raise _unwritable(directory, error.strerror or str(error)) from error


def _require_writable(directory: Path) -> None:
    if not os.access(directory, os.W_OK | os.X_OK) or not directory.is_dir():
        raise _unwritable(directory, "Permission denied")


def _unwritable(directory: Path, reason: str) -> StateError:
    return StateError(f"{directory} cannot be written: {reason.lower()}", f"make {directory} writable for this user")
