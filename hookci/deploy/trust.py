"""Trust: what a deployment executes is bound by hash to what a person has seen, outside of the repository.

Nothing that is read from a tree, or from the repository's git config, decides here.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from typing import TYPE_CHECKING

from msgspec import Struct, to_builtins

from hookci.deploy.files import files_run
from hookci.deploy.secrets import is_inside
from hookci.errors import StateError
from hookci.model.globs import matcher
from hookci.store.private import private_directory, private_file, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from hookci.model.environment import Environment

__all__ = ["Changed", "Executed", "TrustStore", "Trusted", "Unknown", "executed"]

_KEPT = 50
"""Accepted digests of one environment: as many steps back need no new consent."""


class Executed(Struct, frozen=True, kw_only=True):
    """What a deployment of one commit would execute or be told.

    ``config`` is the environment's part of the config as canonical JSON: everything but its name and what has its
    default; a text of several lines is a list of them.  ``files`` are those it runs (see `hookci.deploy.files`) and
    those that its `trust` globs add, each with mode and object name (``100755 <oid>``).
    """

    config: str
    files: Mapping[str, str]

    @property
    def digest(self) -> str:
        """A SHA-256 over both, in hex."""
        return hashlib.sha256(json.dumps([self.config, sorted(self.files.items())]).encode("ascii")).hexdigest()


def executed(environment: Environment, blobs: Mapping[str, str], read: Callable[[str], bytes]) -> Executed:
    """What a deployment to ``environment`` executes.

    Args:
        environment: as the commit itself describes it.
        blobs: every path of the commit's tree, with mode and object name (``100644 <oid>``).
        read: returns the content of an object by its name.
    """
    health = [check.command for check in environment.health]
    secrets = [source.command for source in environment.secrets]
    commands = [*environment.commands, *environment.rollback, *health, *secrets]
    values = [*environment.variables.values(), *(value for job in environment.jobs for value in job.variables.values())]
    paths = files_run(commands, values, blobs, read)
    for matches in map(matcher, environment.trust):
        paths.update(filter(matches, blobs))
    described = {name: value for name, value in _described(environment).items() if name != "name"}
    return Executed(
        config=json.dumps(described, indent=2, sort_keys=True),
        files={path: blobs[path] for path in sorted(paths)},
    )


def _described(value: Struct) -> dict[str, object]:
    """The fields of a value of the model that do not have their defaults."""
    names, defaults = value.__struct_fields__, value.__struct_defaults__
    # a default that is made anew each time stands there as its factory (msgspec.field)
    made = [default.factory() if hasattr(default, "factory") else default for default in defaults]
    usual = dict(zip(reversed(names), reversed(made), strict=False))
    given = {name: getattr(value, name) for name in names}
    return {name: _plain(item) for name, item in given.items() if name not in usual or item != usual[name]}


def _plain(value: object) -> object:
    """A value of a config as JSON has it; different ones stay different."""
    if isinstance(value, str):
        lines = str(value).split("\n")
        return lines if len(lines) > 1 else lines[0]
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Struct):
        return _described(value)
    if value is None or isinstance(value, int | float):
        return value
    return {name: _plain(item) for name, item in dict(value).items()}  # type: ignore[call-overload]  # a mapping


# -- the record


class Trusted(Struct, frozen=True):
    """A person has seen exactly this: who, and when (unix seconds)."""

    by: str
    at: float


class Changed(Struct, frozen=True):
    """A person has seen something else: ``since`` is what was accepted last."""

    since: Executed


class Unknown(Struct, frozen=True):
    """Nobody has seen anything, or the record of it is not to be relied on: ``why``."""

    why: str = ""


class _Accepted(Struct, frozen=True):
    digest: str
    by: str
    at: float


class _Record(Struct, frozen=True):
    """``accepted`` begins with the newest, which is that of ``newest``."""

    newest: Executed
    accepted: Sequence[_Accepted]


class TrustStore:
    """What a person has accepted for the environments of one clone.

    One private file for each environment, in ``<data_home>/hookci/trust/<clone>``, where the clone goes by the real
    path of the git directory that its work trees share: one that was moved or copied is another one.

    Args:
        data_home: the person's directory for data (XDG base directory specification).
        common_dir: the git directory that all work trees share.
        forbidden: work trees and git directories of the repository.  Below them there can be no record: it could
            have come with a pull.
    """

    def __init__(self, data_home: Path, common_dir: Path, forbidden: Collection[Path]) -> None:
        self._home = data_home
        self._clone = os.fsencode(common_dir.resolve())
        self._directory = data_home / "hookci" / "trust" / hashlib.sha256(self._clone).hexdigest()
        self._forbidden = (common_dir, *forbidden)

    def status(self, environment: str, executed: Executed) -> Trusted | Changed | Unknown:
        """Whether a person has accepted ``executed``; a record that cannot be relied on counts for nothing."""
        try:
            record = self._read(environment)
        except StateError as error:
            return Unknown(error.message)
        if record is None:
            return Unknown()
        wanted = executed.digest
        found = (Trusted(one.by, one.at) for one in record.accepted if one.digest == wanted)
        return next(found, Changed(record.newest))

    def accept(self, environment: str, executed: Executed, by: str, at: float) -> None:
        """Write down that ``by`` has accepted ``executed``; the newest 50 that were accepted stay so.

        Raises:
            StateError: the place for it is not private, or cannot be written.
        """
        self._make_directory()
        try:
            record = self._read(environment)
        except StateError:
            record = None  # as good as none, and replaced
        before = record.accepted if record else ()
        digest = executed.digest
        accepted = [_Accepted(digest, by, at), *(one for one in before if one.digest != digest)][:_KEPT]
        data = _sealed(self._name(environment), _Record(executed, accepted))
        write_atomic(self._path(environment), data, durable=True)

    def forget(self, environment: str) -> None:
        """Take all consent back; nothing happens when there is none.

        Raises:
            StateError: the record cannot be removed.
        """
        path = self._path(environment)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StateError(f"{path}: {(error.strerror or str(error)).lower()}") from error

    def _path(self, environment: str) -> Path:
        name = hashlib.sha256(environment.encode(errors="surrogateescape")).hexdigest()[:32]
        return self._directory / f"{name}.json"

    def _name(self, environment: str) -> list[str]:
        """What a record is of, so that it cannot stand for that of another environment or clone."""
        return [os.fsdecode(self._clone), environment]

    def _make_directory(self) -> None:
        self._require_outside()
        try:
            self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StateError(f"{self._home}: {(error.strerror or str(error)).lower()}") from error
        private_directory(self._directory, within=self._home)

    def _require_outside(self) -> None:
        if is_inside(self._directory, self._forbidden):
            hint = "set XDG_DATA_HOME to a directory outside of it"
            raise StateError(f"{self._directory} is in the repository, which cannot vouch for itself", hint)

    def _read(self, environment: str) -> _Record | None:
        """The record; None when there is none.

        Raises:
            StateError: it is not to be relied on.
        """
        path = self._path(environment)
        if not os.path.lexists(path):
            return None
        self._require_outside()
        private_directory(self._directory, within=self._home)
        _require_unwritable(path)
        with open(private_file(path, os.O_RDONLY), "rb") as file:  # noqa: PTH123 (a descriptor has no Path)
            data = file.read()
        try:
            return _opened(self._name(environment), data)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise StateError(f"{path} is damaged: it is not as hookci wrote it") from error


def _require_unwritable(path: Path) -> None:
    """Opening a file makes it private, which comes too late for what stands in it."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise StateError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    if not stat.S_ISLNK(mode) and mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StateError(f"{path} could be written by other users")


def _sealed(name: Sequence[str], record: _Record) -> bytes:
    newest = {"config": record.newest.config, "files": dict(record.newest.files)}
    fields = {"name": name, "newest": newest, "accepted": [to_builtins(one) for one in record.accepted]}
    body = json.dumps(fields, indent=1).encode("ascii")
    return hashlib.sha256(body).hexdigest().encode("ascii") + b"\n" + body


def _opened(name: Sequence[str], data: bytes) -> _Record:
    """The record in ``data``; any error when that is not what `_sealed` has made for this name."""
    seal, _, body = data.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode("ascii") != seal:
        raise ValueError("torn or edited")
    fields = json.loads(body)
    if fields["name"] != name:
        raise ValueError("of another environment or clone")
    record = _Record(Executed(**fields["newest"]), [_Accepted(**one) for one in fields["accepted"]])
    if record.accepted[0].digest != record.newest.digest:
        raise ValueError("not accepted")
    return record
