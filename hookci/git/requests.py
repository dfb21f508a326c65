"""Deployments that wait for a person, and what that person said: refs, so that they reach a colleague's clone.

``refs/hookci/request/<environment>/<id>`` and ``refs/hookci/approval/<environment>/<id>`` each hold a tag object on
the commit in question; its message is one JSON object.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.errors import GitError
from hookci.git.push import OWN_REFS
from hookci.git.tags import create_ref, delete_refs, read_tags, ref_objects, write_tag
from hookci.model.release import Request

if TYPE_CHECKING:
    from typing import Any

    from hookci.git.repository import Repository
    from hookci.git.tags import TagRef

__all__ = ["APPROVALS", "REQUESTS", "approve", "make_request", "prune_requests", "request_id", "requests"]

REQUESTS = f"{OWN_REFS}request/"
"""Below it a directory per environment, and in that a ref per request; approvals have the same names."""
APPROVALS = f"{OWN_REFS}approval/"


def request_id(environment: str, commit: str, config: str, at: float) -> str:
    """The id of a request for ``commit`` with the config digest ``config``, made at ``at``: 8 hexadecimal digits."""
    text = json.dumps([environment, commit, config, float(at)])
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:8]


def make_request(repository: Repository, request: Request) -> None:
    """Keep a request; the same one again changes nothing.

    Raises:
        GitError: the commit is not there, the id is not the request's, or that of another.
    """
    if request.id != request_id(request.environment, request.commit, request.config, request.at):
        raise GitError(f"{request.id} is not the id of this request for {request.environment}")
    message = {"config": request.config, "by": request.by, "at": float(request.at), "expires": float(request.expires)}
    _keep(repository, f"{REQUESTS}{request.environment}/{request.id}", request, message, request.at)


def requests(repository: Repository, environment: str | None = None) -> list[Request]:
    """The requests of one environment, or of all, the newest first, each with its approval.

    An approval counts only for the very commit and config digest that it was given for.
    """
    below = "" if environment is None else environment
    tags = {tag.ref: tag for tag in read_tags(repository, f"{REQUESTS}{below}", f"{APPROVALS}{below}")}
    read = (_request(tag) for tag in tags.values())
    found = [request for request in read if request is not None and environment in {None, request.environment}]
    joined = [_approved(request, tags.get(f"{APPROVALS}{request.environment}/{request.id}")) for request in found]
    return sorted(joined, key=lambda request: (-request.at, request.environment, request.id))


def approve(repository: Repository, request: Request, approver: str, at: float, why: str) -> Request:
    """Agree to a request, at ``at`` in unix seconds; the result is the request with its approval.

    When somebody agreed before, the approval of that person stays, and is what the result holds.

    Raises:
        GitError: the commit is not there.
    """
    ref = f"{APPROVALS}{request.environment}/{request.id}"
    before = {tag.ref: tag for tag in read_tags(repository, ref)}.get(ref)
    known = _approved(request, before)
    if known.approver:
        return known
    if before is not None:  # given for something else, so it counts for nothing
        delete_refs(repository, [ref])
    message = {"config": request.config, "approver": approver, "at": float(at), "why": why}
    _keep(repository, ref, request, message, at)
    return replace(request, approver=approver, approved_at=float(at), why=why)


def prune_requests(repository: Repository, environment: str, keep_newest: int = 20) -> list[str]:
    """Remove all but the newest requests of an environment, and approvals of none; the refs that went."""
    known = requests(repository, environment)
    kept, old = known[:keep_newest], known[keep_newest:]
    wanted = {f"{APPROVALS}{environment}/{request.id}" for request in kept}
    approvals = ref_objects(repository, [f"{APPROVALS}{environment}/"])
    gone = [f"{REQUESTS}{environment}/{request.id}" for request in old] + sorted(set(approvals) - wanted)
    if gone:
        delete_refs(repository, gone)
    return gone


def _keep(repository: Repository, ref: str, request: Request, message: dict[str, Any], at: float) -> None:
    name = ref.removeprefix(OWN_REFS)
    oid = write_tag(repository, name=name, commit=request.commit, message=json.dumps(message), at=at)
    if not create_ref(repository, ref, oid) and ref_objects(repository, [ref]).get(ref) != oid:
        raise GitError(f"{ref} is there already, and another")


def _message(tag: TagRef) -> dict[str, Any]:
    """What a tag says; nothing for one that is not ours."""
    try:
        said = json.loads(tag.message) if tag.ref == f"{OWN_REFS}{tag.name}" else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _request(tag: TagRef) -> Request | None:
    if not tag.ref.startswith(REQUESTS):
        return None
    environment, _, name = tag.ref.removeprefix(REQUESTS).rpartition("/")
    said = _message(tag)
    try:
        request = Request(
            id=name,
            environment=environment,
            commit=tag.commit,
            config=str(said["config"]),
            by=str(said["by"]),
            at=float(said["at"]),
            expires=float(said["expires"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
    return request if name == request_id(environment, tag.commit, request.config, request.at) else None


def _approved(request: Request, tag: TagRef | None) -> Request:
    """The request with what ``tag`` says to it, if it says it to this very request."""
    said = _message(tag) if tag is not None and tag.commit == request.commit else {}
    if said.get("config") != request.config or not said.get("approver"):
        return request
    try:
        at = float(said["at"])
    except (KeyError, TypeError, ValueError):
        return request
    return replace(request, approver=str(said["approver"]), approved_at=at, why=str(said.get("why", "")))
