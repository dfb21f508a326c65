"""The helper that mounts overlays in a user namespace and a mount namespace of its own, for who is not root.

It is run by its path, by a Python that has nothing else.  It says ``done`` when it has the namespaces, and after each
line that asks for something; it ends with its standard input.
Sources: user_namespaces(7), mount_namespaces(7), unshare(2).
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path

_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000
_PRIVATE, _ALL = 1 << 18, 1 << 14


def main() -> None:
    """Answer until nobody asks any more."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    _enter()
    _say("done")
    for line in sys.stdin:
        word, *paths = json.loads(line)
        try:
            _say(_do(word, [os.fsencode(path) for path in paths]))
        except OSError as error:
            _say(error.strerror or str(error))


def _do(word: str, paths: list[bytes]) -> str:
    from hookci.workspace.mounts import NAMESPACE, is_idle, mount_overlay, unmount  # noqa: PLC0415 (see above)

    if word == "unmount":
        return "busy" if unmount(paths[0]) is False else "done"
    if word == "idle":
        return "done" if is_idle(paths[0]) else "busy"
    lower, upper, work, target = paths
    mount_overlay(lower, upper, work, target, NAMESPACE)
    return "done"


def _enter() -> None:
    user, group = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_USER | _NEW_MOUNTS) != 0 or libc.mount(b"none", b"/", None, _ALL | _PRIVATE, None) != 0:
        _say(f"no user namespace: {os.strerror(ctypes.get_errno()).lower()}")
        sys.exit(1)
    for name, content in (("uid_map", f"{user} {user} 1"), ("setgroups", "deny"), ("gid_map", f"{group} {group} 1")):
        Path(f"/proc/self/{name}").write_text(content, encoding="ascii")


def _say(answer: str) -> None:
    sys.stdout.write(f"{answer}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
