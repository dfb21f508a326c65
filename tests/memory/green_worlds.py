"""A repository with hooks, and the two who may answer in them: the shim by itself, and hookci in full."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import hookci
from hookci.git.shims import Shim, read_shim

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conftest import Ran, Repo

MAIN = Path(hookci.__file__).resolve().parent / "__main__.py"
START = 'exec "$python" '
ASKED_PYTHON = 42
ZERO = "0" * 40


@functools.cache
def programs() -> Path:
    """A directory with all that jobs, git and the tests need, for a PATH of one's own.

    Those of the machine change under the tests: somebody installs something, pyenv writes its shims anew.  What a
    script names is a copy, as a link would lead there.
    """
    place = Path(tempfile.mkdtemp(prefix="hookci-programs-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    for name in ("bash", "grep", "sh", "wc"):
        found = shutil.which(name)
        assert found is not None, name
        shutil.copy2(os.path.realpath(found), place / name)
    for name in ("git", "busybox", "cp", "dash", "zsh"):
        found = shutil.which(name)
        if found:
            (place / name).symlink_to(found)
    return place


def own_hookci(place: Path) -> tuple[Path, Path]:
    """A hookci of one's own in ``place``, which can be upgraded: its interpreter, and what that starts."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    site = next(place.glob("lib/python*/site-packages"))
    shutil.copytree(MAIN.parent, site / "hookci", ignore=shutil.ignore_patterns("*.pyc.*"))
    (site / "hookci/_hooks").mkdir(exist_ok=True)
    (site / "hookci/_hooks/shim").write_bytes(read_shim())
    (site / "others.pth").write_text(f"{Path(msgspec.__file__).parent.parent}\n")
    return place / "bin/python", site / "hookci/__main__.py"


def settle() -> None:
    """Let what was written last be old enough to be told from what is written next."""
    time.sleep(0.15)


def environment(repo: Repo) -> dict[str, str]:
    """What git adds for a hook: its own programs come first on the PATH."""
    programs = repo.out("--exec-path")
    path = f"{programs}{os.pathsep}{repo.env['PATH']}"
    return {"GIT_EXEC_PATH": programs, "GIT_INDEX_FILE": ".git/index", "PATH": path}


def pushed(*commits: str) -> str:
    """What git writes to a push hook."""
    return "".join(f"HEAD {commit} refs/heads/b{number} {ZERO}\n" for number, commit in enumerate(commits))


def shim_answers(
    repo: Repo,
    hook: str = "pre-commit",
    *,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    shell: Sequence[str] = ("sh",),
    cwd: Path | None = None,
    python: Path | None = None,
    main: Path = MAIN,
) -> Ran | None:
    """What the shim answers by itself; None when it would start Python."""
    shim = repo.path.parent / "asked-shim"
    text = Shim(hook, python or Path(sys.executable), main).fill(read_shim()).decode()
    assert text.count(START) == 1
    shim.write_text(text.replace(START, f"exit {ASKED_PYTHON} #"))
    given = {**environment(repo), **(env or {})}
    ran = repo.run(*shell, str(shim), "origin", "url", check=False, env=given, stdin=stdin, cwd=cwd)
    assert ran.returncode in {0, ASKED_PYTHON}, ran.output
    return None if ran.returncode else ran


def in_full(
    repo: Repo,
    hook: str = "pre-commit",
    *,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    python: Path | None = None,
    main: Path = MAIN,
    cwd: Path | None = None,
) -> Ran:
    """What hookci says when it is started."""
    argv = [str(python or sys.executable), "-I", str(main), "hook", hook, "--", "origin", "url"]
    return repo.run(*argv, check=False, env={**environment(repo), **(env or {})}, stdin=stdin, cwd=cwd)


def records(repo: Repo, hook: str = "pre-commit") -> list[Path]:
    """The records there are for a hook, of all worlds."""
    worlds = (repo.path / ".git/hookci/green" / hook).glob("*/*")
    return sorted(path for path in worlds if path.name not in {"conditions", "times"})


def with_umask(umask: int, repo: Repo, *argv: str, env: Mapping[str, str]) -> int:
    """Run a program under another umask; its exit status."""
    done = subprocess.run(argv, cwd=repo.path, env={**repo.env, **env}, umask=umask, capture_output=True, check=False)
    return done.returncode


def executed(trace: Path) -> Iterator[str]:
    """What was started, as strace(1) writes it with ``-f -e trace=execve -o``: from the program's name on."""
    begun: dict[str, str] = {}
    for line in trace.read_text().splitlines():
        pid, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):  # another process did something in between
            begun[pid] = call
        elif call.endswith("= 0"):
            yield (begun.pop(pid, call) if "resumed>" in call else call).split('execve("')[1]
