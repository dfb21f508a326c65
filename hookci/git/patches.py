"""What a commit or push adds, as git's patches: no setting of a person or of the repository hides a line."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.git.environment import FIXED_CONFIG
from hookci.proc.stream import stream

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from hookci.git.repository import Repository
    from hookci.git.snapshots import Scratch

__all__ = ["Patches", "patches_of_commits", "patches_of_index", "patches_of_tree"]

_TIMEOUT = 600.0
_NO_SETTINGS = ("core.attributesFile=/dev/null", "attr.tree=", "diff.renameLimit=1000", "diff.suppressBlankEmpty=false")
# --text: an attribute -diff hides nothing; -M: a file that is only moved adds nothing; -U0: changed lines alone;
# --cc: of a merge, what none of its parents has; the prefixes as the parser expects them, whatever diff.noprefix says
_FORM = (
    *("-r", "-p", "-U0", "--inter-hunk-context=0", "-M", "--cc", "--root", "--full-index", "--text"),
    *("--no-ext-diff", "--no-textconv", "--no-color", "--diff-algorithm=myers", "--submodule=short"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--line-prefix=", "-O/dev/null"),
)
_GLOB = re.compile(r"[*?\[\\]")


class Patches(Struct, frozen=True, kw_only=True):
    """What a commit or push adds.

    ``patches`` gives git's patches, as bytes, piece by piece; before those of a commit stands a line with its name,
    the oldest commit first.  ``content`` is what a path holds at the end of it all, None when there is no such file.
    ``paths`` says which files matter.
    """

    patches: Callable[[], Generator[bytes, None, None]]
    content: Callable[[str], bytes | None]
    paths: Callable[[str], bool] = field(default=lambda _path: True)


class _Source(Struct, frozen=True):
    """Asks git for patches; nothing happens before `Patches.patches` is called."""

    repository: Repository
    scratch: Scratch

    def patches(self, ask: Callable[[], Generator[bytes, None, None]], end: str) -> Patches:
        return Patches(patches=ask, content=lambda path: self._content(end, path))

    def diff(self, *arguments: str, stdin: bytes = b"") -> Generator[bytes, None, None]:
        environment = self.scratch.environment(self.repository)
        # a merge's own lines are not shown when an attribute calls the file binary, --text or not: git finds no
        # .gitattributes in a work tree that holds none and in an index that is not there
        nowhere = self.scratch.directory
        environment.update(GIT_INDEX_FILE=str(nowhere / "no-index"), GIT_ATTR_NOSYSTEM="1")
        return stream(
            [
                *("git", f"--git-dir={self.repository.git_dir}", f"--work-tree={nowhere}"),
                *(part for setting in (*FIXED_CONFIG, *_NO_SETTINGS) for part in ("-c", setting)),
                *("diff-tree", *_FORM, *arguments),
            ],
            cwd=nowhere,
            env={**self.repository.env, **environment},
            stdin=stdin,
            timeout=_TIMEOUT,
        )

    def commits(self, commit: str, known: Sequence[str], remote: str) -> bytes:
        """The names of the commits that come with ``commit``, a line each, the oldest first."""
        tracked = f"--remotes={_GLOB.sub(lambda found: chr(92) + found[0], remote)}/*"
        arguments = ("--topo-order", "--reverse", commit, "--not", *known, tracked)
        return self.repository.git("rev-list", *arguments, env=self.scratch.environment(self.repository)).stdout

    def _content(self, end: str, path: str) -> bytes | None:
        environment = self.scratch.environment(self.repository)
        done = self.repository.git("cat-file", "blob", f"{end}:{path}", env=environment, check=False)
        return done.stdout if done.returncode == 0 else None


def patches_of_commits(
    repository: Repository, scratch: Scratch, commit: str, known: Sequence[str], remote: str
) -> Patches:
    """What each commit adds that ``remote`` does not have yet; of a merge, the lines that none of its parents has.

    Args:
        repository: where the commits are.
        scratch: where hookci's own objects are.
        commit: what is pushed.
        known: commits that the other side has; with them, all that ``refs/remotes/<remote>/*`` reach.
        remote: the remote's name.
    """
    source = _Source(repository, scratch)

    def ask() -> Generator[bytes, None, None]:
        return source.diff("--always", "--stdin", stdin=source.commits(commit, known, remote))

    return source.patches(ask, commit)


def patches_of_index(repository: Repository, scratch: Scratch, commit: str) -> Patches:
    """What a commit about to be made adds to its parents: ``commit`` is that of `hookci.git.snapshots.of_index`."""
    source = _Source(repository, scratch)
    return source.patches(lambda: source.diff("--no-commit-id", commit), commit)


def patches_of_tree(repository: Repository, scratch: Scratch, base: str | None, tree: str) -> Patches:
    """What ``tree`` adds to ``base`` (a tree or commit; None: to nothing)."""
    source = _Source(repository, scratch)
    return source.patches(lambda: source.diff(base or _empty_tree(repository), tree), tree)


def _empty_tree(repository: Repository) -> str:
    """The name of the tree without files, which git knows without having it."""
    return os.fsdecode(repository.git("hash-object", "-t", "tree", "--stdin").stdout).strip()
