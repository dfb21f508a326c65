"""Who mounts the overlays of a run: this process, for all to see, or a helper in namespaces of its own."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hookci.errors import HookciError
from hookci.workspace import mounts
from hookci.workspace.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.proc.held import Held

__all__ = ["Mounter", "mounter", "try_overlay"]

_SYSTEM = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin:/run/current-system/sw/bin"
_HELPER = str(Path(__file__).with_name("namespace.py"))


class Mounter(Protocol):
    """Mounts and unmounts; ``enter`` goes before the command line of what is to see the mounts."""

    @property
    def enter(self) -> Sequence[str]:
        """Nothing, where everybody sees them."""

    def seen(self, path: bytes) -> bytes:
        """Where this process finds what is mounted at ``path``."""

    def mount(self, lower: bytes, upper: bytes, work: bytes, target: bytes) -> None:
        """Show ``lower`` at ``target``, with all changes going to ``upper``.

        Raises:
            OSError: that is not possible here.
        """

    def is_idle(self, target: bytes) -> bool:
        """Whether it is mounted, and nobody uses it."""

    def unmount(self, target: bytes) -> bool:
        """Undo it; False when somebody still uses it, and keeps it."""

    def close(self) -> None:
        """Mount nothing any more."""


def mounter(kind: Kind, python: str) -> Mounter:
    """What mounts overlays of a kind; ``python`` is our interpreter."""
    return _Namespace(python) if kind is Kind.NAMESPACE else _Here()


def try_overlay(directory: Path, kind: Kind, python: str) -> str:
    """Mount an overlay below ``directory``, and say why that is not possible; empty when it is."""
    import tempfile  # noqa: PLC0415 (for a look at an installation only)

    mounting = mounter(kind, python)
    try:
        with tempfile.TemporaryDirectory(dir=directory) as top:
            lower, upper, work, target = (os.fsencode(tempfile.mkdtemp(dir=top)) for _ in range(4))
            mounting.mount(lower, upper, work, target)
            mounting.unmount(target)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    finally:
        mounting.close()
    return ""


class _Here:
    """Mounts where this process lives: engines see it too."""

    enter: Sequence[str] = ()

    def seen(self, path: bytes) -> bytes:
        return path

    def mount(self, lower: bytes, upper: bytes, work: bytes, target: bytes) -> None:
        mounts.mount_overlay(lower, upper, work, target, mounts.PRIVILEGED)

    def is_idle(self, target: bytes) -> bool:
        return mounts.is_idle(target)

    def unmount(self, target: bytes) -> bool:
        return mounts.unmount(target) is not False

    def close(self) -> None:
        pass


class _Namespace:
    """Has a helper mount in a user namespace and a mount namespace; they last as long as it, or a job in them."""

    def __init__(self, python: str) -> None:
        self._python = python
        self._guard = threading.Lock()
        self._helper: Held | None = None
        self._program = ""

    @property
    def enter(self) -> Sequence[str]:
        at = f"/proc/{self._pid}/ns"
        return [self._program, "--preserve-credentials", f"--user={at}/user", f"--mount={at}/mnt"]

    @property
    def _pid(self) -> int:
        return self._helper.child.pid if self._helper else 0

    def seen(self, path: bytes) -> bytes:
        return b"/proc/%d/root" % self._pid + path

    def mount(self, lower: bytes, upper: bytes, work: bytes, target: bytes) -> None:
        with self._guard:
            if self._helper is None:
                self._start()
            self._ask("mount", lower, upper, work, target)

    def is_idle(self, target: bytes) -> bool:
        with self._guard, contextlib.suppress(OSError):  # the helper may be gone
            return self._ask("idle", target) != "busy"
        return False

    def unmount(self, target: bytes) -> bool:
        with self._guard:
            return self._ask("unmount", target) != "busy"

    def close(self) -> None:
        with self._guard:
            if self._helper is not None:
                self._helper.close()
                self._helper = None

    def _start(self) -> None:
        from shutil import which  # noqa: PLC0415 (few have these namespaces)

        from hookci.proc.held import hold  # noqa: PLC0415 (the same)

        self._program = which("nsenter", path=_SYSTEM) or ""
        if not self._program:
            raise OSError(0, "there is no `nsenter`, which is part of util-linux")
        try:
            self._helper = hold([self._python, "-I", "-S", _HELPER], cwd="/", env={})
        except HookciError as error:
            raise OSError(0, error.message) from error
        self._answer()

    def _ask(self, *words: str | bytes) -> str:
        line = json.dumps([os.fsdecode(word) for word in words]).encode("ascii")
        if self._helper is None or self._helper.child.stdin is None:
            raise OSError(0, "no namespaces")
        self._helper.child.stdin.write(line + b"\n")
        self._helper.child.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        helper = self._helper
        line = helper.child.stdout.readline() if helper and helper.child.stdout else b""
        said = line.decode(errors="replace").strip()
        if said not in {"done", "busy"}:
            raise OSError(0, said or (helper.complaint if helper else "") or "the helper ended")
        return said
