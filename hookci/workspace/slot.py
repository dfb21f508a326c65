"""One kept workspace, made to hold what a job is to see: an overlay of the checkout that all share, or a checkout."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from hookci.store.locks import FileLock
    from hookci.workspace.checkout import Checkout, Source
    from hookci.workspace.layer import Layer
    from hookci.workspace.mounters import Mounter
    from hookci.workspace.pristine import PristineCheckout, PristineCheckouts

__all__ = ["NO_CACHES", "Caches", "Overlays", "Slot", "Wanted"]


class Caches(Struct, frozen=True):
    """The caches of a job.

    ``keep`` tells which are in place below a directory, ``fill`` puts the others there and says where.
    """

    keep: Callable[[bytes], AbstractSet[bytes]]
    fill: Callable[[bytes], Iterable[bytes]]


NO_CACHES = Caches(lambda _: frozenset(), lambda _: ())


class Wanted(Struct, frozen=True, kw_only=True):
    """What a workspace is to hold: ``tree``, with ``HEAD`` at ``commit``, and ``caches``; no commit, no ``.git``.

    ``shown`` are the paths of the tree ``whole`` that ``tree`` has, None for all.  ``local`` says that nobody but
    processes of this machine will see it.
    """

    tree: str
    commit: str
    whole: str = ""
    shown: Collection[str] | None = None
    local: bool = False
    caches: Caches = NO_CACHES


class Slot(Struct):
    """One workspace, held by one job after the other of a run; ``token`` marks their processes.

    ``workspace`` is the work tree's path, as the job's processes see it.  ``jobs`` are those it had in this run.
    """

    number: int
    directory: Path
    checkout: Checkout
    workspace: bytes
    lock: FileLock
    overlays: Overlays | None
    back: Callable[[Slot], None]
    token: str = field(default_factory=lambda: os.urandom(8).hex())
    jobs: list[str] = field(default_factory=list)
    _shown: _Shown | None = None

    @property
    def found(self) -> bytes:
        """The work tree's path, as we see it."""
        return self.overlays.mounter.seen(self.workspace) if self._shown and self.overlays else self.workspace

    @property
    def enter(self) -> Sequence[str]:
        """What goes before the command line of a process that is to see the workspace."""
        enter = self.overlays.mounter.enter if self._shown and self.overlays else ()
        return [*enter, f"--wd={os.fsdecode(self.found)}", "--"] if enter else ()

    def prepare(self, source: Source, wanted: Wanted, say: Callable[[str], None]) -> None:
        """Make the workspace hold exactly what is wanted: an overlay where that is possible, else a checkout.

        Raises:
            WorkspaceError: that cannot be done.
        """
        if not self._still_shows(source, wanted):
            self.hide()
            if not (wanted.local and wanted.shown is None and self._show(source, wanted)):
                keep, fill = wanted.caches.keep(self.workspace), functools.partial(wanted.caches.fill, self.workspace)
                self.checkout.reset(source, wanted.tree, keep=keep, fill=fill, say=say)
                if wanted.commit:
                    self.checkout.expose(source, wanted.commit, wanted.whole, wanted.shown)
        for line in self._shown.lower.said if self._shown else ():
            say(line)

    def _still_shows(self, source: Source, wanted: Wanted) -> bool:
        """Whether the overlay of the job before is what is wanted: nobody uses it, or has changed anything."""
        shown, overlays = self._shown, self.overlays
        return (
            shown is not None
            and overlays is not None
            and shown.mark is not None
            and (wanted.local and wanted.shown is None and wanted.caches is NO_CACHES)
            and (shown.source is source and shown.tree == wanted.tree and shown.commit == wanted.commit)
            and overlays.mounter.is_idle(self.workspace)
            and shown.layer.mark(self.found) == shown.mark
        )

    def _show(self, source: Source, wanted: Wanted) -> bool:
        """Have an overlay; False where there can be none."""
        overlays = self.overlays
        lower = (
            overlays.checkouts.borrow(source, wanted.tree, wanted.commit) if overlays and not overlays.why_not else None
        )
        if overlays is None or lower is None:
            return False
        from hookci.workspace.layer import Layer  # noqa: PLC0415 (not all have overlays)

        layer = Layer(os.fsencode(self.directory / "layer"), self.workspace)
        try:
            layer.make()
            kept = wanted.caches.keep(layer.upper)
            layer.sweep(kept, source.umask)
            put = wanted.caches.fill(layer.upper)
            layer.settle(lower.path, {*kept, *put})
            layer.show(lower.path, overlays.mounter)
            mark = layer.mark(overlays.mounter.seen(self.workspace))
        except OSError as error:
            overlays.checkouts.give_back(lower)
            overlays.why_not = error.strerror or str(error)
            return False
        except BaseException:
            overlays.checkouts.give_back(lower)
            raise
        self._shown = _Shown(lower, layer, source, wanted.tree, wanted.commit, mark)
        return True

    def hide(self) -> None:
        """Have no overlay any more."""
        shown, self._shown = self._shown, None
        if shown and self.overlays:
            try:
                shown.layer.hide(self.overlays.mounter)
            finally:
                self.overlays.checkouts.give_back(shown.lower)

    def release(self) -> None:
        """Give it back; what is there stays for the next job to start from."""
        self.back(self)


class _Shown(Struct, frozen=True):
    """An overlay that is mounted: what it shows, and its ``mark`` as it was then."""

    lower: PristineCheckout
    layer: Layer
    source: Source
    tree: str
    commit: str
    mark: tuple[object, ...] | None


class Overlays(Struct):
    """What the overlays of one run share; ``why_not`` is the reason that there are none after all."""

    checkouts: PristineCheckouts
    mounter: Mounter
    why_not: str = ""
