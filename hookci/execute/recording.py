"""What comes of a run's jobs is written down: several at once, where nobody waits for one."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.model.event import JobFinished
    from hookci.model.memory import NewPass
    from hookci.store.runs import Store

__all__ = ["Recorder"]


class Recorder(Struct, frozen=True):
    """Writes to ``store`` how the jobs of run ``number`` end; with ``share``, other runs may wait for their passes."""

    store: Store
    number: int
    share: bool
    _passes: deque[NewPass] = field(default_factory=deque)

    def keep(self, new: NewPass) -> None:
        """Remember a pass: at once when they share, else with the result of its job; to be called before its end."""
        if self.share:
            self.store.memory.remember_pass(new)
        else:
            self._passes.append(new)

    def record(self, ended: Sequence[JobFinished]) -> None:
        """Write down how jobs ended; one thread at a time."""
        new = [self._passes.popleft() for _ in range(len(self._passes))]
        self.store.record_jobs(self.number, [(event.result, event.held) for event in ended], new)
