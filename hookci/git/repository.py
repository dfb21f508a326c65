"""One repository of the user's: where its parts are, and questions to it that change nothing in it."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import GitError, UsageError
from hookci.git.ahead import CONFIG, OBJECTS, PLACE, REFS, TIMEOUT, argv_of, lines_of
from hookci.git.environment import for_own_git
from hookci.git.objects import Found, read_batch
from hookci.proc.run import Done, Started, run, start

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hookci.git.ahead import Ahead

__all__ = ["BlobEntry", "GitConfig", "Refs", "Repository", "git"]

_MINIMUM = (2, 31)
"""``rev-parse --path-format``; released in March 2021."""


def git(
    arguments: Sequence[str],
    *,
    cwd: str | Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    check: bool = True,
    timeout: float = TIMEOUT,
) -> Done:
    """Run git with the settings fixed that a user's config must not change.

    Raises:
        GitError: git is not there, did not end within ``timeout`` seconds, or ``check`` and it failed.
    """
    done = run(argv_of(arguments), cwd=cwd, env=env, stdin=stdin, timeout=timeout)
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
    def discover(cls, directory: Path, env: Mapping[str, str], ahead: Ahead | None = None) -> Repository:
        """The repository around ``directory``, as git itself would find it from ``env``.

        ``ahead`` may have asked git what it is asked here, and for what is asked next.

        Raises:
            UsageError: there is none.
            GitError: git is not there, or too old.
        """
        answers = ahead.answers(directory, env) if ahead else None
        asking = {**env, "LC_ALL": "C"}
        done = answers.place if answers else run(["git", *PLACE], cwd=directory, env=asking, timeout=TIMEOUT)
        if done.returncode != 0:
            raise _no_repository(directory, asking, done)
        git_dir, common, objects, object_format, shallow, inside, *up = os.fsdecode(done.stdout).split("\n")
        if inside not in {"true", "false"}:
            raise GitError(f"the path of the repository at {str(directory)!r} holds a line end", "move it elsewhere")
        top = (directory / up[0]).resolve() if inside == "true" else None
        index = env.get("GIT_INDEX_FILE")
        found = cls(
            git_dir=Path(git_dir),
            common_dir=Path(common).resolve(),
            objects=Path(objects),
            top=top,
            index=(top or directory) / index if index else Path(git_dir) / "index",
            object_format=object_format,
            shallow=shallow == "true",
            env=for_own_git(env),
        )
        if answers:
            found._said.update(config=answers.config, refs=answers.refs)
            found._note(answers.names, answers.objects)
        return found

    @functools.cached_property
    def _said(self) -> dict[str, bytes | None]:
        """What git has said already."""
        return {}

    def git(
        self,
        *arguments: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float = TIMEOUT,
    ) -> Done:
        """Run git in this repository, for ``timeout`` seconds at most; ``env`` adds to its environment."""
        return git(
            [*self._where, *arguments],
            cwd=self.top or self.git_dir,
            env={**self.env, **(env or {})},
            stdin=stdin,
            check=check,
            timeout=timeout,
        )

    @property
    def _where(self) -> tuple[str, str]:
        # with a work tree named, git does not look for the one in core.worktree: a submodule's may be gone
        return f"--git-dir={self.git_dir}", f"--work-tree={self.top or self.git_dir}"

    def start(self, *arguments: str, env: Mapping[str, str]) -> Started:
        """Have git begin to do something in this repository; ``env`` adds to its environment."""
        argv = argv_of([*self._where, *arguments])
        return start(argv, cwd=self.top or self.git_dir, env={**self.env, **env})

    def ask(self, *arguments: str) -> str | None:
        """What git answers to a question, without the line end; None when it has no answer."""
        done = self.git(*arguments, check=False)
        return os.fsdecode(done.stdout).rstrip("\n") if done.returncode == 0 else None

    @functools.cached_property
    def _looked_up(self) -> dict[str, Found | None]:
        return {}

    def _note(self, names: Sequence[str], answers: bytes) -> None:
        found = read_batch(names, answers)
        self._looked_up.update({one.oid: one for one in found.values() if one is not None})
        self._looked_up.update(found)

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
            self._note(unknown, self.git(*OBJECTS, stdin=lines_of(unknown), env=env).stdout)
        return {name: one for name in names if (one := known[name]) is not None}

    @functools.cached_property
    def refs(self) -> Refs:
        """Its refs."""
        listing = self._said.pop("refs", None)
        listing = self.git(*REFS).stdout if listing is None else listing
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
        listing = self._said.pop("config", None)
        listing = self.git(*CONFIG, check=False).stdout if listing is None else listing
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
    version = run(["git", "version"], cwd=directory, env=env, timeout=TIMEOUT).stdout.decode(errors="replace").split()
    numbers = tuple(int(part) for part in version[2].split(".")[:2] if part.isdigit()) if len(version) > 2 else ()  # noqa: PLR2004 ("git version N")
    if numbers and numbers < _MINIMUM:
        found = ".".join(map(str, numbers))
        return GitError(f"git {found} is too old", "install git 2.31 or newer")
    if b"not a git repository" in done.stderr:
        return UsageError(f"{directory} is not in a git repository", "run `git init` first, or change into one")
    return GitError(f"git does not open the repository at {directory}: {done.complaint}")
