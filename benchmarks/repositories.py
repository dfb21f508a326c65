"""Repositories to work in, sealed off from the person who measures."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from benchmarks.harness import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["add_remote", "change", "commit", "files", "git", "repository", "sealed_environment", "write"]

_IN_A_DIRECTORY = 50
_GITCONFIG = """\
[user]
\tname = Ana
\temail = ana@example.com
[init]
\tdefaultBranch = main
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""


def sealed_environment(place: Path, programs: Path) -> dict[str, str]:
    """An environment with a home of its own and nothing of git's, CI's or a hook manager's; ``programs`` come first."""
    home = place / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(_GITCONFIG, encoding="utf-8")
    return {
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "HOME": str(home),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def git(place: Path, environment: Mapping[str, str], *words: str) -> str:
    """Run git in ``place``; the result is what it says.

    Raises:
        BenchmarkError: it did not work.
    """
    done = subprocess.run(
        ["git", *words], cwd=place, env=environment, capture_output=True, text=True, check=False, errors="replace"
    )
    if done.returncode:
        raise BenchmarkError(f"git {' '.join(words)} in {place.name}: {done.stderr.strip()}")
    return done.stdout.strip()


def files(count: int) -> dict[str, str]:
    """So many small files, fifty in a directory."""
    return {f"part{number // _IN_A_DIRECTORY}/file{number}.txt": f"file {number}\n" * 20 for number in range(count)}


def repository(path: Path, contents: Mapping[str, str], environment: Mapping[str, str]) -> Path:
    """A packed repository with all that in one commit on main."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, environment, "init", "-q")
    write(path, contents)
    git(path, environment, "add", "-A")
    git(path, environment, "commit", "-qm", "files")
    git(path, environment, "gc", "-q")
    return path


def write(path: Path, contents: Mapping[str, str]) -> None:
    """Write files in a work tree."""
    for name, text in contents.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def change(path: Path, number: int, count: int = 1) -> None:
    """Change so many of `files`, as they never were before for another ``number``."""
    write(path, {f"part{one}/file{one * _IN_A_DIRECTORY}.txt": f"edit {number}\n" for one in range(count)})


def commit(path: Path, environment: Mapping[str, str], *, message: str = "a change") -> str:
    """Commit everything in the work tree without hooks; the result is the commit's name."""
    git(path, environment, "add", "-A")
    git(path, environment, "commit", "-q", "--no-verify", "--allow-empty", "-m", message)
    return git(path, environment, "rev-parse", "HEAD")


def add_remote(path: Path, environment: Mapping[str, str]) -> Path:
    """A bare repository beside this one that has all it has, as its ``origin``."""
    bare = path.with_name(f"{path.name}.git")
    git(path, environment, "clone", "-q", "--bare", str(path), str(bare))
    git(path, environment, "remote", "add", "origin", str(bare))
    git(path, environment, "fetch", "-q", "origin")
    return bare
