"""What programs get of a run: one JSON document, events as JSON Lines, JUnit's XML."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hookci.cli.surroundings import write_out
from hookci.errors import HookciError, UsageError
from hookci.report.events import EventWriter
from hookci.report.junit import junit_xml
from hookci.report.machine import Recorder, as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hookci.model.event import Event
    from hookci.model.result import RunResult

__all__ = ["Outputs"]


class Outputs:
    """An observer that writes what programs asked for: events at once, everything else in the end.

    Args:
        clock: unix seconds.
        as_json: whether to write the run as a document to the standard output.
        events: whether to write events to the standard output.
        junit: the file for the run as JUnit's XML; one that is left from another run is removed at once.

    Raises:
        UsageError: that file cannot be.
    """

    def __init__(self, clock: Callable[[], float], *, as_json: bool, events: bool, junit: Path | None) -> None:
        self._recorder = Recorder(clock)
        self._events = EventWriter(lambda line: write_out(sys.stdout, line), clock) if events else None
        self._as_json = as_json
        self._junit = junit
        if junit is not None:
            _make_room(junit)

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        self._recorder(event)
        if self._events:
            self._events(event)

    def finish(self, result: RunResult, tails: Mapping[str, Sequence[str]]) -> None:
        """Write what comes in the end.

        Raises:
            HookciError: a file cannot be written.
        """
        if self._junit is not None:
            try:
                self._junit.write_bytes(junit_xml(result, tails, started=self._recorder.started))
            except OSError as error:
                raise HookciError(f"{self._junit} cannot be written: {error.strerror}") from error
        if self._as_json:
            write_out(sys.stdout, as_json(self._recorder.run_document(result)))


def _make_room(junit: Path) -> None:
    if not junit.parent.is_dir():
        raise UsageError(f"--junit: {junit.parent} is not a directory")
    if junit.is_file() and not junit.is_symlink():
        try:
            junit.unlink()
        except OSError as error:
            raise UsageError(f"--junit: {junit} cannot be replaced: {error.strerror}") from error
