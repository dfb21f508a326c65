"""One repository of the user's: where its parts are, and questions to it that change nothing in it."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import GitError, UsageError
from hookci.git.environment import FIXED_CONFIG, for_own_git
from hookci.git.objects import Found, read_batch
from hookci.proc.run import Done, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["BlobEntry", "GitConfig", "Refs", "Repository", "git"]

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
    timeout: float = _TIMEOUT,
) -> Done:
    """Run git with the settings fixed that a user's config must not change.

    Raises:
        GitError: git is not there, did not end within ``timeout`` seconds, or ``check`` and it failed.
    """
    settings = [part for setting in FIXED_CONFIG for part in ("-c", setting)]
    done = run(["git", *settings, *arguments], cwd=cwd, env=env, stdin=stdin, timeout=timeout)
    if check and done.returncode != 0:
        raise GitError(f"`git {' '.join(arguments[:4])}` failed: {done.complaint}")
    return done


class BlobEntry(Struct, frozen=True):
    """A file of a tree: its mode (``100644``, ``100755``, ``120000``, ``160000``), object name and path."""

    mode: str
    oid: str
    path: bytes


class GitConfig(Struct, frozen=True):
    """Git's settings: lower-case keys (as git lists them), values in git's order, of which the last one wins.

    ``everywhere`` are all, ``here`` those of this repository alone, without the user's and the system's.  ``origins``
    says of each in turn where it was found (git-config(1), ``--show-origin``), and its key and value.
    """

    everywhere: Mapping[str, list[str]]
    here: Mapping[str, list[str]]
    origins: Sequence[tuple[str, str, str]]


class Refs(Struct, frozen=True):
    """Branches, tags and what remotes had: each with its object, and with the ref it stands for if it is symbolic.

    ``head`` is the branch that ``HEAD`` is on; None where it is on none, or on one that has no commit yet.
    """

    objects: Mapping[str, str]
    symbolic: Mapping[str, str]
    head: str | None


class Repository(Struct, frozen=True, dict=True):
    """A repository as the user has it; nothing here writes to it.

    ``git_dir`` is the worktree's own, ``common_dir`` the one all worktrees share; ``top`` is None in a
    bare repository.  ``index`` is the index that the commit at hand is made from.  ``env`` is the
    environment of hookci's own git calls.

    Each git process takes longer than its answer: settings, refs and what was looked up are asked for once, and are
    then what they were at the first look.
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
        flags = ["--is-shallow-repository", "--is-inside-work-tree", "--show-cdup"]
        argv = ["git", "rev-parse", "--path-format=absolute", *questions, *flags]
        asking = {**env, "LC_ALL": "C"}
        done = run(argv, cwd=directory, env=asking, timeout=_TIMEOUT)
        if done.returncode != 0:
            raise _no_repository(directory, asking, done)
        git_dir, common, objects, object_format, shallow, inside, *up = os.fsdecode(done.stdout).split("\n")
        if inside not in {"true", "false"}:
            raise GitError(f"the path of the repository at {str(directory)!r} holds a line end", "move it elsewhere")
        top = (directory / up[0]).resolve() if inside == "true" else None
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
        self,
        *arguments: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float = _TIMEOUT,
    ) -> Done:
        """Run git in this repository, for ``timeout`` seconds at most; ``env`` adds to its environment."""
        return git(
            # with a work tree named, git does not look for the one in core.worktree: a submodule's may be gone
            [f"--git-dir={self.git_dir}", f"--work-tree={self.top or self.git_dir}", *arguments],
            cwd=self.top or self.git_dir,
            env={**self.env, **(env or {})},
            stdin=stdin,
            check=check,
            timeout=timeout,
        )

    def ask(self, *arguments: str) -> str | None:
        """What git answers to a question, without the line end; None when it has no answer."""
        done = self.git(*arguments, check=False)
        return os.fsdecode(done.stdout).rstrip("\n") if done.returncode == 0 else None

    @functools.cached_property
    def _looked_up(self) -> dict[str, Found | None]:
        return {}

    def look_up(
        self, names: Iterable[str], *, soon: Iterable[str] = (), env: Mapping[str, str] | None = None
    ) -> dict[str, Found]:
        """The objects that ``names`` (such as ``<oid>^{tree}``) stand for, without those that stand for none.

        Args:
            names: each without a line end; see gitrevisions(7).
            soon: what will be asked for next: one process looks for all of it.
            env: adds to git's environment.
        """
        known, names = self._looked_up, tuple(names)
        if any(name not in known for name in names):
            unknown = [name for name in dict.fromkeys((*names, *soon)) if name not in known]
            lines = os.fsencode("".join(f"{name}\n" for name in unknown))
            found = read_batch(unknown, self.git("cat-file", "--batch", stdin=lines, env=env).stdout)
            known.update({one.oid: one for one in found.values() if one is not None})
            known.update(found)
        return {name: one for name in names if (one := known[name]) is not None}

    @functools.cached_property
    def refs(self) -> Refs:
        """Its refs."""
        names = ("refs/heads", "refs/tags", "refs/remotes")
        listing = self.git("for-each-ref", "--format=%(objectname) %(refname) %(HEAD)%(symref)", *names).stdout
        rows = [line.split(" ", 2) for line in os.fsdecode(listing).split("\n") if line]
        return Refs(
            objects={name: oid for oid, name, _ in rows},
            symbolic={name: rest[1:] for _, name, rest in rows if rest[1:]},
            head=next((name for _, name, rest in rows if rest[0] == "*"), None),
        )

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

    @property
    def settings(self) -> Mapping[str, list[str]]:
        """All of git's settings."""
        return self.config.everywhere

    @functools.cached_property
    def config(self) -> GitConfig:
        """Git's settings, and where they are from."""
        listing = self.git("config", "--list", "-z", "--show-scope", "--show-origin", "--includes", check=False).stdout
        fields = os.fsdecode(listing).split("\0")
        everywhere: dict[str, list[str]] = {}
        here: dict[str, list[str]] = {}
        origins: list[tuple[str, str, str]] = []
        for scope, origin, item in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
            key, separator, value = item.partition("\n")
            for settings in (everywhere, here) if scope in {"local", "worktree"} else (everywhere,):
                settings.setdefault(key, []).append(value if separator else "true")
            origins.append((origin, key, value))
        # FIXED_CONFIG comes back as if the user had set it; nobody asks for those keys
        return GitConfig(everywhere, here, origins)


def _entry(line: bytes) -> BlobEntry:
    head, _, path = line.partition(b"\t")
    mode, _kind, oid = head.decode("ascii").split(" ")
    return BlobEntry(mode, oid, path)


def _no_repository(directory: Path, env: Mapping[str, str], done: Done) -> Exception:
    version = run(["git", "version"], cwd=directory, env=env, timeout=_TIMEOUT).stdout.decode(errors="replace").split()
    numbers = tuple(int(part) for part in version[2].split(".")[:2] if part.isdigit()) if len(version) > 2 else ()  # noqa: PLR2004 ("git version N")
    if numbers and numbers < _MINIMUM:
        found = ".".join(map(str, numbers))
        return GitError(f"git {found} is too old", "install git 2.31 or newer")
    if b"not a git repository" in done.stderr:
        return UsageError(f"{directory} is not in a git repository", "run `git init` first, or change into one")
    return GitError(f"git does not open the repository at {directory}: {done.complaint}")
