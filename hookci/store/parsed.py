"""Pipelines that were read once: a config whose bytes were validated before is not validated again."""

from __future__ import annotations

import contextlib
import io
import os
from _pickle import (
    PicklingError,
    Unpickler,
    UnpicklingError,
    dumps,
)  # what `pickle` has too, loaded in a third of the time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from hookci import model
from hookci.errors import StateError
from hookci.model.digests import sha256
from hookci.model.pipeline import Pipeline
from hookci.store.private import private_directory, private_file, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Needed", "ParsedConfigs"]

_MOST = 100
_MODEL = "hookci.model."
_REBUILD = ("msgspec._utils", "rebuild")
"""Makes a value of a class whose fields are given by name; calls nothing but that class."""
_PLAIN = {("builtins", "frozenset"), ("datetime", "date"), _REBUILD}
_SHAPE = 32
"""Bytes."""
_LARGEST = 16 * 1024 * 1024


class Needed(Struct, frozen=True):
    """What a pipeline depends on beside the files it starts in.

    ``files`` are the digests of further ones by path, ``facts`` the predefined variables that were looked at; None is
    what was not there.
    """

    files: Mapping[str, str | None] = field(default_factory=dict)
    facts: Mapping[str, str | None] = field(default_factory=dict)


class ParsedConfigs(Struct, frozen=True):
    """Pipelines by the bytes they were read from, and by the hookci that read them.

    What cannot be read (torn, of another shape, somebody else's) is as good as not there.
    """

    directory: Path
    installation: str

    def get(self, files: Mapping[str, bytes], is_so: Callable[[Needed], bool]) -> Pipeline | None:
        """The pipeline that was read from exactly ``files`` where what it ``Needed`` is so; None if there is none."""
        try:
            with open(private_file(self._path(files), os.O_RDONLY), "rb") as file:  # noqa: PTH123 (a descriptor)
                if file.read(_SHAPE) != _shape():
                    return None
                found, *needed = _Models(io.BytesIO(file.read(_LARGEST))).load()
        except (StateError, OSError, UnpicklingError, EOFError, AttributeError, ValueError, TypeError):
            return None
        return found if isinstance(found, Pipeline) and is_so(Needed(*needed)) else None

    def put(self, files: Mapping[str, bytes], pipeline: Pipeline, needed: Needed) -> None:
        """Keep a pipeline; that it cannot be kept is no error."""
        with contextlib.suppress(StateError, OSError, PicklingError):
            # the first thing that is ever kept here, perhaps
            private_directory(self.directory, within=self.directory.parent.parent)
            data = dumps((pipeline, dict(needed.files), dict(needed.facts)), protocol=5)
            write_atomic(self._path(files), _shape() + data)
            self._prune()

    def _path(self, files: Mapping[str, bytes]) -> Path:
        digest = sha256(self.installation.encode(errors="surrogateescape"))
        for name, content in sorted(files.items()):
            digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
        return self.directory / digest.hexdigest()[:40]

    def _prune(self) -> None:
        kept = sorted(self.directory.iterdir(), key=lambda path: path.lstat().st_mtime_ns)
        for path in kept[:-_MOST]:
            path.unlink(missing_ok=True)


class _Models(Unpickler):
    """Makes values of the model, and nothing else: a file that is not ours must not be able to do anything."""

    def find_class(self, module_name: str, global_name: str) -> Any:  # noqa: ANN401 (a class)
        if module_name.startswith(_MODEL) or (module_name, global_name) in _PLAIN:
            found = super().find_class(module_name, global_name)
            if isinstance(found, type) or (module_name, global_name) == _REBUILD:
                return found
        raise UnpicklingError(f"{module_name}.{global_name} is none of the model's")


def _shape() -> bytes:
    """What the classes of the model are made of: a field more, and values would stand in the wrong place."""
    with os.scandir(Path(model.__file__).parent) as entries:
        looks = ((entry.name, entry.stat()) for entry in entries if entry.name.endswith(".py"))
        rows = sorted(f"{name} {info.st_size} {info.st_mtime_ns}" for name, info in looks)
    return sha256("\n".join(rows).encode()).digest()
