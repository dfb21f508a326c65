"""Releases are annotated tags, ``deploy/<environment>/<n>``: made once, never moved; the highest number is live.

The message has a first line for people, and trailers (git-interpret-trailers(1)) for the rest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.errors import HookciError
from hookci.git.tags import create_ref, read_tags, ref_objects, write_tag
from hookci.model.release import Kind, Release, tag_name
from hookci.model.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.git.repository import Repository
    from hookci.git.tags import TagRef

__all__ = ["NumberTakenError", "make_release", "next_number", "release_ref", "releases"]

_TAGS = "refs/tags/"
_NAME = re.compile(r"refs/tags/deploy/(?P<environment>.+)/(?P<number>[1-9][0-9]{0,8})")


class NumberTakenError(HookciError):
    """The number of a release is another's already."""


def release_ref(environment: str, number: int) -> str:
    """The ref of a release, ``refs/tags/deploy/<environment>/<n>``."""
    return f"{_TAGS}{tag_name(environment, number)}"


def releases(repository: Repository, environment: str | None = None) -> list[Release]:
    """The releases of one environment, or of all, the newest of each first.

    A tag that hookci did not make (lightweight, without trailers, moved from another name) is left out.
    """
    below = f"{_TAGS}deploy/{environment}" if environment is not None else f"{_TAGS}deploy"
    read = (_release(tag) for tag in read_tags(repository, below))
    found = [release for release in read if release is not None and environment in {None, release.environment}]
    return sorted(found, key=lambda release: (release.environment, -release.number))


def next_number(repository: Repository, environment: str) -> int:
    """The number the next release gets: above all releases, and not that of a tag which is none."""
    known = releases(repository, environment)
    number = known[0].number + 1 if known else 1
    taken = ref_objects(repository, [f"{_TAGS}deploy/{environment}"])
    while release_ref(environment, number) in taken:
        number += 1
    return number


def make_release(repository: Repository, release: Release) -> str:
    """Tag a release; the tagger is the person at work, its date ``release.at``.

    Returns:
        The name of the tag object.

    Raises:
        NumberTakenError: the tag is there; nothing was changed.
        GitError: the commit is not there, or another ref is in the tag's way.
    """
    oid = write_tag(repository, name=release.tag, commit=release.commit, message=_message(release), at=release.at)
    if not create_ref(repository, f"{_TAGS}{release.tag}", oid):
        raise NumberTakenError(f"the tag {release.tag} is there already")
    return oid


def _message(release: Release) -> str:
    done = {
        Kind.DEPLOY: "deployed",
        Kind.PROMOTION: "promoted",
        Kind.ROLLBACK: f"rolled back to {release.source}" if release.source else "rolled back",
    }[release.kind]
    trailers = {
        "Kind": release.kind.value,
        "Source": _text(release.source),
        "By": release.by,
        "Duration": f"{release.seconds:.3f}",
        "Run": _text(release.run),
        "Config": release.config,
        "Artifacts": release.artifacts,
        "Approver": release.approver,
        "Irreversible": "yes" if release.irreversible else "",
    }
    lines = [f"{name}: {one_line}" for name, value in trailers.items() if (one_line := " ".join(plain(value).split()))]
    title = f"{release.environment} {release.number}: {release.commit[:8]} {done}"
    return f"{title}\n\n" + "\n".join(lines)


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _release(tag: TagRef) -> Release | None:
    """The release a tag stands for; None when it is not one of ours."""
    named = _NAME.fullmatch(tag.ref)
    if named is None or tag.ref != f"{_TAGS}{tag.name}":
        return None
    last = tag.message.rstrip("\n").rpartition("\n\n")[2]
    trailers = dict(line.split(": ", 1) for line in last.split("\n") if ": " in line)
    try:
        return _of_trailers(tag, named["environment"], int(named["number"]), trailers)
    except (ValueError, KeyError):
        return None


def _of_trailers(tag: TagRef, environment: str, number: int, trailers: Mapping[str, str]) -> Release:
    return Release(
        environment=environment,
        number=number,
        commit=tag.commit,
        kind=Kind(trailers["Kind"]),
        by=trailers.get("By", ""),
        at=tag.at,
        seconds=float(trailers["Duration"]),
        source=int(trailers["Source"]) if "Source" in trailers else None,
        run=int(trailers["Run"]) if "Run" in trailers else None,
        config=trailers.get("Config", ""),
        artifacts=trailers.get("Artifacts", ""),
        approver=trailers.get("Approver", ""),
        irreversible=trailers.get("Irreversible") == "yes",
    )
