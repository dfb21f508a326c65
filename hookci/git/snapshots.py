"""From what git hands over to the snapshots that are to be judged."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.errors import GitError, UsageError
from hookci.git.changes import changed_paths, fork_point, merge_base
from hookci.git.facts import ORIGIN, change_facts, commit_facts, default_branch, project_facts, tag_message
from hookci.git.push import OWN_REFS
from hookci.model.slugs import slug
from hookci.model.snapshot import MERGE_REQUEST, Cause, RefUpdate, Snapshot, is_zero

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from hookci.git.repository import Repository
    from hookci.model.files import Files

__all__ = [
    "Scratch",
    "blob_at",
    "config_files",
    "index_tree",
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
_IDENTITY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "hookci"), ("EMAIL", "hookci@localhost"))
}
_NO_PARENT_DATE = "@946684800 +0000"
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


def index_tree(repository: Repository, scratch: Scratch) -> str:
    """The tree that a commit of the index at hand will have.

    The index is copied first and the tree written among hookci's own objects: neither the user's index
    file nor their object directory changes.

    Raises:
        GitError: the index cannot be a tree, such as one with unmerged paths.
    """
    with _index_copy(repository, scratch) as environment:
        done = repository.git("write-tree", env=environment, check=False)
    if done.returncode != 0:
        unmerged = b"unmerged" in done.stderr + done.stdout
        hint = "resolve the conflicts and `git add` the files" if unmerged else None
        raise GitError(f"the index is not a tree yet: {done.complaint}", hint)
    return done.stdout.decode("ascii").strip()


@contextmanager
def _index_copy(repository: Repository, scratch: Scratch) -> Iterator[dict[str, str]]:
    """An environment in which git works on a copy of the index at hand, and writes objects among our own."""
    scratch.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy = scratch.directory / f"index-{os.getpid()}"
    for left in (copy, copy.with_name(f"{copy.name}.lock")):
        left.unlink(missing_ok=True)  # by a hookci that was killed and had this process id
    try:
        if repository.index.exists():
            shutil.copyfile(repository.index, copy)
        yield {**scratch.environment(repository), "GIT_INDEX_FILE": str(copy)}
    finally:
        copy.unlink(missing_ok=True)


def work_tree(repository: Repository, scratch: Scratch) -> str:
    """The tree of the files as they are, tracked or not, without what is ignored; written among our own objects.

    Raises:
        UsageError: a bare repository has none.
        GitError: a file cannot be read.
    """
    if repository.top is None:
        raise UsageError(f"{repository.common_dir} has no work tree", "name a commit with --rev")
    with _index_copy(repository, scratch) as environment:
        repository.git("add", "--all", "--", ".", env=environment)
        return repository.git("write-tree", env=environment).stdout.decode("ascii").strip()


def of_work_tree(repository: Repository, scratch: Scratch) -> Snapshot:
    """The snapshot of the files as they are, as a synthetic child of ``HEAD``."""
    return _of_files(repository, scratch, work_tree(repository, scratch), "work tree")


def of_index(repository: Repository, scratch: Scratch, tree: str | None = None) -> Snapshot:
    """The snapshot of what ``git commit`` is about to make: the index, as a synthetic child of ``HEAD``.

    ``tree`` is the index's (see `index_tree`), should the caller know it.
    """
    return _of_files(repository, scratch, tree or index_tree(repository, scratch), "index")


def _of_files(repository: Repository, scratch: Scratch, tree: str, source: str) -> Snapshot:
    head = repository.ask("show", "-s", "--format=%H @%ct +0000", "HEAD", "--")
    parent, _, date = head.partition(" ") if head else (None, "", _NO_PARENT_DATE)
    parents = [parent, *_merge_heads(repository)] if parent else []
    when = {f"GIT_{role}_DATE": date for role in ("AUTHOR", "COMMITTER")}
    environment = {**scratch.environment(repository), **_IDENTITY, **when}
    arguments = [part for name in parents for part in ("-p", name)]
    made = repository.git("commit-tree", *arguments, "-m", f"the {source}, judged by hookci", tree, env=environment)
    commit = made.stdout.decode("ascii").strip()
    branch = _current_branch(repository)
    found = {"HOOKCI_TREE": tree, **commit_facts(repository, commit, environment)}
    facts = _facts(repository, found, branch=branch, tag=None, base=parent)
    changed = changed_paths(repository, parent, tree, environment) if parent else None
    return Snapshot(
        tree=tree,
        commit=commit,
        source=source,
        label=f"the {source}",
        branch=branch,
        base=parent,
        changed=changed,
        facts=facts,
    )


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
    target = None
    if cause.source == MERGE_REQUEST:
        tag, target = None, cause.target or default_branch(repository)
        base = merge_base(repository, target, commit, {})
        if base is None:
            raise UsageError(f"`{target}` names no commit that {revision} comes from", "--target names a branch")
    else:
        base = fork_point(repository, commit, ORIGIN)
    is_new = target is None and (cause.source != "push" or base == commit or not _is_pushed(repository, branch))
    tree = repository.ask("rev-parse", "--verify", "-q", f"{commit}^{{tree}}")
    label = branch or tag or commit[:8]
    origin = _Origin(source="commit", label=label, branch=branch, tag=tag, name=f"{_TAGS}{tag}", is_new=is_new)
    snapshot = _of_commit(repository, commit, tree, base, origin)
    facts = {**snapshot.facts, "CI_PIPELINE_SOURCE": cause.source}
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
    return branch is None or bool(repository.refs([f"refs/remotes/{ORIGIN}/{branch}"]))


def of_push(
    repository: Repository, updates: Iterable[RefUpdate], remote: str
) -> tuple[tuple[Snapshot, ...], tuple[str, ...]]:
    """The snapshots that a push would put on ``remote``, one for each ref, in git's order.

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
    objects = repository.resolve([name for update in judged for name in _objects_of(update)])
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
    """What has to be known of an update, asked for all of a push at once: commit, tree, the commit it replaces."""
    names = [f"{update.local_oid}^{{commit}}", f"{update.local_oid}^{{tree}}"]
    return names if is_zero(update.remote_oid) else [*names, f"{update.remote_oid}^{{commit}}"]


def _of_update(repository: Repository, update: RefUpdate, objects: Mapping[str, str], remote: str) -> Snapshot:
    name = update.remote_ref
    branch = name.removeprefix(_HEADS) if name.startswith(_HEADS) else None
    tag = name.removeprefix(_TAGS) if name.startswith(_TAGS) else None
    commit = objects[f"{update.local_oid}^{{commit}}"]
    tree = objects.get(f"{update.local_oid}^{{tree}}")
    base = objects.get(f"{update.remote_oid}^{{commit}}") or fork_point(repository, commit, remote)
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
    snapshot = _of_commit(repository, commit, tree, base, origin)
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


def _of_commit(repository: Repository, commit: str, tree: str | None, base: str | None, origin: _Origin) -> Snapshot:
    if tree is None:
        raise GitError(f"the tree of {commit} is not in this repository")
    found = {"HOOKCI_TREE": tree, **commit_facts(repository, commit, {})}
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
        changed=changed_paths(repository, base, tree, {}) if base else None,
        is_new=origin.is_new,
        facts=facts,
    )


def _merge_heads(repository: Repository) -> list[str]:
    path = repository.git_dir / "MERGE_HEAD"
    return path.read_text(encoding="ascii").split() if path.is_file() else []


def _current_branch(repository: Repository) -> str | None:
    full = repository.ask("symbolic-ref", "-q", "HEAD") or ""
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
    name = branch or tag or ""
    facts = {
        **project_facts(repository.settings, remote),
        **found,
        "HOOKCI_REF_NAME": name,
        "CI_COMMIT_REF_NAME": name,
        "CI_COMMIT_REF_SLUG": slug(name),
        # what GitLab says where nothing was pushed: the first pipeline of a branch, one that was started by hand
        "CI_COMMIT_BEFORE_SHA": "0" * len(found["CI_COMMIT_SHA"]),
        "CI_DEFAULT_BRANCH": default_branch(repository),
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
    listing = repository.git("ls-tree", "-z", "--full-tree", tree, "--", *names, env=environment).stdout
    found = {}
    for line in listing.split(b"\0"):
        if line:
            head, _, path = line.partition(b"\t")
            mode, kind, oid = head.decode("ascii").split(" ")
            name = os.fsdecode(path)
            if mode == "120000":
                raise UsageError(f"{name} is a symbolic link", "make it a regular file")
            if kind == "blob":
                found[name] = repository.git("cat-file", "blob", oid, env=environment).stdout
    return found


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
