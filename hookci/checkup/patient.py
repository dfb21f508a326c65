"""What every check looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path

    from hookci.git.repository import Repository
    from hookci.session import Machine

__all__ = ["Patient"]


class Patient(Struct, frozen=True):
    """A repository on a machine.  Not a `hookci.session.Session`: that one takes settings that make sense."""

    machine: Machine
    repository: Repository

    @property
    def user_settings(self) -> Path:
        """The user's own settings file, which may be missing."""
        return self.machine.config_home / "hookci" / "config.toml"
