"""Which kind of workspace jobs of this machine get: the one place that decides."""

from __future__ import annotations

import enum
import os
import sys
from pathlib import Path

__all__ = ["Kind", "decide"]


class Kind(enum.Enum):
    """What jobs work in."""

    COPY = "kept checkouts, one for each job at the same time"
    OVERLAY = "overlays of one kept checkout"
    NAMESPACE = "overlays of one kept checkout, in a user namespace"


def decide(setting: str | None) -> tuple[Kind, str]:
    """The kind to try, and where it is not the quickest, why.

    In a user namespace a job is not what it is elsewhere: programs with the set-user-ID bit, ``sudo`` among them, do
    not work (user_namespaces(7)), and a container engine does not see the workspace.  So a person has to choose it.

    Args:
        setting: ``hookci.workspaces`` (``overlay`` or ``copies``), None where it is not set.
    """
    if setting == "copies":
        return Kind.COPY, "hookci.workspaces is `copies`"
    if sys.platform != "linux":
        return Kind.COPY, "overlays are Linux's"
    if os.geteuid() != 0:
        if setting == "overlay":
            return Kind.NAMESPACE, ""
        return Kind.COPY, "for you an overlay needs a user namespace, in which `sudo` and container engines do not work"
    if setting is None and _is_elsewhere():
        return Kind.COPY, "other programs of this machine, container engines say, do not see what is mounted here"
    return Kind.OVERLAY, ""


def _is_elsewhere() -> bool:
    """Whether this process sees other mounts than the machine's first one (mount_namespaces(7))."""
    try:
        return Path("/proc/self/ns/mnt").readlink() != Path("/proc/1/ns/mnt").readlink()
    except OSError:  # kept from looking at it, which no container is at its own
        return False
