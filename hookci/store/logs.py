"""One log file per job: ``logs/<run>/<name>.log``."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from hookci.errors import StateError
from hookci.model.patterns import pattern
from hookci.store.private import new_private_file, open_private_directory, private_directory, private_file

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["Logs", "log_name"]

_PLAIN = pattern(r"[a-z0-9_][a-z0-9._-]{0,79}")
_UNSAFE = pattern(r"[^A-Za-z0-9._-]+")
_NUMBER = pattern(r"[1-9][0-9]{0,17}")
_SHOWN = 80
_DIGEST = 32


def log_name(job: str) -> str:
    """The file name, without ``.log``, of the job ``job``: readable, safe, another one for every name.

    A name of small letters, digits, ``_``, ``.`` and ``-`` stands for itself.  Any other is cut to
    such characters and gets ``~`` and 128 bits of its SHA-256, so that names stay apart also where
    the file system ignores case or normalises Unicode.
    """
    if _PLAIN.fullmatch(job):
        return job
    import hashlib  # noqa: PLC0415 -- costs as much as sqlite3, and most jobs have plain names

    digest = hashlib.sha256(job.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{_UNSAFE.sub('-', job)[:_SHOWN].strip('.-')}~{digest}"


class Logs:
    """The logs of all runs in the state directory ``state``, which is private already."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._root = state / "logs"
        self._opened: dict[int, int] = {}

    def path(self, run: int, job: str) -> Path:
        """Where the log of ``job`` is, or would be."""
        return self._root / str(run) / f"{log_name(job)}.log"

    def prepare(self, run: int) -> Path:
        """Make the directory of ``run``, mode 0700.

        Raises:
            StateError: it, or one above it, is not private.
        """
        path = self._root / str(run)
        descriptor = open_private_directory(path, within=self._state)
        with contextlib.suppress(KeyError):
            os.close(self._opened.pop(run))
        self._opened[run] = descriptor
        return path

    def open(self, run: int, job: str) -> BinaryIO:
        """Open the log of ``job`` at its end, mode 0600 and unbuffered: a kill loses nothing written.

        Its ``name`` is its path.

        Raises:
            StateError: the file or a directory above it is not private.
        """
        if run not in self._opened:
            self.prepare(run)
        path = self.path(run, job)

        def opener(_path: str, flags: int) -> int:
            new = new_private_file(self._opened[run], path.name, flags)
            return private_file(path, flags) if new is None else new

        return open(str(path), "ab", buffering=0, opener=opener)

    def close(self) -> None:
        """Let go of the directories of runs; the logs that were opened stay open."""
        while self._opened:
            os.close(self._opened.popitem()[1])

    def numbers(self) -> frozenset[int]:
        """The runs that have logs.

        Raises:
            StateError: the directory of the logs is not private.
        """
        private_directory(self._root)
        return frozenset(int(entry.name) for entry in self._root.iterdir() if _NUMBER.fullmatch(entry.name))

    def remove(self, run: int) -> None:
        """Remove the logs of ``run``; a link in their place goes, what it points to stays.

        Raises:
            StateError: something cannot be removed.
        """
        import shutil  # noqa: PLC0415 -- dear to import, and only pruning needs it

        root = os.open(private_directory(self._root), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        name = str(run)
        try:
            if stat.S_ISDIR(os.stat(name, dir_fd=root, follow_symlinks=False).st_mode):
                shutil.rmtree(name, dir_fd=root)
            else:
                os.unlink(name, dir_fd=root)
        except FileNotFoundError:
            return  # another process prunes too
        except OSError as error:
            raise StateError(
                f"{self._root / name} cannot be removed: {(error.strerror or str(error)).lower()}"
            ) from error
        finally:
            os.close(root)
