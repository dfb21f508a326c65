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

__all__ = ["Outputs", "make_room", "write_file"]


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
            make_room(junit, "--junit")

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
            write_file(self._junit, junit_xml(result, tails, started=self._recorder.started))
        if self._as_json:
            write_out(sys.stdout, as_json(self._recorder.run_document(result)))


def make_room(file: Path, option: str) -> None:
    """Remove a file that is left from another run, so that it does not stay when there is no verdict.

    Raises:
        UsageError: a file that ``option`` names cannot be.
    """
    if not file.parent.is_dir():
        raise UsageError(f"{option}: {file.parent} is not a directory")
    if file.is_file() and not file.is_symlink():
        try:
            file.unlink()
        except OSError as error:
            raise UsageError(f"{option}: {file} cannot be replaced: {error.strerror}") from error


def write_file(file: Path, data: bytes) -> None:
    """Write what a person asked for.

    Raises:
        HookciError: it cannot be written.
    """
    try:
        file.write_bytes(data)
    except OSError as error:
        raise HookciError(f"{file} cannot be written: {error.strerror}") from error
