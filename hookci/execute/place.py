"""Where the commands of one attempt run: processes of this machine, or a container of an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hookci.execute.output import Output
    from hookci.proc.supervise import Cancel, Ended

__all__ = ["Commands", "Place", "Ran"]


class Commands(Struct, frozen=True, kw_only=True):
    """Shell text to run as one script, under a ``name`` no other script of the attempt has.

    ``environment`` is the whole of what hookci gives it, ``sink`` gets its output as it comes and an empty chunk when
    nothing came for a moment, ``timeout`` is in seconds, ``cancel`` ends it early, ``started`` is called once it
    runs.
    """

    name: str
    texts: Sequence[str]
    environment: Mapping[str, str]
    sink: Callable[[bytes], None]
    timeout: float
    cancel: Cancel
    started: Callable[[], None]


class Ran(Struct, frozen=True):
    """How commands ended, which of them was started last, and why, when the exit status does not say it."""

    ended: Ended
    command: str | None = None
    reason: str = ""


class Place(Protocol):
    """One attempt's place.  The workspace is made by the attempt itself; a place shows it to the commands."""

    @property
    def workspace(self) -> str:
        """The workspace's path as the commands see it."""

    def run_first(self, commands: Commands, output: Output) -> Ran:
        """Run commands before there is anything in the workspace, in an empty directory, to their end.

        Raises:
            HookciError: they could not be run, or nobody knows how they ended.
        """

    def begin(self, environment: Mapping[str, str]) -> None:
        """Begin what can be done while the workspace is still being made; what goes wrong shows in `prepare`."""

    def prepare(self, environment: Mapping[str, str], output: Output, cancel: Cancel) -> None:
        """Make ready what the commands need beside the workspace, which has all its files by now.

        Raises:
            HookciError: that is not possible, so there is no verdict.
        """

    def run(self, commands: Commands) -> Ran:
        """Run commands to their end; nothing of them runs any more afterwards.

        Raises:
            HookciError: they could not be run, or nobody knows how they ended.
        """

    def bring_back(self, patterns: Sequence[str]) -> None:
        """Have in the workspace, readable, what the commands left at ``patterns`` (globs below it)."""

    def close(self) -> None:
        """Leave nothing behind but the workspace."""
