"""When a pipeline is cancelled by itself.

Source: GitLab CI/CD YAML reference, "workflow:auto_cancel:on_new_commit" and "workflow:auto_cancel:on_job_failure".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.config.gitlab.shapes import table
from hookci.config.words import did_you_mean, show

if TYPE_CHECKING:
    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path

__all__ = ["read_auto_cancel"]

_ALLOWED = {"on_new_commit": ("conservative", "interruptible", "none"), "on_job_failure": ("none", "all")}


def read_auto_cancel(value: object, path: Path, ledger: Ledger) -> bool | None:
    """Whether the first job that fails ends all others; None where that is not said."""
    said = table(value, path, ledger, _ALLOWED)
    for key, word in said.items():
        allowed = _ALLOWED.get(key)
        if allowed is not None and word not in allowed:
            hint = did_you_mean(word, allowed) if isinstance(word, str) else None
            ledger.problem((*path, key), f"must be one of: {', '.join(allowed)}, saw {show(word)}", hint)
    return said["on_job_failure"] == "all" if "on_job_failure" in said else None
