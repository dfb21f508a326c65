"""Modules are found straight where they are: a third of what an import of our own costs is the search for it.

For each module Python lists and looks through directories, and asks for its file three times.  Where our own modules
and those of the standard library are is known beforehand.  What is read is what Python has compiled, and it is held
against the source as Python does it (reference, 5.3.1 "Cached bytecode invalidation"); whatever is not there, or is not
as expected, Python looks for itself.
"""

from __future__ import annotations

import marshal
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import MAGIC_NUMBER
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType

__all__ = ["find_straight"]

_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_KNOWN = sys.stdlib_module_names | {"hookci", "click"}
"""Where nothing goes before a module's source: beside it there is no library of the same name."""
_HEADER = 16
_BY_TIME = bytes(4)
"""The flags of a file that is held against the time and the size of its source (PEP 552)."""


def find_straight() -> None:
    """Find modules of hookci, click and the standard library in the shorter way from now on."""
    if sys.pycache_prefix or not sys.implementation.cache_tag or not hasattr(os, "__file__"):
        return
    place = next((place for place, finder in enumerate(sys.meta_path) if finder is PathFinder), None)
    if place is not None:
        library = os.path.dirname(os.__file__)  # noqa: PTH120 (pathlib comes later)
        sys.meta_path.insert(place, _Straight(library, f".{sys.implementation.cache_tag}.pyc"))


class _Straight:
    """Finds and loads modules that were compiled before."""

    def __init__(self, library: str, ending: str) -> None:
        self._library = library
        self._ending = ending

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        del target
        package, _, last = name.rpartition(".")
        if (package or name).partition(".")[0] not in _KNOWN or (path is not None and len(path) != 1):
            return None
        place = self._library if path is None else path[0]
        return self._spec(name, place, last) or self._spec(name, f"{place}/{last}", "__init__")

    def _spec(self, name: str, place: str, last: str) -> ModuleSpec | None:
        source, compiled = f"{place}/{last}.py", f"{place}/__pycache__/{last}{self._ending}"
        try:
            code = _code_of(source, compiled)
        except (OSError, EOFError, ValueError, TypeError):
            return None
        if code is None or code.co_filename != source:  # what was moved, Python puts right
            return None
        spec = ModuleSpec(name, self, origin=source, loader_state=code)  # type: ignore[arg-type]  # one by its methods
        spec.has_location, spec.cached = True, compiled
        if last == "__init__":
            spec.submodule_search_locations = [place]
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """See `importlib.abc.Loader`: a module as usual."""

    def exec_module(self, module: ModuleType) -> None:
        """See `importlib.abc.Loader`."""
        spec = module.__spec__
        if spec is not None:
            exec(spec.loader_state, module.__dict__)  # noqa: S102 (that is importing)


def _code_of(source: str, compiled: str) -> CodeType | None:
    """What is compiled of a source; None when it is of another Python or another source."""
    descriptor = os.open(compiled, _READ)
    try:
        content = os.read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)
    there = os.stat(source)  # noqa: PTH116 (pathlib comes later)
    stamp = [(number & 0xFFFFFFFF).to_bytes(4, "little") for number in (int(there.st_mtime), there.st_size)]
    if content[:_HEADER] != b"".join((MAGIC_NUMBER, _BY_TIME, *stamp)):
        return None
    code: CodeType = marshal.loads(memoryview(content)[_HEADER:])  # noqa: S302 (as Python does)
    return code
