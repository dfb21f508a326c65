"""What every run asks git: where the repository is, what its settings and refs are, and what is in objects.

It can be asked ahead of the run.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import GitError
from hookci.git.environment import FIXED_CONFIG, GIT_LOCAL, for_own_git
from hookci.proc.run import start

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hookci.proc.run import Done, Started

__all__ = [
    "CONFIG",
    "HEAD",
    "OBJECTS",
    "PLACE",
    "REFS",
    "TIMEOUT",
    "Ahead",
    "Answers",
    "argv_of",
    "lines_of",
    "names_of_head",
]

TIMEOUT = 600.0
PLACE = (
    *("rev-parse", "--path-format=absolute"),
    *("--git-dir", "--git-common-dir", "--git-path", "objects", "--show-object-format"),
    *("--is-shallow-repository", "--is-inside-work-tree", "--show-cdup"),
)
CONFIG = ("config", "--list", "-z", "--show-scope", "--show-origin", "--includes")
REFS = (
    *("for-each-ref", "--format=%(objectname) %(refname) %(HEAD)%(symref)"),
    *("refs/heads", "refs/tags", "refs/remotes"),
)
OBJECTS = ("cat-file", "--batch")
HEAD = "HEAD"
_USUAL = {"GIT_INDEX_FILE", "GIT_PREFIX"}
"""What git sets for hooks, and makes none of these answers another one."""
_HERE = b"file:.git/"
_ALWAYS = 3


def argv_of(arguments: Sequence[str]) -> list[str]:
    """The git of hookci's own calls: with the settings fixed that a user's config must not change."""
    return ["git", *(part for setting in FIXED_CONFIG for part in ("-c", setting)), *arguments]


def names_of_head(files: Iterable[str]) -> tuple[str, ...]:
    """The objects that are looked up of ``HEAD`` by who reads ``files`` of it next."""
    return (HEAD, f"{HEAD}^{{tree}}", *(f"{HEAD}:{name}" for name in files))


def lines_of(names: Iterable[str]) -> bytes:
    """What `OBJECTS` reads."""
    return os.fsencode("".join(f"{name}\n" for name in names))


class Answers(Struct, frozen=True):
    """What git said: where the repository is, what its settings and its refs are (None: no use), and of ``names``."""

    place: Done
    config: bytes | None
    refs: bytes | None
    names: tuple[str, ...]
    objects: bytes


class Ahead:
    """Questions to git that are asked while there is something else to do: the rest of hookci to be imported."""

    def __init__(self, directory: Path, env: Mapping[str, str], names: Sequence[str], began: float) -> None:
        self.began = began
        self._asked = directory, dict(env)
        self._names = tuple(names)
        self._started: Sequence[Started] = ()

    @classmethod
    def ask(cls, directory: Path, env: Mapping[str, str], names: Sequence[str], began: float) -> Ahead | None:
        """Ask about the repository around ``directory``, and the objects ``names`` in it.

        ``began`` is when that is, in unix seconds.  None where what is asked depends on where it is.
        """
        if GIT_LOCAL & env.keys() - _USUAL:
            return None
        ahead, own = cls(directory, env, names, began), for_own_git(env)
        ahead._started = started = []
        with contextlib.suppress(GitError):  # it comes again, where somebody asks
            started.append(start(["git", *PLACE], cwd=directory, env={**env, "LC_ALL": "C"}))
            started.extend(start(argv_of(question), cwd=directory, env=own) for question in (CONFIG, REFS))
            if names:
                started.append(start(argv_of(OBJECTS), cwd=directory, env=own, stdin=lines_of(names)))
        return ahead

    def answers(self, directory: Path, env: Mapping[str, str]) -> Answers | None:
        """What git said, once, to whoever would ask the very same; None if nobody asked it.

        Raises:
            GitError: git did not end.
        """
        started, self._started = self._started, ()
        done = [one.done(TIMEOUT) for one in started]
        if len(done) < _ALWAYS or self._asked != (directory, dict(env)):
            return None
        place, config, refs, *more = done
        found = [one.stdout for one in more if one.returncode == 0]
        return Answers(
            place=place,
            config=_absolute(config, place),
            refs=refs.stdout if refs.returncode == 0 else None,
            names=self._names if found else (),
            objects=found[0] if found else b"",
        )


def _absolute(config: Done, place: Done) -> bytes | None:
    """The settings, with where they come from; None where that cannot be told."""
    if config.returncode != 0 or place.returncode != 0:
        return None
    fields = config.stdout.split(b"\0")
    git_dir = b"file:" + place.stdout.partition(b"\n")[0] + b"/"
    for number in range(1, len(fields), 3):
        origin = fields[number]
        if origin.startswith(_HERE) and git_dir.endswith(b"/.git/"):
            fields[number] = git_dir + origin.removeprefix(_HERE)
        elif origin.startswith(b"file:") and not origin.startswith(b"file:/"):
            return None
    return b"\0".join(fields)
