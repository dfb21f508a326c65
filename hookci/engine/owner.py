"""Whose a container, network or volume is: the labels that say it, so that nothing of a killed run stays."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["KEPT", "LABEL", "Owner"]

LABEL = "io.hookci."
"""What the names of all labels begin with."""
KEPT = f"{LABEL}kept"
"""The label of what may outlive its run: workspaces on an engine that sees no files of ours, images that were built."""


class Owner(Struct, frozen=True):
    """The job of a run of a process on a machine: ``process`` and ``host`` say which, also after a restart."""

    repository: str
    run: int
    process: str
    host: str
    job: str = ""

    def of(self, job: str) -> Owner:
        """The same for one job."""
        return replace(self, job=job)

    def labels(self, kind: str) -> dict[str, str]:
        """The labels of a thing of this owner; ``kind``: ``job``, ``service``, ``network``, ``volume``, ``helper``."""
        return {
            f"{LABEL}repository": self.repository,
            f"{LABEL}run": str(self.run),
            f"{LABEL}job": self.job,
            f"{LABEL}process": self.process,
            f"{LABEL}host": self.host,
            f"{LABEL}kind": kind,
        }
