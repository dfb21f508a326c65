"""A run as a live view in a terminal."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from hookci.model.event import Notice, RunFinished, RunStarted
from hookci.report.board import Board
from hookci.report.frame import Frame
from hookci.report.words import notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookci.model.event import Event

__all__ = ["LiveReporter", "terminal_console"]

_REFRESH_SECONDS = 0.1


def terminal_console(stream: TextIO, *, color: bool) -> Console:
    """A console that writes to the terminal behind ``stream``; rich looks nothing up in the environment."""
    return Console(
        file=stream,
        color_system="standard" if color else None,
        force_terminal=True,
        force_jupyter=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )


class LiveReporter:
    """An observer that shows where each job stands, again and again, and leaves a compact final state.

    On a console that is no terminal only the final state is written.  Use it as a context manager,
    so that the terminal is left in order whatever happens.

    Args:
        console: where to show it, see `terminal_console`.
        clock: seconds of a clock that does not go back.
    """

    def __init__(self, console: Console, *, clock: Callable[[], float]) -> None:
        self._console = console
        self._clock = clock
        # One lock around all of rich and the board: rich's own locks are only ever taken inside of it.
        self._lock = threading.RLock()
        self._board: Board | None = None
        self._live: Live | None = None
        self._over = threading.Event()
        self._refresher: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, event: Event) -> None:
        """Take in what ``event`` changes; may be called from any thread."""
        match event:
            case RunStarted():
                self._begin(event)
            case RunFinished():
                self._end(event)
            case Notice(text, level):
                with self._lock, suppress(OSError, ValueError):
                    self._console.print(Text.from_ansi(notice(text, level, color=True)), soft_wrap=True)
            case _:
                with self._lock:
                    if self._board:
                        self._board.apply(event, self._clock())

    def close(self) -> None:
        """Leave the terminal in order; nothing is shown any more until the next run starts."""
        self._over.set()
        if self._refresher:
            self._refresher.join()
        with self._lock:
            live, self._live, self._board = self._live, None, None
            if live:
                with suppress(OSError, ValueError):  # the terminal is gone
                    live.stop()

    def _begin(self, event: RunStarted) -> None:
        self.close()
        with self._lock:
            self._board = Board(event, self._clock())
            if not self._console.is_terminal:
                return
            self._live = Live(
                console=self._console,
                get_renderable=self._frame,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
                vertical_overflow="crop",
            )
            with suppress(OSError, ValueError):
                self._live.start(refresh=True)
        self._over = threading.Event()
        self._refresher = threading.Thread(target=self._refresh, args=(self._live, self._over), daemon=True)
        self._refresher.start()

    def _refresh(self, live: Live, over: threading.Event) -> None:
        """Keep time moving while nothing happens; ends when the terminal is gone."""
        with suppress(OSError, ValueError):
            while not over.wait(_REFRESH_SECONDS):
                with self._lock:
                    live.refresh()

    def _end(self, event: RunFinished) -> None:
        with self._lock:
            board = self._board
        self.close()
        with self._lock, suppress(OSError, ValueError):
            if board:
                board.apply(event, self._clock())
                self._console.print(*self._room(self._console.width).final(board), sep="\n")

    def _frame(self) -> Group:
        size = self._console.size
        # One column stays free: a line that fills the last one counts as two when the terminal gets narrower.
        return Group(*self._room(size.width - 1).running(self._board)) if self._board else Group()

    def _room(self, width: int) -> Frame:
        console = self._console
        return Frame(width=width, height=console.size.height - 1, encoding=console.encoding, now=self._clock())
