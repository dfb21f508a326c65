"""What the start is spared: modules that others import for a case that hookci does not have, or not yet.

The start is most of what a hook costs, and imports are most of the start (docs/explanation/speed.md).  What stands in
for a module does so only while others are imported that ask for it; afterwards it is found as ever.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Later", "import_beside", "import_command_line", "import_paths", "import_values"]


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


def import_beside(name: str, stand_ins: dict[str, ModuleType | None]) -> None:
    """Import ``name`` while ``stand_ins`` are what it finds of these modules, None where there is to be none.

    Source: Python reference, 5.3.1, "The module cache".
    """
    put = {module: stand_in for module, stand_in in stand_ins.items() if module not in sys.modules}
    sys.modules.update(put)  # type: ignore[arg-type]  # None is a part of the protocol
    try:
        importlib.import_module(name)
    except (AttributeError, ImportError):
        pass  # another version asks for something else: it gets all there is
    finally:
        for module, stand_in in put.items():
            if sys.modules.get(module, module) is stand_in:
                del sys.modules[module]
    importlib.import_module(name)


def import_paths() -> None:
    """Import pathlib without what makes URIs, which it asks for at once before Python 3.12."""
    import_beside("pathlib", {"urllib.parse": Later("urllib.parse", "quote_from_bytes")})


def import_values() -> None:
    """Import msgspec without what describes types, and without the types of values that no model has.

    It looks at ``Decimal`` and ``UUID`` to tell such values from others, and takes what typing_extensions has from
    `typing` too since Python 3.11.
    """
    stand_ins: dict[str, ModuleType | None] = {"typing_extensions": None}
    for module, kinds in (("decimal", ("Decimal",)), ("uuid", ("UUID", "SafeUUID"))):
        stand_ins[module] = stand_in = ModuleType(module)
        for kind in kinds:
            setattr(stand_in, kind, type(kind, (), {"unknown": None}))
    for module, *functions in (("inspect",), ("_json_schema", "schema", "schema_components"), ("toml",), ("yaml",)):
        stand_ins[f"msgspec.{module}"] = Later(f"msgspec.{module}", *functions)
    import_beside("msgspec", stand_ins)


def import_command_line() -> None:
    """Import click without what reads source code, of which it needs how a text is put straight, and without UUIDs."""
    inspect = Later("inspect", "cleandoc")
    of_lines: Callable[[str], str] = inspect.__dict__["cleandoc"]

    def cleandoc(text: str) -> str:
        return of_lines(text) if "\n" in text or "\t" in text else text.lstrip()  # most texts are one line

    inspect.__dict__["cleandoc"] = cleandoc
    import_beside("click", {"inspect": inspect, "uuid": Later("uuid", "UUID")})
