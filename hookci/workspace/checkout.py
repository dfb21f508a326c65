"""One kept checkout, brought to exactly one tree by the difference."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookci.errors import GitError, WorkspaceError
from hookci.git.repository import Repository, git
from hookci.workspace.gitdir import GitdirPlan, gitdir_plan, write_gitdir
from hookci.workspace.sweep import remove, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from hookci.git.snapshots import Scratch

__all__ = ["Checkout", "Source"]

_GITLINK = "160000"
_LOOKS = "hookci-looks"
"""A file in the private git directory, written when a checkout is complete; see `GitdirPlan`."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where checkouts come from: the user's repository, and what our git directories hold for this run."""

    repository: Repository
    scratch: Scratch
    plan: GitdirPlan
    workers: int
    umask: int

    @classmethod
    def of(cls, repository: Repository, scratch: Scratch, *, workers: int, umask: int) -> Source:
        """The source of all workspaces of one run; ``workers`` processes write files in a cold checkout."""
        return cls(repository, scratch, gitdir_plan(repository, scratch), workers, umask)


@dataclass(frozen=True, slots=True)
class Checkout:
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
        fill: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        """Make the work tree hold exactly ``tree``.

        Args:
            source: where the objects come from.
            tree: the tree to hold.
            keep: declared caches that are in place already and stay.
            fill: puts further files in before git has the last word about every tracked path.
            say: told about submodules that could not be filled.

        Raises:
            WorkspaceError: git could not do it, also not from nothing.
        """
        try:
            self._reset(source, tree, keep, fill)
        except (GitError, OSError) as first:
            # a damaged index, a job that made its files immutable, a full disk: once more from nothing
            try:
                self.drop()
                self._reset(source, tree, frozenset(), fill)
            except (GitError, OSError) as error:
                raise WorkspaceError(
                    f"no clean checkout of {tree[:12]} could be made: {error}", _hint(error)
                ) from first
        self._submodules(source, tree, say)

    def _reset(self, source: Source, tree: str, keep: AbstractSet[bytes], fill: Callable[[], None]) -> None:
        # what a job put in the place of the directories themselves may lead into the user's repository
        if self.tree_path.is_symlink() or self.private.is_symlink() or not self.tree_path.is_dir():
            self.drop()
        root = os.fsencode(self.tree_path)
        self.tree_path.mkdir(parents=True, exist_ok=True)
        remove(root + b"/.git")
        self._renew_private(source)
        sweep(root, self._up_to_date(source, tree), keep, source.umask)
        fill()
        self._git(source, "-c", f"checkout.workers={source.workers}", "read-tree", "--reset", "-u", tree)
        (self.private / _LOOKS).write_text(source.plan.looks, encoding="ascii")

    def expose(self, source: Source, commit: str, tree: str = "", hidden: Collection[str] = ()) -> None:
        """Give the work tree the ``.git`` that jobs see, with ``HEAD`` at ``commit``.

        ``hidden`` are paths of ``tree`` that are left out of the work tree; for git they are as in a sparse checkout.
        """
        git_dir = self.tree_path / ".git"
        write_gitdir(git_dir, source.plan, head=commit, index=None if hidden else self.private / "index")
        if hidden:
            where = [f"--git-dir={git_dir}", f"--work-tree={self.tree_path}"]
            env = source.repository.env
            git([*where, "read-tree", tree], cwd=self.tree_path, env=env)
            rows = os.fsencode("".join(f"{path}\0" for path in hidden))
            git([*where, "update-index", "-z", "--skip-worktree", "--stdin"], cwd=self.tree_path, env=env, stdin=rows)

    def drop(self) -> None:
        """Remove it all."""
        for path in (self.tree_path, self.private):
            if path.exists() or path.is_symlink():
                remove(os.fsencode(path))

    def _renew_private(self, source: Source) -> None:
        """Make the git directory anew; the index stays if what was checked out with it looks as it would now."""
        index, kept = self.private / "index", self.private.with_name(self.private.name + ".index")
        looks = self.private / _LOOKS
        stays = index.is_file() and looks.is_file() and looks.read_bytes() == source.plan.looks.encode("ascii")
        if stays:
            index.replace(kept)
        remove(os.fsencode(self.private))
        write_gitdir(self.private, source.plan, head="ref: refs/heads/none")
        if stays:
            kept.replace(index)

    def _git(self, source: Source, *arguments: str) -> bytes:
        where = [f"--git-dir={self.private}", f"--work-tree={self.tree_path}"]
        return git([*where, *arguments], cwd=self.tree_path, env=source.repository.env).stdout

    def _up_to_date(self, source: Source, tree: str) -> Mapping[bytes, str]:
        """The mode of each path whose file git may find to be what ``tree`` asks for; all others have to go."""
        if not (self.private / "index").exists():
            return {}
        changed = self._changed(source, tree)
        if any(path.rpartition(b"/")[2] == b".gitattributes" for path in changed):
            # any file may look different now, which git does not see (gitattributes(5))
            (self.private / "index").unlink()
            return {}
        tracked = {path: mode for path, (mode, _oid) in self._entries(source).items()}
        for path, mode in changed.items():
            if mode != _GITLINK and tracked.get(path) == _GITLINK:
                # git leaves the files of a submodule that is no more, with a warning
                del tracked[path]
        return tracked

    def _changed(self, source: Source, tree: str) -> dict[bytes, str]:
        """The paths that differ between ``tree`` and the index, with the mode they have in ``tree``."""
        listing = self._git(source, "diff-index", "--cached", "--raw", "-z", "--ignore-submodules=none", tree)
        fields = listing.split(b"\0")
        return {path: head[1:7].decode("ascii") for head, path in zip(fields[::2], fields[1::2], strict=False)}

    def _entries(self, source: Source) -> dict[bytes, tuple[str, str]]:
        """Mode and object name of each path in the index."""
        found = {}
        for line in self._git(source, "ls-files", "-z", "--stage").split(b"\0"):
            if line:
                head, _, path = line.partition(b"\t")
                mode, oid, _stage = head.decode("ascii").split(" ")
                found[path] = (mode, oid)
        return found

    def _submodules(self, source: Source, tree: str, say: Callable[[str], None]) -> None:
        links = {path: oid for path, (mode, oid) in self._entries(source).items() if mode == _GITLINK}
        if links:
            names = _submodule_names(source, tree)
            for number, (path, commit) in enumerate(sorted(links.items())):
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
                inner.reset(below, commit, keep=frozenset(), fill=_nothing, say=say)
                inner.expose(below, commit)


def _nothing() -> None:
    """What is filled into a submodule."""


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
