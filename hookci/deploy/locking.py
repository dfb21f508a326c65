"""One deployment per environment at a time: a lock on this machine, and one on the remote when there is one.

The lock here is the kernel's and ends with its holder; the file that says who holds it is only for people.
"""

from __future__ import annotations

import contextlib
import json
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from msgspec import to_builtins

from hookci.errors import HookciError, LockHeldError
from hookci.model.release import Lock
from hookci.store.identity import ProcessIdentity, is_alive
from hookci.store.locks import FileLock
from hookci.store.private import is_private_file, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hookci.git.remote import DeployRemote

__all__ = ["held_words", "holder", "is_locked", "locked"]

_POLL = 0.2
_T = TypeVar("_T")


@contextmanager
def locked(state: Path, lock: Lock, remote: DeployRemote | None, keep_waiting: Callable[[], bool]) -> Iterator[Lock]:
    """Hold the environment's locks; the lock that is given has its object's name on the remote.

    Args:
        state: the private directory of deployments.
        lock: who is going to deploy what.
        remote: where the other lock is; None for none.
        keep_waiting: asked when a lock is held by somebody else; False gives up.

    Raises:
        LockHeldError: somebody else holds it.
    """
    local = FileLock(state / f"{lock.environment}.lock")
    _wait(lambda: _take(local, state, lock.environment), keep_waiting)
    try:
        left = holder(state, lock.environment)
        # before the other is taken: should the answer get lost, the next deployment from here knows it for its own
        if remote is not None:
            _clear_own(remote, lock.environment, left)
        _write_holder(state, lock)
        held = lock if remote is None else _take_there(remote, state, lock, keep_waiting)
        _write_holder(state, held)
        try:
            yield held
        finally:
            if remote is None or _is_given_back(remote, held):
                _forget_holder(state, lock.environment)
    finally:
        local.release()


def _take_there(remote: DeployRemote, state: Path, lock: Lock, keep_waiting: Callable[[], bool]) -> Lock:
    try:
        return _wait(lambda: remote.lock(lock.environment, lock), keep_waiting)
    except LockHeldError:
        _forget_holder(state, lock.environment)
        raise


def _is_given_back(remote: DeployRemote, held: Lock) -> bool:
    """Give the lock on the remote back; without an answer, the next deployment from here does."""
    try:
        remote.unlock(held)
    except HookciError:
        return False
    return True


def _forget_holder(state: Path, environment: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        _holder_file(state, environment).unlink()


def _take(local: FileLock, state: Path, environment: str) -> None:
    if not local.try_acquire():
        raise LockHeldError(held_words(environment, holder(state, environment)), "--wait waits for it")


def held_words(environment: str, lock: Lock | None) -> str:
    """Who holds a lock, since when, and for what."""
    if lock is None:
        return f"somebody else is deploying to {environment} on this machine"
    since = datetime.fromtimestamp(lock.since, UTC).astimezone().strftime("%H:%M:%S")
    who = f"{lock.by} (process {lock.pid} on {lock.host})"
    return f"{who} has been deploying {lock.commit[:8]} to {environment} since {since}"


def _wait(take: Callable[[], _T], keep_waiting: Callable[[], bool]) -> _T:
    while True:
        try:
            return take()
        except LockHeldError:
            if not keep_waiting():
                raise
        time.sleep(_POLL)


def _clear_own(remote: DeployRemote, environment: str, left: Lock | None) -> None:
    """Take away the lock on the remote that a process of this clone left when it was killed: we hold the one here."""
    seen = remote.read_lock(environment) if left is not None else None
    if seen is not None and left is not None and seen.token == left.token:
        remote.steal(environment, seen)


def is_locked(state: Path, environment: str) -> bool:
    """Whether a deployment to ``environment`` goes on here now, told without taking the lock for a moment."""
    held = holder(state, environment)
    return held is not None and is_alive(ProcessIdentity(held.pid, held.start))


def holder(state: Path, environment: str) -> Lock | None:
    """Who holds the lock here, or held it and was killed; None when that is not known."""
    path = _holder_file(state, environment)
    if not is_private_file(path):
        return None
    try:
        return Lock(**json.loads(path.read_text(encoding="ascii")))
    except (OSError, ValueError, TypeError):
        return None


def _write_holder(state: Path, lock: Lock) -> None:
    write_atomic(_holder_file(state, lock.environment), json.dumps(to_builtins(lock)).encode("ascii"))


def _holder_file(state: Path, environment: str) -> Path:
    return state / f"{environment}.holder"
