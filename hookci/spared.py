"""What the start is spared: modules that others import for a case that hookci does not have, or not yet.

The start is most of what a hook costs, and imports are most of the start (docs/explanation/speed.md).  What stands in
for a module does so only while others are imported that ask for it; afterwards it is found as ever.
"""

from __future__ import annotations

import _thread
import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

__all__ = ["Later", "import_beside", "import_command_line", "import_paths", "import_processes", "import_values"]


class Later(ModuleType):
    """A module that is imported when something of it is asked for; its ``functions`` when they are called."""

    def __init__(self, name: str, *functions: str) -> None:
        super().__init__(name)
        for function in functions:
            setattr(self, function, self._later(function))

    def _later(self, function: str) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            found: object = getattr(self._itself(), function)(*arguments, **named)
            return found

        return call

    def _itself(self) -> ModuleType:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return importlib.import_module(self.__name__)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # the import system looks at these (reference, 5.4.5)
            raise AttributeError(name)
        return getattr(self._itself(), name)


class _Hiding:
    """Lets the thread that made it find none of some modules; the others find them as ever."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._thread = _thread.get_ident()

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """See `importlib.abc.MetaPathFinder`."""
        del path, target
        if name in self._names and _thread.get_ident() == self._thread:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def import_beside(
    name: str, stand_ins: Mapping[str, ModuleType], hidden: Collection[str] = (), along: Sequence[str] = ()
) -> None:
    """Import ``name`` while it finds ``stand_ins`` for some modules, and none of those that are ``hidden``.

    Other threads find what there is.  ``along`` are packages that come along; should another version of them ask a
    stand-in for more than it has, all is imported anew as it is.
    """
    before = set(sys.modules)
    put = {module: stand_in for module, stand_in in stand_ins.items() if module not in before}
    hiding = _Hiding(hidden)
    sys.meta_path.insert(0, hiding)
    sys.modules.update(put)
    try:
        importlib.import_module(name)
    except (AttributeError, ImportError):
        for module in set(sys.modules) - before:
            if module.partition(".")[0] in {name, *along}:
                del sys.modules[module]
    finally:
        sys.meta_path.remove(hiding)
        for module, stand_in in put.items():
            if sys.modules.get(module) is stand_in:
                del sys.modules[module]
    importlib.import_module(name)


def import_paths() -> None:
    """Import pathlib without what makes URIs, which it asks for at once before Python 3.12."""
    import_beside("pathlib", {"urllib.parse": Later("urllib.parse", "quote_from_bytes")})


def import_processes() -> None:
    """Import subprocess without what knows how text is encoded here, which it asks for text alone."""
    import_beside("subprocess", {"locale": Later("locale")})


def import_values() -> None:
    """Import msgspec without what describes types, and without the types of values that no model has.

    It looks at ``Decimal`` and ``UUID`` to tell such values from others, and takes what typing_extensions has from
    `typing` too since Python 3.11.
    """
    stand_ins: dict[str, ModuleType] = {}
    for module, kinds in (("decimal", ("Decimal",)), ("uuid", ("UUID", "SafeUUID"))):
        stand_ins[module] = stand_in = ModuleType(module)
        for kind in kinds:
            setattr(stand_in, kind, type(kind, (), {"unknown": None}))
    for module, *functions in (("inspect",), ("_json_schema", "schema", "schema_components"), ("toml",), ("yaml",)):
        stand_ins[f"msgspec.{module}"] = Later(f"msgspec.{module}", *functions)
    import_beside("msgspec", stand_ins, hidden=("typing_extensions",))


def import_command_line() -> None:
    """Import click without what reads source code, of which it needs how a text is put straight, and without UUIDs.

    It speaks English, as hookci does: the catalogue that it would look for (``messages``) is nobody's.
    """
    inspect = Later("inspect", "cleandoc")
    of_lines: Callable[[str], str] = inspect.__dict__["cleandoc"]

    def cleandoc(text: str) -> str:
        return of_lines(text) if "\n" in text or "\t" in text else text.lstrip()  # most texts are one line

    inspect.__dict__["cleandoc"] = cleandoc
    gettext = ModuleType("gettext")
    vars(gettext).update(gettext=str, ngettext=lambda one, more, count: one if count == 1 else more)
    import_beside("click", {"inspect": inspect, "gettext": gettext, "uuid": Later("uuid", "UUID")})
