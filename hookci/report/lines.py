"""A run as lines, told as they happen: for pipes, files and the consoles of editors."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TextIO

from hookci.model.event import JobFinished, JobOutput, JobRetried, JobStarted, Notice, RunFinished, RunStarted
from hookci.model.plan import Action
from hookci.model.text import plain
from hookci.report.tails import Partials
from hookci.report.terminal import paint, shown
from hookci.report.words import STYLES, counted, detail, duration, notice, rough, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.model.event import Event
    from hookci.model.result import JobResult

__all__ = ["LineReporter"]

_NARROWEST, _WIDEST = 11, 30


class LineReporter:
    """An observer that writes one line for each thing that happens, and each line of output when it is complete.

    When nobody reads ``stream`` any more it falls silent: a verdict does not depend on its telling.
    """

    def __init__(self, stream: TextIO, *, color: bool) -> None:
        self._stream: TextIO | None = stream
        self._color = color
        self._lock = threading.RLock()
        self._partials = Partials()
        self._width = _NARROWEST

    def __call__(self, event: Event) -> None:
        """Write what there is to say of ``event``; may be called from any thread."""
        with self._lock:
            self._write("".join(f"{line}\n" for line in self._lines(event)))

    def _write(self, text: str) -> None:
        if not text or self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the reader is gone, or the stream is closed
            self._stream = None

    def _lines(self, event: Event) -> Iterator[str]:
        match event:
            case RunStarted():
                yield from self._run(event)
            case JobStarted(job, attempt):
                yield self._line(job, ">", "started" if attempt == 1 else f"started, attempt {attempt}")
            case JobOutput():
                yield from self._output(event.job, self._partials.complete(event))
            case JobRetried(result):
                yield from self._output(result.name, self._partials.rest(result.name))
                yield self._line(result.name, "=", f"{self._ending(result)}; trying again")
            case JobFinished(result):
                yield from self._output(result.name, self._partials.rest(result.name))
                yield self._line(result.name, "=", self._ending(result))
            case Notice(text, level):
                yield notice(text, level, color=self._color)
            case RunFinished():
                pass  # what there is to say of a whole run is its summary

    def _run(self, event: RunStarted) -> Iterator[str]:
        plan = event.plan
        running = [name for name, planned in plan.jobs.items() if planned.action is Action.RUN]
        self._width = min(max([_NARROWEST, *map(len, running)]), _WIDEST)
        rest = len(plan.jobs) - len(running)
        others = f", {rest} not" if rest else ""
        time = "" if event.expected is None else f", about {rough(event.expected)}"
        what = f"{counted(len(running), 'job')} to run{others}{time}"
        yield f"hookci: run {event.number} on {plain(plan.snapshot.label)}: {what}"

    def _output(self, job: str, lines: tuple[str, ...]) -> Iterator[str]:
        return (self._line(job, "|", shown(line, color=self._color)) for line in lines)

    def _line(self, job: str, sign: str, text: str) -> str:
        prefix = f"{plain(job):{self._width}} {sign}"
        return f"{paint(prefix, 'dim', color=self._color)} {text}".rstrip()

    def _ending(self, result: JobResult) -> str:
        words = paint(told(result.outcome), STYLES[result.outcome], color=self._color)
        time = f" in {duration(result.seconds)}" if result.attempts else ""
        why = detail(result)
        return f"{words}{time}: {why}" if why else f"{words}{time}"
