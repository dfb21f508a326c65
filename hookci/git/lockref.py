"""The lock of an environment as its ref on the remote holds it: a blob that says in JSON who has it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from msgspec import to_builtins

from hookci.git.push import OWN_REFS
from hookci.model.release import Lock
from hookci.model.text import plain

__all__ = ["lock_bytes", "lock_of", "lock_ref", "lock_words"]


def lock_ref(environment: str) -> str:
    """The ref on the remote that is there while somebody deploys."""
    return f"{OWN_REFS}lock/{environment}"


def lock_bytes(lock: Lock) -> bytes:
    """What the ref's object holds; unlike that of any other lock, as ``lock.token`` is."""
    fields = to_builtins(lock)
    del fields["oid"]
    return json.dumps(fields).encode("ascii")


def lock_of(environment: str, oid: str, content: bytes) -> Lock:
    """The lock that an object stands for; of one that is not ours only the two names are known."""
    try:
        said = json.loads(content)
        return Lock(
            environment=environment,
            by=str(said["by"]),
            host=str(said["host"]),
            pid=int(said["pid"]),
            start=str(said["start"]),
            since=float(said["since"]),
            commit=str(said["commit"]),
            token=str(said["token"]),
            oid=oid,
        )
    except (KeyError, TypeError, ValueError):
        return Lock(environment=environment, by="", host="", pid=0, start="", since=0.0, commit="", token="", oid=oid)


def lock_words(lock: Lock) -> str:
    """Who holds a lock, on which machine, since when, and for what."""
    if not lock.by:
        return f"somebody holds the lock of {lock.environment} on the remote (object {lock.oid[:8]})"
    since = datetime.fromtimestamp(lock.since, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    who = f"{lock.by} (process {lock.pid} on {lock.host})"
    return plain(f"{who} has been deploying {lock.commit[:8]} to {lock.environment} since {since}")
