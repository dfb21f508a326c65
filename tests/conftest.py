"""A sealed machine for every test, and real repositories to try hookci on."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from images import in_container

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

pytest_plugins = ["docker_fixtures"]

AUTHOR = {
    "GIT_AUTHOR_NAME": "Ana",
    "GIT_AUTHOR_EMAIL": "ana@example.com",
    "GIT_COMMITTER_NAME": "Ana",
    "GIT_COMMITTER_EMAIL": "ana@example.com",
}


def pytest_report_header() -> str:
    git = subprocess.run(["git", "version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{git}; stress factor TEST_HOOKCI_STRESS={stress(1)}"


def stress(count: int) -> int:
    """``count`` scaled by TEST_HOOKCI_STRESS: small in ordinary runs, the full figure when asked for."""
    return max(1, int(count * float(os.environ.get("TEST_HOOKCI_STRESS", "1"))))


@dataclass(frozen=True)
class Sealed:
    """A home of its own for one test, and the environment that goes with it."""

    home: Path
    env: Mapping[str, str]


def unmount_below(top: Path) -> None:
    """Unmount the overlays of jobs whose hookci was killed: they can be removed in no other way."""
    mounts = Path("/proc/self/mounts")
    rows = mounts.read_bytes().splitlines() if mounts.exists() else []
    for source, place, *_rest in (row.split(b" ") for row in rows):
        path = os.fsdecode(place.decode("unicode_escape").encode("latin-1"))  # fstab(5): octal, as in `\040`
        if source == b"hookci" and path.startswith(f"{top}/"):
            subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Sealed]:
    """An environment that neither sees nor changes the developer's own git, hookci or home directory."""
    home = tmp_path / "home"
    home.mkdir()
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "HOOKCI_", "CI_", "PRE_COMMIT", "XDG_", "PYTEST_")) and name != "CI"
    }
    env.update(AUTHOR)
    env.update(HOME=str(home), GIT_CONFIG_NOSYSTEM="1", TERM="dumb", LC_ALL="C.UTF-8", PYTHONWARNINGS="default")
    # the interpreter under test comes first, as after `source .venv/bin/activate`
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
    (home / ".gitconfig").write_text(
        '[init]\n\tdefaultBranch = main\n[protocol "file"]\n\tallow = always\n[advice]\n\tdetachedHead = false\n'
    )
    yield Sealed(home, env)
    unmount_below(tmp_path)


@dataclass
class Ran:
    """What a finished command said."""

    argv: list[str]
    returncode: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


@dataclass
class Repo:
    """A real repository with a real bare remote beside it."""

    path: Path
    env: dict[str, str]
    remote: Path | None = None
    image: str | None = None
    """What jobs run in if their config does not say it; None for this machine."""
    _commits: int = field(default=0)

    def run(
        self,
        *argv: str,
        check: bool = True,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Ran:
        """Run any program here; with ``check`` a failure of it fails the test."""
        done = subprocess.run(
            argv,
            cwd=cwd or self.path,
            env={**self.env, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
            timeout=120,
        )
        ran = Ran(list(argv), done.returncode, done.stdout, done.stderr)
        assert not check or ran.returncode == 0, f"{argv} ended in {ran.returncode}:\n{ran.output}"
        return ran

    def git(self, *arguments: str, check: bool = True, env: Mapping[str, str] | None = None) -> Ran:
        return self.run("git", *arguments, check=check, env=env)

    def hookci(self, *arguments: str, check: bool = True, env: Mapping[str, str] | None = None, stdin: str = "") -> Ran:
        return self.run(sys.executable, "-I", "-m", "hookci", *arguments, check=check, env=env, stdin=stdin)

    def out(self, *arguments: str) -> str:
        """What a git command prints, stripped."""
        return self.git(*arguments).stdout.strip()

    def write(self, **files: str) -> None:
        """Write files by keyword; ``a__b_txt`` is not magic, use `write_files` for odd names."""
        self.write_files(files)

    def write_files(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(in_container(text, self.image) if self.image and name == "hookci.toml" else text)

    def commit(self, files: Mapping[str, str] | None = None, message: str = "a change") -> str:
        """Write files, add everything, commit without hooks; returns the commit's name."""
        self.write_files(files or {})
        self.git("add", "-A")
        self._commits += 1
        date = f"{1_700_000_000 + self._commits} +0000"
        self.git(
            "commit", "--no-verify", "--allow-empty", "-qm", message,
            env={"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
        )  # fmt: skip
        return self.out("rev-parse", "HEAD")

    def remote_refs(self) -> dict[str, str]:
        """What is on the remote: ref name to object name."""
        assert self.remote is not None
        listing = subprocess.run(
            ["git", "for-each-ref", "--format=%(refname) %(objectname)"],
            cwd=self.remote, env=self.env, capture_output=True, text=True, errors="surrogateescape", check=True,
        ).stdout  # fmt: skip
        return dict(line.split(" ") for line in listing.splitlines())

    def remote_branches(self) -> set[str]:
        return {name.removeprefix("refs/heads/") for name in self.remote_refs() if name.startswith("refs/heads/")}


@pytest.fixture
def make_repo(sealed: Sealed, tmp_path: Path) -> Callable[..., Repo]:
    """Makes repositories: ``make_repo("name", remote=True, object_format="sha1")``."""

    def make(name: str = "project", *, remote: bool = True, object_format: str = "sha1") -> Repo:
        path = tmp_path / name
        repo = Repo(path, dict(sealed.env))
        repo.run("git", "init", "-q", f"--object-format={object_format}", str(path), cwd=tmp_path)
        if remote:
            repo.remote = tmp_path / f"{name}.git"
            repo.run("git", "init", "-q", "--bare", f"--object-format={object_format}", str(repo.remote), cwd=tmp_path)
            repo.git("remote", "add", "origin", str(repo.remote))
        return repo

    return make


@pytest.fixture
def repo(make_repo: Callable[..., Repo], executor: str | None, tmp_path: Path) -> Repo:
    """An empty repository with an empty bare remote ``origin``; containers of its jobs see ``tmp_path``."""
    made = make_repo()
    if executor:
        made.image = executor
        made.git("config", "hookci.mount", f"{tmp_path}:{tmp_path}")
    return made


@pytest.fixture(autouse=True)
def _writable_again(tmp_path: Path) -> Iterator[None]:
    """Let pytest clean up after tests that take permissions away."""
    yield
    for folder, names, _files in os.walk(tmp_path):
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink() and not os.access(path, os.W_OK | os.X_OK):
                path.chmod(stat.S_IRWXU)
    shutil.rmtree(tmp_path / "home" / ".cache", ignore_errors=True)
