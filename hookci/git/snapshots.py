"""From what git hands over to the snapshots that are to be judged."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.errors import GitError, UsageError
from hookci.git.ahead import HEAD, names_of_head
from hookci.git.changes import fork_point, merge_base
from hookci.git.facts import (
    ORIGIN,
    change_facts,
    commit_facts,
    commit_time,
    default_branch,
    project_facts,
    tag_message,
)
from hookci.git.objects import tree_entries, tree_of, write_object
from hookci.git.push import OWN_REFS
from hookci.model.slugs import slug
from hookci.model.snapshot import MERGE_REQUEST, Cause, RefUpdate, Snapshot, is_zero

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from hookci.git.objects import Found
    from hookci.git.repository import Repository
    from hookci.model.files import Files

__all__ = [
    "Scratch",
    "blob_at",
    "config_files",
    "of_head",
    "of_index",
    "of_push",
    "of_revision",
    "of_work_tree",
    "tags_at",
    "tree_blobs",
    "visible_files",
]

_HEADS = "refs/heads/"
_TAGS = "refs/tags/"
_PUSH = Cause()
_NO_PARENT_TIME = 946_684_800
"""2000-01-01: archives cannot hold files older than 1980, and the same index gives the same commit."""


class Scratch(Struct, frozen=True):
    """Where hookci's own objects go, so that nothing is added to the user's: a directory per repository."""

    directory: Path

    @property
    def objects(self) -> Path:
        """An object directory of our own; workspaces borrow from it and from the user's."""
        return self.directory / "objects"

    def environment(self, repository: Repository) -> dict[str, str]:
        """What makes git write new objects here while it reads the user's."""
        self.objects.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {
            "GIT_OBJECT_DIRECTORY": str(self.objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(repository.objects),
        }


def _quoted(path: Path) -> str:
    # git(1), GIT_ALTERNATE_OBJECT_DIRECTORIES: an entry with a colon is written in double quotes, C-style
    text = str(path)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if ":" in text or '"' in text else text


def of_work_tree(repository: Repository, scratch: Scratch) -> Snapshot:
    """The snapshot of the files as they are, as a synthetic child of ``HEAD``."""
    from hookci.git.indexes import work_tree  # noqa: PLC0415 (no hook asks for it)

    return _of_files(repository, scratch, work_tree(repository, scratch), "work tree")


def of_index(repository: Repository, scratch: Scratch, tree: str | None = None) -> Snapshot:
    """The snapshot of what ``git commit`` is about to make: the index, as a synthetic child of ``HEAD``.

    ``tree`` is the index's (see `hookci.git.indexes`), should the caller know it.
    """
    if tree is None:
        from hookci.git.indexes import index_tree  # noqa: PLC0415 (the hook knows it)

        tree = index_tree(repository, scratch)
    return _of_files(repository, scratch, tree, "index")


def _of_files(repository: Repository, scratch: Scratch, tree: str, source: str) -> Snapshot:
    head = repository.look_up([HEAD], env=scratch.environment(repository)).get(HEAD)
    parents = [head.oid, *_merge_heads(repository)] if head else []
    when = commit_time(head.content)[0] if head else _NO_PARENT_TIME
    content = _commit_of(tree, parents, when, f"the {source}, judged by hookci")
    commit = write_object(scratch.objects, "commit", content, repository.object_format)
    branch = _branch_of(repository.refs.head or _symbolic_head(repository))
    base = head.oid if head else None
    return Snapshot(
        tree=tree,
        commit=commit,
        source=source,
        label=f"the {source}",
        branch=branch,
        base=base,
        facts=_facts(
            repository, {"HOOKCI_TREE": tree, **commit_facts(commit, content)}, branch=branch, tag=None, base=base
        ),
    )


def _commit_of(tree: str, parents: Iterable[str], when: int, message: str) -> bytes:
    """A commit's object; the same from the same, so that nothing is made twice."""
    rows = [f"tree {tree}", *(f"parent {name}" for name in dict.fromkeys(parents))]
    rows += [f"{role} hookci <hookci@localhost> {when} +0000" for role in ("author", "committer")]
    return "".join(f"{row}\n" for row in (*rows, "", message)).encode("ascii")


def of_head(repository: Repository, cause: Cause = _PUSH, files: Iterable[str] = ()) -> Snapshot:
    """The same as `of_revision` of ``HEAD``, as it was when first looked at: for who has not fetched since.

    What comes next is to read ``files`` of it.

    Raises:
        UsageError: there is no commit yet, or the target of ``cause`` names none.
    """
    head = repository.look_up([HEAD], soon=names_of_head(files)).get(HEAD)
    if head is None:
        raise UsageError("`HEAD` names no commit here")
    branch = _branch_of(repository.refs.head or _symbolic_head(repository))
    pushed = branch is None or f"refs/remotes/{ORIGIN}/{branch}" in repository.refs.objects
    return _of_named(repository, head.oid, cause, _Named(HEAD, branch, None, lambda: pushed))


def of_revision(repository: Repository, revision: str, cause: Cause = _PUSH, *, branch: str | None = None) -> Snapshot:
    """The snapshot of any commit a person names, as if ``cause`` had led to its pipeline.

    It is one of ``branch``; for None of the branch or the tag that ``revision`` is, or of a branch that it is on.

    Raises:
        UsageError: ``revision``, or the target of ``cause``, names no commit.
    """
    commit = _commit(repository, revision)
    if commit is None:
        raise UsageError(f"`{revision}` names no commit here")
    branch, tag = _names(repository, revision, commit) if branch is None else (branch, None)
    return _of_named(repository, commit, cause, _Named(revision, branch, tag, lambda: _is_pushed(repository, branch)))


class _Named(Struct, frozen=True):
    """A commit by the name it was given, and the branch or tag that it is one of."""

    revision: str
    branch: str | None
    tag: str | None
    is_pushed: Callable[[], bool]


def _of_named(repository: Repository, commit: str, cause: Cause, named: _Named) -> Snapshot:
    branch, tag, target = named.branch, named.tag, None
    if cause.source == MERGE_REQUEST:
        tag, target = None, cause.target or default_branch(repository)
        base = merge_base(repository, target, commit, {})
        if base is None:
            what = f"`{target}` names no commit that {named.revision} comes from"
            raise UsageError(what, "--target names a branch")
    else:
        base = fork_point(repository, commit, ORIGIN)
    is_new = target is None and (cause.source != "push" or base == commit or not named.is_pushed())
    label = branch or tag or commit[:8]
    origin = _Origin(source="commit", label=label, branch=branch, tag=tag, name=f"{_TAGS}{tag}", is_new=is_new)
    snapshot = _of_commit(repository, commit, base, origin)
    facts = {**snapshot.facts, "CI_PIPELINE_SOURCE": cause.source}
    if cause.source == "trigger":
        facts["CI_PIPELINE_TRIGGERED"] = "true"
    if target is not None:
        facts.update(change_facts(facts, branch=branch or "", target=target, base=base))
        # the reference: not there in pipelines of merge requests, nor in those of tags
        facts.pop("CI_COMMIT_BRANCH", None)
    return replace(snapshot, facts=facts)


def _commit(repository: Repository, revision: str) -> str | None:
    return repository.ask("rev-parse", "--verify", "-q", "--end-of-options", f"{revision}^{{commit}}")


def _names(repository: Repository, revision: str, commit: str) -> tuple[str | None, str | None]:
    """The branch that ``revision`` is, or is on, and the tag that it is."""
    full = repository.ask("rev-parse", "--verify", "-q", "--symbolic-full-name", "--end-of-options", revision) or ""
    tag = full.removeprefix(_TAGS) if full.startswith(_TAGS) else None
    branch = full.removeprefix(_HEADS) if full.startswith(_HEADS) else None
    if "HEAD" in {full, revision}:
        branch = _current_branch(repository)
    elif branch is None and tag is None:
        branch = _branch_at(repository, commit)
    return branch, tag


def tags_at(repository: Repository, commit: str) -> list[str]:
    """The tags that are at ``commit``, the highest version first, without those of releases."""
    newest_first = ("--points-at", commit, "--sort=-version:refname", "--format=%(refname:strip=2)")
    listing = repository.ask("tag", "--list", *newest_first) or ""
    return [name for name in listing.split("\n") if name and not name.startswith("deploy/")]


def _is_pushed(repository: Repository, branch: str | None) -> bool:
    return branch is None or repository.ask("show-ref", "--verify", f"refs/remotes/{ORIGIN}/{branch}") is not None


def of_push(
    repository: Repository, updates: Iterable[RefUpdate], remote: str, files: tuple[str, ...] = ()
) -> tuple[tuple[Snapshot, ...], tuple[str, ...]]:
    """The snapshots that a push would put on ``remote``, one for each ref, in git's order.

    Args:
        repository: where the objects are.
        updates: what the push changes.
        remote: its name or address.
        files: those of the trees that will be asked for next (see `config_files`).

    Returns:
        The snapshots, and for each ref that needs no verdict a sentence that says why.

    Raises:
        GitError: an object that is to be pushed is not there.
    """
    notes: list[str] = []
    judged: list[RefUpdate] = []
    for update in updates:
        if is_zero(update.local_oid):
            continue
        if update.remote_ref.startswith(OWN_REFS):
            notes.append(f"{update.remote_ref} is hookci's own and not judged")
        else:
            judged.append(update)
    ahead = ("^{tree}", *(f":{name}" for name in files))
    objects = repository.look_up(
        [name for update in judged for name in _objects_of(update)],
        soon=[f"{update.local_oid}{part}" for update in judged for part in ahead],
    )
    snapshots = []
    for update in judged:
        if f"{update.local_oid}^{{commit}}" in objects:
            snapshots.append(_of_update(repository, update, objects, remote))
        elif repository.kind(update.local_oid) is None:
            raise GitError(f"{update.local_oid}, which is to become {update.remote_ref}, is not in this repository")
        else:
            notes.append(f"{update.remote_ref} holds no commit, so there is nothing to judge")
    return tuple(snapshots), tuple(notes)


def _objects_of(update: RefUpdate) -> list[str]:
    """What has to be known of an update, asked for all of a push at once: a tag, the commit, the one it replaces."""
    names = [update.local_oid, f"{update.local_oid}^{{commit}}"]
    return names if is_zero(update.remote_oid) else [*names, f"{update.remote_oid}^{{commit}}"]


def _of_update(repository: Repository, update: RefUpdate, objects: Mapping[str, Found], remote: str) -> Snapshot:
    name = update.remote_ref
    branch = name.removeprefix(_HEADS) if name.startswith(_HEADS) else None
    tag = name.removeprefix(_TAGS) if name.startswith(_TAGS) else None
    commit = objects[f"{update.local_oid}^{{commit}}"].oid
    there = objects.get(f"{update.remote_oid}^{{commit}}")
    base = there.oid if there else fork_point(repository, commit, remote)
    origin = _Origin(
        source="ref",
        label=branch or tag or name,
        branch=branch,
        tag=tag,
        name=update.local_oid,
        remote_ref=name,
        remote=remote,
        is_new=is_zero(update.remote_oid),
    )
    snapshot = _of_commit(repository, commit, base, origin)
    before = {"CI_COMMIT_BEFORE_SHA": update.remote_oid, "HOOKCI_REMOTE": remote, "HOOKCI_REF": name}
    return replace(snapshot, facts={**snapshot.facts, **before})


class _Origin(Struct, frozen=True, kw_only=True):
    """How a commit came to be judged; ``name`` is what git calls the tag here."""

    source: str
    label: str
    branch: str | None
    tag: str | None
    name: str
    remote_ref: str | None = None
    remote: str = ORIGIN
    is_new: bool = False


def _of_commit(repository: Repository, commit: str, base: str | None, origin: _Origin) -> Snapshot:
    content = repository.look_up([commit])[commit].content
    tree = tree_of(content)
    found = {"HOOKCI_TREE": tree, **commit_facts(commit, content)}
    if origin.tag and (message := tag_message(repository, origin.name)):
        found["CI_COMMIT_TAG_MESSAGE"] = message
    facts = _facts(repository, found, branch=origin.branch, tag=origin.tag, base=base, remote=origin.remote)
    return Snapshot(
        tree=tree,
        commit=commit,
        source=origin.source,
        label=origin.label,
        branch=origin.branch,
        tag=origin.tag,
        remote_ref=origin.remote_ref,
        base=base,
        is_new=origin.is_new,
        facts=facts,
    )


def _merge_heads(repository: Repository) -> list[str]:
    path = repository.git_dir / "MERGE_HEAD"
    return path.read_text(encoding="ascii").split() if path.is_file() else []


def _symbolic_head(repository: Repository) -> str:
    return repository.ask("symbolic-ref", "-q", "HEAD") or ""


def _current_branch(repository: Repository) -> str | None:
    return _branch_of(_symbolic_head(repository))


def _branch_of(full: str) -> str | None:
    return full.removeprefix(_HEADS) if full.startswith(_HEADS) else None


def _branch_at(repository: Repository, commit: str) -> str | None:
    """A branch that ``commit`` is on, rather the current one; None when it is on none."""
    current = _current_branch(repository)
    listing = repository.ask("for-each-ref", "--format=%(refname)", f"--contains={commit}", _HEADS) or ""
    names = [name.removeprefix(_HEADS) for name in listing.split("\n") if name]
    return current if current in names else next(iter(names), None)


def _facts(
    repository: Repository,
    found: Mapping[str, str],
    *,
    branch: str | None,
    tag: str | None,
    base: str | None,
    remote: str = ORIGIN,
) -> dict[str, str]:
    """The predefined variables that describe a snapshot; ``found`` are those of its tree and commit."""
    name, default = branch or tag or "", default_branch(repository)
    facts = {
        **project_facts(repository.settings, remote),
        **found,
        "HOOKCI_REF_NAME": name,
        "CI_COMMIT_REF_NAME": name,
        "CI_COMMIT_REF_SLUG": slug(name),
        # what GitLab says where nothing was pushed: the first pipeline of a branch, one that was started by hand
        "CI_COMMIT_BEFORE_SHA": "0" * len(found["CI_COMMIT_SHA"]),
        "CI_DEFAULT_BRANCH": default,
        "CI_DEFAULT_BRANCH_SLUG": slug(default),
        "CI_PIPELINE_SOURCE": "push",
    }
    for value, names in (
        (branch, ("HOOKCI_BRANCH", "CI_COMMIT_BRANCH")),
        (tag, ("HOOKCI_TAG", "CI_COMMIT_TAG")),
        (base, ("HOOKCI_BASE",)),
    ):
        facts.update(dict.fromkeys(names, value) if value else {})
    return facts


def config_files(repository: Repository, scratch: Scratch, tree: str, names: tuple[str, ...]) -> dict[str, bytes]:
    """The content of those of ``names`` that ``tree`` has as regular files at its top.

    Raises:
        UsageError: one of them is a symbolic link, whose target may lie outside the tree.
    """
    environment = scratch.environment(repository)
    # of an index that has a config a snapshot is made next
    soon = (*(f"{tree}:{name}" for name in names), HEAD)
    top = repository.look_up([tree], soon=soon, env=environment).get(tree)
    if top is not None and top.kind != "tree":
        top = repository.look_up([f"{tree}^{{tree}}"], env=environment).get(f"{tree}^{{tree}}")
    if top is None:
        raise GitError(f"the tree {tree} is not in this repository")
    found = {}
    for path, mode, oid in tree_entries(top):
        name = os.fsdecode(path)
        if name in names and mode == "120000":
            raise UsageError(f"{name} is a symbolic link", "make it a regular file")
        if name in names and mode.startswith("100"):
            found[name] = oid
    blobs = repository.look_up(found.values(), env=environment)
    return {name: blobs[oid].content for name, oid in found.items()}


def blob_at(repository: Repository, scratch: Scratch, tree: str, path: str) -> bytes | None:
    """The content of the file at ``path`` of ``tree``; None when there is none."""
    if {"", ".", ".."} & set(path.split("/")):
        return None  # gitrevisions(7): such a path would be looked for below the current directory
    environment = scratch.environment(repository)
    done = repository.git("cat-file", "blob", f"{tree}:{path}", env=environment, check=False)
    return done.stdout if done.returncode == 0 else None


def tree_blobs(repository: Repository, scratch: Scratch, tree: str) -> Files:
    """Every path of ``tree`` with the mode and name of its object."""
    from hookci.model.files import Files  # noqa: PLC0415 (a remembered verdict asks for no file)

    listing = repository.git("ls-tree", "-r", "-z", "--full-tree", tree, env=scratch.environment(repository)).stdout
    found = Files()
    for line in os.fsdecode(listing).split("\0"):
        if line:
            head, _, path = line.partition("\t")
            mode, _kind, oid = head.split(" ")
            found[path] = f"{mode} {oid}"
    return found


def visible_files(repository: Repository) -> list[str]:
    """The files of the work tree that are tracked, or neither tracked nor ignored."""
    listing = repository.git("ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout
    return [name for name in os.fsdecode(listing).split("\0") if name]
