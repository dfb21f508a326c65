"""An engine of a user who is not root, with no power beyond that user's."""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from own_engine import OwnEngine
from wanted import needed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["rootless_engine"]

_START = Path("/usr/share/docker.io/contrib/dockerd-rootless.sh")
"""Where Debian has it; others put it on the PATH."""
_SANDBOX = (
    "DOCKERD_ROOTLESS_ROOTLESSKIT_SLIRP4NETNS_SANDBOX=false DOCKERD_ROOTLESS_ROOTLESSKIT_SLIRP4NETNS_SECCOMP=false"
)


class RootlessEngine(OwnEngine):
    """Docker's rootless mode as the user ``uid``, who is known in its own mount namespace only."""

    def __init__(self, place: Path, uid: int) -> None:
        super().__init__(place)
        self.uid = uid
        for name, line in (
            ("passwd", f"stranger:x:{uid}:{uid}::{place}:/bin/sh"),
            ("subuid", "stranger:700000:65536"),
            ("subgid", "stranger:700000:65536"),
        ):
            (place / name).write_text(f"{line}\n")
        os.chown(place, uid, uid)
        for path in place.iterdir():
            os.chown(path, uid, uid)

    def apart(self) -> list[str]:
        """The command before its options."""
        for program in ("rootlesskit", "slirp4netns", "newuidmap"):
            needed(program)
        start = str(_START) if _START.exists() else needed("dockerd-rootless.sh")
        binds = "; ".join(f"mount --bind {self.place}/{name} /etc/{name}" for name in ("passwd", "subuid", "subgid"))
        become = f"setpriv --reuid={self.uid} --regid={self.uid} --clear-groups"
        own = f"env HOME={self.place} XDG_RUNTIME_DIR={self.place} {_SANDBOX}"
        options = "--storage-driver=vfs --bridge=none --iptables=false"
        script = f'set -e; {binds}; exec {own} {become} {shlex.quote(start)} {options} "$@"'
        return [needed("unshare"), "--mount", "--propagation", "private", "sh", "-c", script, "sh"]


@contextmanager
def rootless_engine(top: Path, uid: int) -> Iterator[RootlessEngine]:
    """One below ``top``, a short path."""
    place = top / "engine"
    place.mkdir()
    engine = RootlessEngine(place, uid)
    try:
        yield engine.start()
    finally:
        engine.close()
