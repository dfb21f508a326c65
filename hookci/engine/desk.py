"""Where one call of hookci asks for its engine: reached when somebody asks first, once for all."""

from __future__ import annotations

import atexit
import contextlib
import threading
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.errors import HookciError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookci.engine.calls import Engine
    from hookci.engine.images import Images

__all__ = ["EngineDesk", "beside", "meanwhile"]


_LAST = 30.0
"""Seconds that the end of hookci waits at most for what goes on beside it; what is left then has its labels."""


def beside(what: Callable[[], object], *, after: float = 0.0) -> None:
    """Do something beside the rest, whose failure changes nothing; hookci does not end before it.

    Args:
        what: raises nothing but HookciErrors.
        after: seconds to wait before, unless hookci ends.
    """
    ends = threading.Event()

    def quietly() -> None:
        ends.wait(after)
        with contextlib.suppress(HookciError):
            what()

    def end() -> None:
        ends.set()
        thread.join(_LAST)

    thread = threading.Thread(target=quietly, name="beside", daemon=True)
    thread.start()
    atexit.register(end)


def meanwhile(what: Callable[[], None]) -> Callable[[], None]:
    """Do something beside the rest; what is returned waits for it, and raises what it raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            what()
        except BaseException as error:  # noqa: BLE001 (raised again where somebody waits)
            errors.append(error)

    def wait() -> None:
        thread.join()
        if errors:
            raise errors[0]

    thread = threading.Thread(target=run, name="meanwhile", daemon=True)
    thread.start()
    return wait


class EngineDesk(Struct):
    """Reaches the engine when the first job asks for it; what went wrong then is said to all that ask later."""

    connect: Callable[[], Engine]
    sees_files: bool = True
    """Whether the engine sees this machine's files; the first job that cannot be given its workspace finds out."""
    _begun: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _reached: tuple[Engine, Images] | HookciError | None = None

    def warm(self) -> None:
        """Begin to reach the engine, beside what else there is to do; once more does nothing."""
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._warm, name="engine", daemon=True).start()

    def _warm(self) -> None:
        with contextlib.suppress(Exception):  # it comes again, where somebody asks
            self._reach()

    @property
    def engine(self) -> Engine:
        """The engine.

        Raises:
            HookciError: it cannot be reached.
        """
        return self._get()[0]

    @property
    def images(self) -> Images:
        """The images of the engine, as this call of hookci has found them.

        Raises:
            HookciError: the engine cannot be reached.
        """
        return self._get()[1]

    def _get(self) -> tuple[Engine, Images]:
        reached = self._reach()
        if isinstance(reached, HookciError):
            raise type(reached)(reached.message, reached.hint) from reached
        return reached

    def _reach(self) -> tuple[Engine, Images] | HookciError:
        with self._lock:
            if self._reached is None:
                from hookci.engine.images import Images  # noqa: PLC0415 (only with an engine)

                try:
                    engine = self.connect()
                    self._reached = (engine, Images(engine))
                except HookciError as error:
                    self._reached = error
            return self._reached
