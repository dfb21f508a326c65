"""Deployments on a remote that several clones share: releases, requests, and a lock that one clone holds at a time.

The lock is the ref ``refs/hookci/lock/<environment>``.  It holds a blob unlike any other, is made on the condition
that it is not there, and is deleted on the condition that it is still ours, in the same push as the new releases: a
deployment whose lock was taken away can publish nothing.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.errors import GitError, HookciError, LockHeldError
from hookci.git.lockref import lock_bytes, lock_of, lock_ref, lock_words
from hookci.git.releases import release_ref, releases
from hookci.git.requests import APPROVALS, REQUESTS, prune_requests, requests
from hookci.git.tags import free_refs, ref_objects
from hookci.git.wire import Change, RemoteError, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookci.git.repository import Repository
    from hookci.git.snapshots import Scratch
    from hookci.model.release import Lock

__all__ = ["DeployRemote", "PublishError", "PublishFailure", "ReleaseConflictError"]

_ATTEMPTS = 5
_TAGS = "refs/tags/"
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class ReleaseConflictError(HookciError):
    """The same number stands for different releases here and on the remote."""


class PublishFailure(Enum):
    """Why releases could not be published."""

    LOCK_LOST = "lock lost"
    NUMBER_TAKEN = "number taken"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


class PublishError(HookciError):
    """Releases are tagged here, and not on the remote."""

    def __init__(self, failure: PublishFailure, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.failure = failure


class DeployRemote(Struct, frozen=True):
    """The remote ``name`` of a repository; what only passes through here goes to ``scratch``.

    ``timeout`` bounds each conversation with it, in seconds.  Every method can raise `RemoteError`: no answer.
    """

    name: str
    repository: Repository
    scratch: Scratch
    timeout: float = 120.0

    # -- releases

    def fetch(self, environment: str) -> None:
        """Bring releases, requests and approvals of an environment that are not here yet; nothing is overwritten.

        Raises:
            ReleaseConflictError: a release is another here than there; nothing was brought.
        """
        there = self._listing(environment)
        here = ref_objects(self.repository, _below(environment))
        for ref in sorted(there):
            if ref.startswith(_TAGS) and here.get(ref, there[ref]) != there[ref]:
                tag = ref.removeprefix(_TAGS)
                two = f"{here[ref][:12]} here and {there[ref][:12]} on {self.name}"
                hint = f"find out which is live; `git tag -d {tag}` gives up yours"
                raise ReleaseConflictError(f"the tag {tag} is {two}", hint)
        self._bring(there, here)

    def unpublished(self, environment: str) -> list[int]:
        """The numbers of the releases that are here and not on the remote, the oldest first."""
        there = self._listing(environment)
        known = sorted(release.number for release in releases(self.repository, environment))
        return [number for number in known if release_ref(environment, number) not in there]

    def publish(self, environment: str, numbers: Sequence[int], lock: Lock | None) -> None:
        """Push releases and give the lock back, all at once or not at all.

        What an interrupted push has done already is no failure.

        Raises:
            PublishError: that did not succeed; its ``failure`` says why.
            GitError: one of the releases is not here.
        """
        here = ref_objects(self.repository, [release_ref(environment, number) for number in numbers])
        tags = []
        for number in numbers:
            ref = release_ref(environment, number)
            if ref not in here:
                raise GitError(f"there is no release {number} of {environment} here to publish")
            tags.append(Change(ref, new=here[ref]))
        freed = [Change(lock_ref(environment), old=lock.oid)] if lock is not None and lock.oid else []
        if not tags and not freed:
            return
        try:
            pushed = self._wire.push([*tags, *freed])
            if not all(pushed.did(change) or pushed.found(change) for change in (*tags, *freed)):
                self._judge(environment, tags, freed, pushed.error)
        except RemoteError as error:
            raise PublishError(PublishFailure.UNREACHABLE, error.message, error.hint) from error

    def _judge(
        self, environment: str, tags: Sequence[Change], freed: Sequence[Change], error: RemoteError | None
    ) -> None:
        """Why a push failed, told from what is on the remote now; nothing when it is as it was to become."""
        there = self._listing(environment)
        is_lost = any(there.get(change.ref) != change.old for change in freed)
        if all(there.get(tag.ref) == tag.new for tag in tags) and (is_lost or not freed):
            return  # it went through, or an earlier one did, and the answer was lost
        if is_lost:
            words = f"the lock of {environment} was taken away: {self._holder_words(environment)}"
            raise PublishError(PublishFailure.LOCK_LOST, words)
        for tag in tags:
            if there.get(tag.ref, tag.new) != tag.new:
                words = f"{tag.ref.removeprefix(_TAGS)} is another release on {self.name}"
                raise PublishError(PublishFailure.NUMBER_TAKEN, words)
        message = error.message if error else f"the remote {self.name} did not take the releases"
        raise PublishError(PublishFailure.REFUSED, message, error.hint if error else None)

    # -- lock

    def lock(self, environment: str, lock: Lock) -> Lock:
        """Take the environment's lock; the result is ``lock`` with the name of the object that stands for it.

        Raises:
            LockHeldError: somebody holds it.
        """
        env = self.scratch.environment(self.repository)
        made = self.repository.git("hash-object", "-w", "--stdin", stdin=lock_bytes(lock), env=env)
        change = Change(lock_ref(environment), new=made.stdout.decode("ascii").strip())
        error = None
        for _ in range(_ATTEMPTS):
            pushed = self._wire.push([change], env=env)
            if pushed.did(change):
                return replace(lock, oid=change.new)
            holder = self.read_lock(environment)
            # the very same object there is a win only when this push broke off: otherwise it was there before
            if holder is not None and holder.oid == change.new and not pushed.found(change):
                return holder
            if holder is not None:
                raise LockHeldError(lock_words(holder), f"`hookci unlock {environment} --steal` if its owner is gone")
            error = pushed.error
            if not pushed.flags:
                break
        why = error.message if error else f"it comes and goes on {self.name}"
        raise RemoteError(f"the lock of {environment} could not be taken: {why}", error.hint if error else None)

    def read_lock(self, environment: str) -> Lock | None:
        """Who holds the environment's lock; None when nobody does.

        Of a lock that hookci did not make only ``environment`` and ``oid`` are known.
        """
        for _ in range(_ATTEMPTS):
            oid = self._lock_object(environment)
            if oid is None:
                return None
            content = self._blob(oid)
            if content is not None:
                return lock_of(environment, oid, content)
        raise RemoteError(f"the lock of {environment} on {self.name} could not be read")

    def steal(self, environment: str, seen: Lock) -> None:
        """Delete exactly the lock that was seen.

        Raises:
            LockHeldError: it is not there any more; maybe another is.
        """
        if not self._free(environment, seen.oid):
            raise LockHeldError(f"the lock of {environment} has changed: {self._holder_words(environment)}")

    def unlock(self, lock: Lock) -> bool:
        """Give back a lock of ours; False when it was ours no longer, and nothing was changed."""
        return self._free(lock.environment, lock.oid)

    def _free(self, environment: str, oid: str) -> bool:
        if not oid:  # it never was on the remote
            return False
        change = Change(lock_ref(environment), old=oid)
        pushed = self._wire.push([change])
        if pushed.did(change):
            return True
        if self._lock_object(environment) != oid:
            return False
        why = pushed.error.message if pushed.error else f"{self.name} kept it"
        raise RemoteError(f"the lock of {environment} could not be removed: {why}")

    def _lock_object(self, environment: str) -> str | None:
        ref = lock_ref(environment)
        return self._wire.listing(ref).get(ref)

    def _holder_words(self, environment: str) -> str:
        holder = self.read_lock(environment)
        return "nobody holds it now" if holder is None else lock_words(holder)

    def _blob(self, oid: str) -> bytes | None:
        """The content of a lock's object (empty: it is no file); None when it cannot be brought any more."""
        env = self.scratch.environment(self.repository)
        if self.repository.git("cat-file", "-e", oid, env=env, check=False).returncode != 0:
            try:
                self._wire.fetch([oid], env=env)
            except RemoteError:
                return None
        return self.repository.git("cat-file", "blob", oid, env=env, check=False).stdout

    # -- requests

    def push_requests(self, environment: str) -> None:
        """Make requests and approvals the same here and there, and keep only the newest of them.

        Of two approvals of the same request the one that was there first stays there.
        """
        error = None
        for _ in range(_ATTEMPTS):
            listing = self._listing(environment)
            there = {ref: oid for ref, oid in listing.items() if ref.startswith((REQUESTS, APPROVALS))}
            self._bring(there, ref_objects(self.repository, _below(environment)))
            gone = prune_requests(self.repository, environment)
            changes = [Change(ref, new=oid) for ref, oid in self._own_requests(environment).items() if ref not in there]
            changes += [Change(ref, old=there[ref]) for ref in gone if ref in there]
            error = self._wire.push(changes).error if changes else None
            if error is None:
                return
        raise RemoteError(f"requests for {environment}: {error.message if error else ''}")

    def _own_requests(self, environment: str) -> Mapping[str, str]:
        """The refs of requests and approvals here that hookci can read, with their objects."""
        known = [request.id for request in requests(self.repository, environment)]
        names = {f"{kind}{environment}/{request}" for kind in (REQUESTS, APPROVALS) for request in known}
        return {ref: oid for ref, oid in ref_objects(self.repository, _below(environment)).items() if ref in names}

    # -- what is there

    @property
    def _wire(self) -> Wire:
        return Wire(self.repository, self.name, self.timeout)

    def _listing(self, environment: str) -> dict[str, str]:
        """Every ref of the environment on the remote."""
        lock = lock_ref(environment)
        prefixes = tuple(_below(environment))
        found = self._wire.listing(*(f"{prefix}*" for prefix in prefixes), lock)
        # a pattern matches the end of a name, and a tag may be anybody's
        return {
            ref: oid
            for ref, oid in found.items()
            if ref == lock
            or (ref.startswith(prefixes) and (not ref.startswith(_TAGS) or _NUMBER.fullmatch(ref.rpartition("/")[2])))
        }

    def _bring(self, there: Mapping[str, str], here: Mapping[str, str]) -> None:
        """Fetch the refs that are not here; a lock stays where it is."""
        wanted = [ref for ref in there if ref not in here and ref.startswith((_TAGS, REQUESTS, APPROVALS))]
        if not wanted:
            return
        refspecs = [f"{ref}:{ref}" for ref in wanted]
        try:
            self._wire.fetch(refspecs)
        except RemoteError:
            if not free_refs(self.repository, wanted):
                raise
            self._wire.fetch(refspecs)


def _below(environment: str) -> list[str]:
    """Where the refs of an environment are: releases, requests, approvals."""
    return [f"{_TAGS}deploy/{environment}/", f"{REQUESTS}{environment}/", f"{APPROVALS}{environment}/"]
