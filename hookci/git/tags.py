"""Refs of hookci's own making: tag objects with a message, under names that are given once and never again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.git.repository import Repository
    from hookci.proc.run import Done

__all__ = [
    "PATIENT",
    "TagRef",
    "create_ref",
    "delete_refs",
    "free_refs",
    "person",
    "read_tags",
    "ref_objects",
    "write_tag",
]

_NOBODY = "hookci <hookci@localhost>"
_STAMP = re.compile(r" \d+ [+-]\d{4}$")
PATIENT = "core.filesRefLockTimeout=3000"
"""A setting that lets git wait for the lock file of a ref, in milliseconds; who changes a ref has it for a few."""
_FIELDS = ("%(refname)", "%(objecttype)", "%(type)", "%(tag)", "%(object)", "%(taggerdate:unix)", "%(contents)")


class TagRef(Struct, frozen=True, kw_only=True):
    """A ref that holds a tag object on a commit; ``name`` is what the object itself says it is, ``at`` unix seconds."""

    ref: str
    name: str
    commit: str
    at: float
    message: str


def person(repository: Repository) -> str:
    """Who works here, ``Name <address>``: as git itself would write it into a commit, else hookci."""
    return _STAMP.sub("", repository.ask("var", "GIT_COMMITTER_IDENT") or _NOBODY)


def write_tag(repository: Repository, *, name: str, commit: str, message: str, at: float) -> str:
    """Write a tag object on ``commit`` that no ref holds yet, by the `person` here.

    Args:
        repository: gets the object.
        name: the tag's, as the object says it; without line ends.
        commit: whole name of an object that is there.
        message: text.
        at: unix seconds.

    Returns:
        The object's name.

    Raises:
        GitError: there is no such commit, or the object cannot be written.

    Source: git-mktag(1).
    """
    head = f"object {commit}\ntype commit\ntag {name}\ntagger {person(repository)} {int(at)} +0000\n"
    text = f"{head}\n{message.rstrip()}\n"
    return repository.git("mktag", stdin=text.encode(errors="surrogateescape")).stdout.decode("ascii").strip()


def create_ref(repository: Repository, ref: str, oid: str) -> bool:
    """Give an object a name that nothing has; False when something has it.  Of several at once exactly one succeeds.

    Raises:
        GitError: git refuses the name, such as below one that is a ref.
    """
    done = _update(repository, [ref], f"create {ref} {oid}\n")
    if done.returncode == 0:
        return True
    if ref in ref_objects(repository, [ref]):
        return False
    raise GitError(f"{ref} cannot be made: {_first_line(done)}")


def delete_refs(repository: Repository, refs: Sequence[str]) -> None:
    """Delete refs, all or none.

    Raises:
        GitError: git refuses.
    """
    done = _update(repository, refs, "".join(f"delete {ref}\n" for ref in refs))
    if done.returncode != 0:
        raise GitError(f"refs cannot be deleted: {_first_line(done)}")


def _update(repository: Repository, refs: Sequence[str], lines: str) -> Done:
    arguments = ("-c", PATIENT, "update-ref", "--no-deref", "--stdin")
    stdin = lines.encode(errors="surrogateescape")
    done = repository.git(*arguments, stdin=stdin, check=False)
    if done.returncode != 0 and free_refs(repository, refs):
        done = repository.git(*arguments, stdin=stdin, check=False)
    return done


def _first_line(done: Done) -> str:
    return done.stderr.decode(errors="replace").strip().partition("\n")[0] or done.complaint


def free_refs(repository: Repository, refs: Sequence[str]) -> bool:
    """Remove the lock files of ``refs``, after a git that is `PATIENT` failed; False when there are none.

    One that stays that long was left by a git that was killed: releases and requests are nobody's but ours.
    """
    left = [path for path in (repository.common_dir / f"{ref}.lock" for ref in refs) if path.is_file()]
    for path in left:
        path.unlink(missing_ok=True)
    return bool(left)


def ref_objects(repository: Repository, patterns: Sequence[str]) -> dict[str, str]:
    """Every ref below ``patterns`` (whole names, or directories of them), with the object it holds."""
    if not patterns:  # git would list all
        return {}
    listing = repository.git("for-each-ref", "--format=%(objectname) %(refname)", "--", *patterns).stdout
    lines = listing.decode(errors="surrogateescape").split("\n")
    return {ref: oid for oid, _, ref in (line.partition(" ") for line in lines if line)}


def read_tags(repository: Repository, *patterns: str) -> list[TagRef]:
    """Every ref below ``patterns`` that holds a tag object on a commit, from one call of git; others are left out.

    The commits themselves are not looked at.
    """
    form = "%00".join(_FIELDS) + "%00"
    listing = repository.git("for-each-ref", f"--format={form}", "--", *patterns).stdout
    fields = listing.decode(errors="surrogateescape").split("\0")
    size = len(_FIELDS)
    rows = [fields[start : start + size] for start in range(0, len(fields) - size, size)]
    return [
        TagRef(ref=ref.lstrip("\n"), name=name, commit=commit, at=float(at or 0), message=message)
        for ref, kind, target, name, commit, at, message in rows
        if kind == "tag" and target == "commit"
    ]
