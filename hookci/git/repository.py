"""One repository of the user's: where its parts are, and questions to it that change nothing in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hookci.errors import GitError, UsageError
from hookci.git.environment import FIXED_CONFIG, for_own_git
from hookci.proc.run import Done, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["BlobEntry", "Repository", "git"]

_TIMEOUT = 600.0
_MINIMUM = (2, 31)
"""``rev-parse --path-format``; released in March 2021."""


def git(
    arguments: Sequence[str],
    *,
    cwd: str | Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    check: bool = True,
) -> Done:
    """Run git with the settings fixed that a user's config must not change.

    Raises:
        GitError: git is not there, or ``check`` and it failed.
    """
    settings = [part for setting in FIXED_CONFIG for part in ("-c", setting)]
    done = run(["git", *settings, *arguments], cwd=cwd, env=env, stdin=stdin, timeout=_TIMEOUT)
    if check and done.returncode != 0:
        raise GitError(f"`git {' '.join(arguments[:4])}` failed: {done.complaint}")
    return done


@dataclass(frozen=True, slots=True)
class BlobEntry:
    """A file of a tree: its mode (``100644``, ``100755``, ``120000``, ``160000``), object name and path."""

    mode: str
    oid: str
    path: bytes


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as the user has it; nothing here writes to it.

    ``git_dir`` is the worktree's own, ``common_dir`` the one all worktrees share; ``top`` is None in a
    bare repository.  ``index`` is the index that the commit at hand is made from.  ``env`` is the
    environment of hookci's own git calls.
    """

    git_dir: Path
    common_dir: Path
    objects: Path
    top: Path | None
    index: Path
    object_format: str
    shallow: bool
    env: Mapping[str, str]

    @classmethod
    def discover(cls, directory: Path, env: Mapping[str, str]) -> Repository:
        """The repository around ``directory``, as git itself would find it from ``env``.

        Raises:
            UsageError: there is none.
            GitError: git is not there, or too old.
        """
        questions = ["--git-dir", "--git-common-dir", "--git-path", "objects", "--show-object-format"]
        flags = ["--is-shallow-repository", "--is-bare-repository", "--is-inside-work-tree"]
        argv = ["git", "rev-parse", "--path-format=absolute", *questions, *flags]
        asking = {**env, "LC_ALL": "C"}
        done = run(argv, cwd=directory, env=asking, timeout=_TIMEOUT)
        if done.returncode != 0:
            raise _no_repository(directory, asking, done)
        git_dir, common, objects, object_format, shallow, _bare, inside = os.fsdecode(done.stdout).splitlines()
        top = _top(directory, asking) if inside == "true" else None
        index = env.get("GIT_INDEX_FILE")
        return cls(
            git_dir=Path(git_dir),
            common_dir=Path(common).resolve(),
            objects=Path(objects),
            top=top,
            index=(top or directory) / index if index else Path(git_dir) / "index",
            object_format=object_format,
            shallow=shallow == "true",
            env=for_own_git(env),
        )

    def git(
        self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, check: bool = True
    ) -> Done:
        """Run git in this repository; ``env`` adds to its environment."""
        return git(
            [f"--git-dir={self.git_dir}", *arguments],
            cwd=self.top or self.git_dir,
            env={**self.env, **(env or {})},
            stdin=stdin,
            check=check,
        )

    def ask(self, *arguments: str) -> str | None:
        """What git answers to a question, without the line end; None when it has no answer."""
        done = self.git(*arguments, check=False)
        return os.fsdecode(done.stdout).rstrip("\n") if done.returncode == 0 else None

    def peel(self, names: Iterable[str], kind: str) -> list[str | None]:
        """The objects that ``names`` peel to (``kind`` is ``commit`` or ``tree``), None where they do not."""
        lines = "".join(f"{name}^{{{kind}}}\n" for name in names)
        answers = self.git("cat-file", "--batch-check=%(objectname)", stdin=os.fsencode(lines)).stdout
        return [line if " " not in line else None for line in answers.decode("ascii", "replace").splitlines()]

    def kind(self, oid: str) -> str | None:
        """``commit``, ``tree``, ``blob`` or ``tag``; None when the object is not there."""
        return self.ask("cat-file", "-t", oid)

    def entries(self, tree: str, *paths: str) -> list[BlobEntry]:
        """Every file of ``tree``, or those of ``paths`` that are there; order as in the tree."""
        recursive = () if paths else ("-r",)
        listing = self.git("ls-tree", "-z", "--full-tree", *recursive, tree, "--", *paths).stdout
        return [_entry(line) for line in listing.split(b"\0") if line]

    def blob(self, oid: str) -> bytes:
        """The content of a blob."""
        return self.git("cat-file", "blob", oid).stdout

    def config(self) -> dict[str, list[str]]:
        """All settings, lower-case keys (as git lists them), values in git's order: the last one wins."""
        listing = self.git("config", "--list", "-z", "--includes", check=False).stdout
        return _settings(listing)

    def local_config(self) -> dict[str, list[str]]:
        """The settings of this repository alone, without the user's and the system's."""
        return _settings(self.git("config", "--list", "-z", "--local", "--includes", check=False).stdout)


def _settings(listing: bytes) -> dict[str, list[str]]:
    settings: dict[str, list[str]] = {}
    for item in os.fsdecode(listing).split("\0"):
        if item:
            key, separator, value = item.partition("\n")
            settings.setdefault(key, []).append(value if separator else "true")
    # FIXED_CONFIG comes back as if the user had set it; nobody asks for those keys
    return settings


def _entry(line: bytes) -> BlobEntry:
    head, _, path = line.partition(b"\t")
    mode, _kind, oid = head.decode("ascii").split(" ")
    return BlobEntry(mode, oid, path)


def _top(directory: Path, env: Mapping[str, str]) -> Path:
    done = run(["git", "rev-parse", "--show-toplevel"], cwd=directory, env=env, timeout=_TIMEOUT)
    return Path(os.fsdecode(done.stdout).rstrip("\n"))


def _no_repository(directory: Path, env: Mapping[str, str], done: Done) -> Exception:
    version = run(["git", "version"], cwd=directory, env=env, timeout=_TIMEOUT).stdout.decode(errors="replace").split()
    numbers = tuple(int(part) for part in version[2].split(".")[:2] if part.isdigit()) if len(version) > 2 else ()  # noqa: PLR2004 ("git version N")
    if numbers and numbers < _MINIMUM:
        found = ".".join(map(str, numbers))
        return GitError(f"git {found} is too old", "install git 2.31 or newer")
    if b"not a git repository" in done.stderr:
        return UsageError(f"{directory} is not in a git repository", "run `git init` first, or change into one")
    return GitError(f"git does not open the repository at {directory}: {done.complaint}")
