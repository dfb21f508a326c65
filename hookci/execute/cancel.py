"""Asking one job to end."""

from __future__ import annotations

from msgspec import Struct, field

from hookci.proc.supervise import Cancel

__all__ = ["JobCancel"]


class JobCancel(Struct, frozen=True):
    """Two strengths: ``soft`` ends a job's script but lets its after_script tidy up, ``hard`` ends both."""

    soft: Cancel = field(default_factory=Cancel)
    hard: Cancel = field(default_factory=Cancel)

    def request(self, reason: str, *, hard: bool = False) -> None:
        """Ask for the end; the first reason stays."""
        self.soft.request(reason)
        if hard:
            self.hard.request(reason)

    def close(self) -> None:
        """Give the descriptors back."""
        self.soft.close()
        self.hard.close()
