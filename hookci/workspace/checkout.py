"""One kept checkout, brought to exactly one tree by the difference."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.errors import GitError, WorkspaceError
from hookci.git.repository import Repository, git
from hookci.workspace.gitdir import GitdirPlan, gitdir_plan, write_gitdir
from hookci.workspace.listing import NOTHING, Listing, changes_of, listing_of
from hookci.workspace.sweep import remove, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from hookci.git.snapshots import Scratch

__all__ = ["Checkout", "Source"]

_STANDS = "hookci-stands"
"""A file in the private git directory, written when a checkout is complete."""
_NO_BRANCH = "ref: refs/heads/none"
_MOST_LISTINGS = 4
_SECOND = 1_000_000_000


class Source(Struct, frozen=True):
    """Where checkouts come from: the user's repository, and what our git directories hold for this run.

    ``listings`` are those of trees that were asked for.
    """

    repository: Repository
    scratch: Scratch
    plan: GitdirPlan
    workers: int
    umask: int
    listings: dict[str, Listing] = field(default_factory=dict)

    @classmethod
    def of(cls, repository: Repository, scratch: Scratch, *, workers: int, umask: int) -> Source:
        """The source of all workspaces of one run; ``workers`` processes write files in a cold checkout."""
        return cls(repository, scratch, gitdir_plan(repository, scratch), workers, umask)

    def listing(self, tree: str, ask: Callable[[], Listing]) -> Listing:
        """What ``tree`` lists; asked for once, for as long as it is among the last few."""
        known = self.listings.get(tree)
        if known is None:
            known = ask()
            if len(self.listings) >= _MOST_LISTINGS:
                self.listings.clear()
            self.listings[tree] = known
        return known


class Checkout(Struct, frozen=True):
    """A work tree at ``tree_path`` whose index and git directory, at ``private``, no job ever sees.

    A job gets a ``.git`` made anew each time; what it does there (skip-worktree bits, hooks, config) is
    thrown away before git looks at the files again.
    """

    tree_path: Path
    private: Path

    def reset(
        self,
        source: Source,
        tree: str,
        *,
        keep: AbstractSet[bytes],
        fill: Callable[[], Iterable[bytes]],
        say: Callable[[str], None],
        swept: str = "",
    ) -> Listing:
        """Make the work tree hold exactly ``tree``.

        Args:
            source: where the objects come from.
            tree: the tree to hold.
            keep: declared caches that are in place already and stay.
            fill: puts further files in, and says where, before git has the last word about every tracked path.
            say: told about submodules that could not be filled.
            swept: the commit of the tree, when nothing is there that git did not put there, and no submodule.

        Returns:
            What is tracked; when ``swept``, it may be what of that has changed.

        Raises:
            WorkspaceError: git could not do it, also not from nothing.
        """
        try:
            listing = self._reset(source, tree, keep, fill, swept=swept)
        except (GitError, OSError) as first:
            # a damaged index, a job that made its files immutable, a full disk: once more from nothing
            try:
                self.drop()
                listing = self._reset(source, tree, frozenset(), fill, swept="")
            except (GitError, OSError) as error:
                raise WorkspaceError(
                    f"no clean checkout of {tree[:12]} could be made: {error}", _hint(error)
                ) from first
        self._submodules(source, tree, listing, say)
        return listing

    def _reset(
        self, source: Source, tree: str, keep: AbstractSet[bytes], fill: Callable[[], Iterable[bytes]], *, swept: str
    ) -> Listing:
        # what a job put in the place of the directories themselves may lead into the user's repository
        if self.tree_path.is_symlink() or self.private.is_symlink() or not self.tree_path.is_dir():
            self.drop()
        root = os.fsencode(self.tree_path)
        self.tree_path.mkdir(parents=True, exist_ok=True)
        if not swept:
            remove(root + b"/.git")
        self._renew_private(source)
        touched = self.touched(source, tree)
        stands = _Stands.read(self.private)
        if swept and stands is not None and not touched:
            changed = NOTHING if stands.tree == tree else changes_of(self._git(source), tree).harmless
            if changed is not None:
                if touched != frozenset() or not stands.is_telling:
                    # checkout looks at all files with several threads, which read-tree does with one
                    forced = ["checkout", "-q", "-f", "--detach", swept]
                    self._write(source, tree, stands if touched == frozenset() else None, forced)
                return changed
        before, after = self._listings(source, tree)
        # within one second git does not see what changes but the permissions
        known = touched if stands is not None and stands.is_telling else None
        mended = sweep(root, before, keep, source.umask, known)
        put = fill()
        as_it_was = touched == frozenset() and not mended and not any(before.meets(path) for path in put)
        if as_it_was and stands is not None and stands.is_telling:
            return before
        self._write(source, tree, stands if as_it_was else None, ["read-tree", "--reset", "-u", tree])
        return after or source.listing(tree, lambda: listing_of(self._git(source)))

    def _write(self, source: Source, tree: str, same: _Stands | None, command: list[str]) -> None:
        """Have git write what is not there; ``same`` is what stands there, when that is nothing."""
        (self.private / _STANDS).unlink(missing_ok=True)
        self._git(source)("-c", f"checkout.workers={source.workers}", *command)
        index = _index_of(self.private)
        written = same.written if same is not None else index[2] // _SECOND
        _Stands(source.plan.looks, tree, written, index).write(self.private)

    def expose(self, source: Source, commit: str, tree: str = "", shown: Collection[str] | None = None) -> None:
        """Give the work tree the ``.git`` that jobs see, with ``HEAD`` at ``commit``.

        ``shown`` are the paths of ``tree`` that the work tree has, None for all; for git the others are as in a sparse
        checkout.
        """
        git_dir = self.tree_path / ".git"
        write_gitdir(git_dir, source.plan, head=commit, index=self.private / "index" if shown is None else None)
        if shown is not None:
            from hookci.workspace.sparse import write_sparse_index  # noqa: PLC0415 (only jobs with inputs)

            where = [f"--git-dir={git_dir}", f"--work-tree={self.tree_path}"]
            write_sparse_index(source, tree, shown, where, git_dir / "index")

    def drop(self) -> None:
        """Remove it all."""
        for path in (self.tree_path, self.private):
            if path.exists() or path.is_symlink():
                remove(os.fsencode(path))

    def touched(self, source: Source, tree: str) -> frozenset[bytes] | None:
        """The tracked paths that are not as git left them, should it have left ``tree``; None when that is not known.

        Any change to a file is seen, since its change time cannot be set; so is one that git does not track.
        """
        stands = _Stands.read(self.private)
        if stands is None or stands.tree != tree:
            return None
        where = [f"--git-dir={self.private}", f"--work-tree={self.tree_path}"]
        asked = ["diff-files", "--name-only", "-z", "--ignore-submodules=all"]
        done = git([*where, *asked], cwd=self.tree_path, env=source.repository.env, check=False)
        if done.returncode != 0 or done.stderr:  # it goes on where it may not look
            return None
        return frozenset(done.stdout.split(b"\0")) - {b""}

    def _renew_private(self, source: Source) -> None:
        """Make the git directory right; the index stays if what was checked out with it looks as it would now."""
        stands = _Stands.read(self.private)
        if stands is not None and stands.looks != source.plan.looks:
            stands = None
        kept = frozenset() if stands is None else frozenset({"index", _STANDS})
        write_gitdir(self.private, source.plan, head=_NO_BRANCH, kept=kept)

    def _git(self, source: Source) -> Callable[..., bytes]:
        where = [f"--git-dir={self.private}", f"--work-tree={self.tree_path}"]
        return lambda *arguments: git([*where, *arguments], cwd=self.tree_path, env=source.repository.env).stdout

    def _listings(self, source: Source, tree: str) -> tuple[Listing, Listing | None]:
        """What is tracked now, of which all else has to go, and what ``tree`` has, where that is known."""
        stands = _Stands.read(self.private)
        if stands is None:
            return NOTHING, source.listings.get(tree)
        ask = self._git(source)
        now = source.listing(stands.tree, lambda: listing_of(ask))
        if stands.tree == tree:
            return now, now
        changes = changes_of(ask, tree)
        if changes.of_attributes:
            (self.private / "index").unlink()
            (self.private / _STANDS).unlink()
            return NOTHING, source.listings.get(tree)
        return changes.without_lost_links(now), source.listing(tree, lambda: changes.applied(now))

    def _submodules(self, source: Source, tree: str, listing: Listing, say: Callable[[str], None]) -> None:
        if listing.links:
            names = _submodule_names(source, tree)
            for number, (path, commit) in enumerate(sorted(listing.links.items())):
                module = _module(source, names.get(path), path)
                inner = Checkout(
                    self.tree_path / os.fsdecode(path), self.private.with_name(f"{self.private.name}.{number}")
                )
                if module is None or module.kind(commit) != "commit":
                    inner.drop()
                    inner.tree_path.mkdir(parents=True)
                    say(f"submodule {os.fsdecode(path)} is empty: {commit[:8]} is not in this clone")
                    continue
                below = Source.of(module, source.scratch, workers=source.workers, umask=source.umask)
                inner.reset(below, commit, keep=frozenset(), fill=tuple, say=say)
                inner.expose(below, commit)


class _Stands(Struct, frozen=True):
    """What a complete checkout holds, and which index file says so.

    ``written`` is the second in which git last wrote files of the checkout.
    """

    looks: str
    tree: str
    written: int
    index: tuple[int, int, int]

    @property
    def is_telling(self) -> bool:
        """Whether git can tell by its index that a file has not changed; else it reads them all (its racy-git.txt)."""
        return self.index[2] // _SECOND > self.written

    @classmethod
    def read(cls, private: Path) -> _Stands | None:
        """What stands there; None where that is not sure."""
        try:
            looks, tree, written, *index = (private / _STANDS).read_text(encoding="ascii").split()
            inode, size, time = map(int, index)
            found = cls(looks, tree, int(written), (inode, size, time))
            return found if _index_of(private) == found.index else None
        except (OSError, ValueError):
            return None

    def write(self, private: Path) -> None:
        """Note it."""
        text = " ".join(map(str, (self.looks, self.tree, self.written, *self.index)))
        (private / _STANDS).write_text(text, encoding="ascii")


def _index_of(private: Path) -> tuple[int, int, int]:
    info = (private / "index").stat()
    return info.st_ino, info.st_size, info.st_mtime_ns


def _submodule_names(source: Source, tree: str) -> dict[bytes, str]:
    """Submodule names by path, as the tree's own ``.gitmodules`` says (gitmodules(5))."""
    environment = source.scratch.environment(source.repository)
    pattern = r"^submodule\..*\.path$"
    done = source.repository.git(
        "config", f"--blob={tree}:.gitmodules", "-z", "--get-regexp", pattern, env=environment, check=False
    )
    names = {}
    for item in done.stdout.split(b"\0"):
        key, _, path = item.partition(b"\n")
        if path:
            names[path.rstrip(b"/")] = os.fsdecode(key)[len("submodule.") : -len(".path")]
    return names


def _module(source: Source, name: str | None, path: bytes) -> Repository | None:
    repository = source.repository
    places = []
    # git too refuses names that lead elsewhere (CVE-2018-11235)
    if name and not name.startswith("/") and ".." not in name.split("/"):
        places = [directory / "modules" / name for directory in (repository.git_dir, repository.common_dir)]
    if repository.top is not None:
        places.append(repository.top / os.fsdecode(path) / ".git")
    for place in places:
        if (place / "objects").is_dir():
            # the work tree that the submodule's config names may be gone, and git would refuse to start
            return Repository.discover(place, {**repository.env, "GIT_DIR": str(place), "GIT_WORK_TREE": str(place)})
    return None


def _hint(error: Exception) -> str | None:
    text = str(error)
    if "smudge" in text or "lfs" in text:
        return "a large file may be missing here: try `git lfs fetch --all`"
    if isinstance(error, OSError) and error.errno is not None and "space" in str(error.strerror):
        return "the disk of the cache directory is full"
    return None
