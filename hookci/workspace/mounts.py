"""Mounting one directory as a change to another: mount(2) and overlayfs, on Linux.

Source: the kernel's Documentation/filesystems/overlayfs.rst.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NAMESPACE", "PRIVILEGED", "is_idle", "mount_overlay", "unmount"]

PRIVILEGED = b"redirect_dir=on,index=off,metacopy=off,volatile"
"""For root: directories of the lower layer can be renamed, and nothing waits for a disk when it is unmounted."""
NAMESPACE = b"userxattr,index=off,metacopy=off,volatile"
"""For who is root of a user namespace only."""
_DETACH, _EXPIRE, _NOFOLLOW = 2, 4, 8


def mount_overlay(lower: bytes, upper: bytes, work: bytes, target: bytes, options: bytes = PRIVILEGED) -> None:
    """Show ``lower`` at ``target``, with all changes going to ``upper``.

    Raises:
        OSError: that is not possible here.
    """
    with _opened(lower, upper, work, target) as (low, up, own, there):
        # by descriptor: no sign in a path means anything, no path is too long, and no link is followed
        data = b"lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d," % (low, up, own)
        _check(_libc().mount(b"hookci", b"/proc/self/fd/%d" % there, b"overlay", 0, data + options), target)
    if os.statvfs(target).f_flag & os.ST_RDONLY:  # what is below the upper directory cannot do all that is needed
        unmount(target)
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fsdecode(target))


def is_idle(target: bytes) -> bool:
    """Whether something is mounted at ``target`` that nobody uses; it stays there.

    Source: umount(2), ``MNT_EXPIRE``: only a second call would unmount it, and only if nobody looked there in between.
    """
    import ctypes  # noqa: PLC0415 (loaded with what is asked)

    refused: bool = _libc().umount2(target, _NOFOLLOW | _EXPIRE) != 0
    return refused and ctypes.get_errno() == errno.EAGAIN


def unmount(target: bytes) -> bool | None:
    """Undo it; True when it is gone, False when somebody still uses it and keeps it, None when there was none.

    What a job has mounted over it goes as well.
    """
    gone = None
    while (one := _unmount(target)) is not None:
        gone = one
        if not one:
            return False
    return gone


def _unmount(target: bytes) -> bool | None:
    try:
        _check(_libc().umount2(target, _NOFOLLOW), target)
    except OSError as error:
        if error.errno != errno.EBUSY:
            return None
        with contextlib.suppress(OSError):
            _check(_libc().umount2(target, _NOFOLLOW | _DETACH), target)
        return False
    return True


@contextlib.contextmanager
def _opened(*paths: bytes) -> Iterator[list[int]]:
    with contextlib.ExitStack() as stack:
        descriptors = []
        for path in paths:
            descriptors.append(os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC))
            stack.callback(os.close, descriptors[-1])
        yield descriptors


@functools.cache
def _libc():  # type: ignore[no-untyped-def]  # noqa: ANN202 (ctypes is imported here, and with overlays only)
    import ctypes  # noqa: PLC0415 (with overlays only)

    return ctypes.CDLL(None, use_errno=True)


def _check(status: int, path: bytes) -> None:
    if status != 0:
        import ctypes  # noqa: PLC0415 (loaded by now)

        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), os.fsdecode(path))
