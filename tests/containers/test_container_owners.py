"""Whose the files are that containers write: the user's who runs hookci, however a job ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import Repo
from execute_tools import outcomes, run, said
from images import BUSYBOX
from rootless_engines import rootless_engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conftest import Ran, Sealed

pytestmark = pytest.mark.docker

STRANGER = 12_345
"""A user id that nobody has."""
SOCKET = Path("/var/run/docker.sock")


@dataclass
class Strangers(Repo):
    """A repository of a user who is not root, and who may use the engine."""

    def run(
        self,
        *argv: str,
        check: bool = True,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Ran:
        return Repo.run(self, *self.become, *argv, check=check, cwd=cwd, env=env, stdin=stdin)

    @property
    def become(self) -> list[str]:
        """What goes before a command line for it to be run by that user."""
        group = SOCKET.stat().st_gid
        # they may read, not write, what is root's: the interpreter of the tests may be below root's home
        reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        return ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", f"--groups={group}", *reading]

    def write_files(self, files: Mapping[str, str]) -> None:
        Repo.write_files(self, files)
        for name in files:
            os.chown(self.path / name, STRANGER, STRANGER)


@pytest.fixture
def strangers(sealed: Sealed) -> Iterator[Strangers]:
    """Where a stranger gets at it: not below the directory of the tests, which is the user's alone."""
    if os.geteuid() != 0 or not SOCKET.exists() or SOCKET.stat().st_gid == 0:
        pytest.skip("needs root to become somebody else, and an engine that a group may use")
    top = Path(tempfile.mkdtemp(prefix="hookci-stranger-", dir="/tmp"))
    try:
        path = top / "project"
        path.mkdir()
        (top / "home").mkdir()
        shutil.copy(sealed.home / ".gitconfig", top / "home")
        for made in (top, path, top / "home", top / "home" / ".gitconfig"):
            os.chown(made, STRANGER, STRANGER)
        repo = Strangers(path, {**sealed.env, "HOME": str(top / "home")})
        repo.git("init", "-q")
        yield repo
    finally:
        shutil.rmtree(top)


def owners(top: Path) -> set[int]:
    """The users whose files are below a directory."""
    return {path.lstat().st_uid for path in (top, *top.rglob("*"))}


@pytest.mark.parametrize("user", ["", 'user = "65534:65534"'])
def test_what_a_container_writes_belongs_to_the_user(strangers: Strangers, user: str) -> None:
    config = f"""
        [defaults]
        image = {{ name = "{BUSYBOX}", {user} }}
        [jobs.make]
        stage = "build"
        script = ["id -u", "mkdir -p out/deep kept; echo x > out/deep/file; echo y > kept/file", "umask 077; mkdir own",
                  "echo z > own/file; chmod 0 own/file; chmod 0500 own; ln -s /etc/passwd out/link"]
        artifacts = ["out"]
        cache = {{ paths = ["kept"] }}
        [jobs.use]
        script = ["cat out/deep/file", "test ! -e own", "echo more >> out/deep/file"]
    """
    strangers.commit({"hookci.toml": config})

    runs = [run(strangers) for _ in range(2)]

    who = "65534" if user else "0"
    assert [said(ran, "make") for ran in runs] == [[who], [who]]
    assert said(runs[1], "use") == ["x"]
    assert owners(strangers.path.parent) == {STRANGER}


@pytest.mark.parametrize(
    ("outcome", "how"),
    [
        ("timed out", '[jobs.a]\ntimeout = "2s"'),
        ("cancelled", '[jobs.b]\nscript = ["sleep 3; false"]\n[jobs.a]'),
        ("errored", '[jobs.a]\nshell = "bash"'),
    ],
)
@pytest.mark.parametrize("user", ["", 'user = "65534:65534"'])
def test_the_files_of_a_job_that_was_ended_come_back_to_the_user(
    strangers: Strangers, outcome: str, how: str, user: str
) -> None:
    config = f"""
        {how}
        image = {{ name = "{BUSYBOX}", {user} }}
        script = ["mkdir -p deep; echo x > deep/file; echo up", "sleep 60"]
    """
    strangers.commit({"hookci.toml": config})

    run(strangers, "-j", "2", check=False)
    belongs_to = owners(strangers.path.parent)
    strangers.commit({"hookci.toml": f"[jobs.a]\nimage = '{BUSYBOX}'\nscript = ['ls']\n"})
    again = run(strangers)

    assert outcomes(strangers, 1)["a"] == outcome
    assert belongs_to == {STRANGER}
    assert said(again, "a") == ["hookci.toml"]


def test_what_a_container_wrote_is_in_nobodys_way_after_kill_9(strangers: Strangers) -> None:
    config = f"""
        [defaults]
        image = "{BUSYBOX}"
        [jobs.a]
        script = ["ls", "mkdir deep; echo x > deep/file; chmod 700 deep; touch .git/mine", "echo up", "SLEEP"]
        [jobs.b]
        image = "local"
        script = ["ls"]
    """
    strangers.commit({"hookci.toml": config.replace("SLEEP", "sleep 60")})
    argv = [*strangers.become, sys.executable, "-I", "-m", "hookci", "run", "job:a"]
    with subprocess.Popen(argv, cwd=strangers.path, env=strangers.env, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert any(b"| up" in line for line in process.stdout)
        process.kill()
    strangers.commit({"hookci.toml": config.replace("SLEEP", "true")})

    here, there = run(strangers, "job:b"), run(strangers, "job:a")

    assert said(here, "b") == ["hookci.toml"]
    assert said(there, "a") == ["hookci.toml", "up"]
    assert owners(strangers.path.parent) == {STRANGER}


def test_on_a_rootless_engine_what_a_container_writes_belongs_to_the_user_too(strangers: Strangers) -> None:
    config = f"""
        [defaults]
        artifacts = ["out"]
        [jobs.root]
        image = "{BUSYBOX}"
        script = ["id -u", "mkdir -p out/deep; echo x > out/deep/file; chmod 700 out"]
        [jobs.other]
        image = {{ name = "{BUSYBOX}", user = "65534:65534" }}
        script = ["id -u", "mkdir -p out/deep; echo x > out/deep/file; chmod 700 out"]
    """
    strangers.commit({"hookci.toml": config})
    with rootless_engine(strangers.path.parent, STRANGER) as engine:
        engine.give(BUSYBOX)

        ran = run(strangers, "--engine", engine.url)

    assert (said(ran, "root"), said(ran, "other")) == (["0"], ["65534"])
    assert owners(strangers.path) | owners(strangers.path.parent / "home") == {STRANGER}
