"""What a person sees of a run: the live view or lines while it goes on, the summary in the end."""

from __future__ import annotations

import functools
import os
import shlex
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from hookci.cli.surroundings import write_out
from hookci.model.event import RunStarted
from hookci.model.result import Verdict
from hookci.model.snapshot import HookName
from hookci.report.lines import LineReporter
from hookci.report.summary import failure_text, scan_text, success_text
from hookci.report.tails import Tails
from hookci.report.terminal import wants_color

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TextIO

    from hookci.model.event import Event, Observer
    from hookci.model.result import RunResult
    from hookci.report.findings import View

__all__ = ["ColorSetting", "Screen", "screen"]

ColorSetting = Literal["auto", "always", "never"]


class Screen:
    """Shows the events of one run or several, and writes the summary of each when it is over."""

    def __init__(self, stream: TextIO, observer: Observer, *, color: bool, hook: str) -> None:
        self._stream = stream
        self._observer = observer
        self._color = color
        self._hook = hook
        self._tails = Tails()
        self._stages: tuple[str, ...] = ()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, RunStarted):
            self._stages = event.plan.stages
        self._tails(event)
        self._observer(event)

    @property
    def tails(self) -> Mapping[str, Sequence[str]]:
        """The end of the output by job."""
        return self._tails.lines()

    def summary(self, result: RunResult) -> None:
        """Write how a run ended: last on the screen, so that nobody has to scroll."""
        if result.verdict is Verdict.GREEN:
            text = success_text(result, color=self._color)
        else:
            again = functools.partial(self._again, commit=result.commit)
            text = failure_text(result, self._tails.lines(), self._view(), rerun=again)
        write_out(self._stream, text)

    def scans(self, result: RunResult, *, full: bool) -> None:
        """Write all that the scans of a run have found; with ``full`` also what does not block."""
        view = replace(self._view(), full=full, limit=None)
        write_out(self._stream, scan_text(result, self._tails.lines(), view))

    def _view(self) -> View:
        import shutil  # noqa: PLC0415 (a verdict that is green has no need of it)

        from hookci.report.findings import View  # noqa: PLC0415 (a verdict that is green has no need of it)

        width = shutil.get_terminal_size().columns
        return View(width=width, color=self._color, today=datetime.now(UTC).date())

    def _again(self, job: str, commit: str | None) -> str:
        """The command that runs one job on the same thing again: a commit, or the index for None."""
        name = shlex.quote(f"job:{job}" if job in self._stages else job)
        by_hook = "" if self._hook == HookName.PRE_PUSH else f" --hook {self._hook}"
        return f"hookci run {name} {f'--rev {commit[:12]}' if commit else '--staged'}{by_hook}"


@contextmanager
def screen(stream: TextIO, *, color: ColorSetting = "auto", hook: str, live: bool = True) -> Iterator[Screen]:
    """The screen for ``stream``: live on a terminal, lines elsewhere and if not ``live``.

    ``hook`` is on whose behalf jobs run.
    """
    is_tty = stream.isatty()
    colored = wants_color(color, is_tty=is_tty, env=os.environ)
    with ExitStack() as leaving:
        watching = _Watching(stream, leaving, color=colored)
        if live and is_tty and os.environ.get("TERM", "dumb") != "dumb":
            watching.live_once_a_run_starts()
        yield Screen(stream, watching, color=colored, hook=hook)


class _Watching:
    """Lines, or the live view from when a run starts: a verdict that is remembered does not pay for importing rich."""

    def __init__(self, stream: TextIO, leaving: ExitStack, *, color: bool) -> None:
        self._stream = stream
        self._leaving = leaving
        self._color = color
        self._observer: Observer = LineReporter(stream, color=color)
        self._goes_live = False

    def live_once_a_run_starts(self) -> None:
        self._goes_live = True

    def __call__(self, event: Event) -> None:
        if self._goes_live and isinstance(event, RunStarted):
            self._goes_live = False
            from hookci.report.live import LiveReporter, terminal_console  # noqa: PLC0415 (see the class)

            console = terminal_console(self._stream, color=self._color)
            self._observer = self._leaving.enter_context(LiveReporter(console, clock=time.monotonic))
        self._observer(event)
