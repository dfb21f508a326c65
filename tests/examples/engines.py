"""A Docker engine to try things on, and an image with Python in it that comes from no registry."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from wanted import needed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["docker", "engine", "python_image"]

_NOT_NEEDED = {"test", "site-packages", "dist-packages", "__pycache__", "idlelib", "tkinter", "ensurepip"}


def docker(env: dict[str, str], *arguments: str, check: bool = True, stdin: Path | None = None) -> str:
    """What a docker command prints, stripped."""
    with (stdin or Path(os.devnull)).open("rb") as given:
        done = subprocess.run(["docker", *arguments], env=env, stdin=given, capture_output=True, check=False)
    assert not check or done.returncode == 0, f"docker {arguments}: {done.stderr.decode()}"
    return done.stdout.decode().strip()


@contextmanager
def engine() -> Iterator[dict[str, str]]:
    """The environment to reach an engine with: the one that is there, or one of our own where that can be started.

    Without either the test is skipped, or fails if it must not be.  Engines on one machine share a network, so only
    one test process has one at a time.
    """
    needed("docker")
    env = dict(os.environ)
    if _answers(env):
        yield env
        return
    if os.geteuid() != 0:
        tell = pytest.fail if env.get("TEST_HOOKCI_COMPLETE") == "1" else pytest.skip
        tell("no Docker engine answers, and only root can start one")
    dockerd = needed("dockerd")
    with (Path(tempfile.gettempdir()) / "hookci-tests-engine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # a short path, for the socket
        place = Path(tempfile.mkdtemp(prefix="hookci-engine-"))
        try:
            with _started(dockerd, place, env) as reached:
                yield reached
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _answers(env: dict[str, str]) -> bool:
    return subprocess.run(["docker", "version"], env=env, capture_output=True, check=False).returncode == 0


@contextmanager
def _started(dockerd: str, place: Path, env: dict[str, str]) -> Iterator[dict[str, str]]:
    address = f"unix://{place}/socket"
    places = [
        f"--{name}={place}/{path}" for name, path in (("data-root", "data"), ("exec-root", "exec"), ("pidfile", "pid"))
    ]
    reached = {**env, "DOCKER_HOST": address}
    with (place / "log").open("w") as log:
        process = subprocess.Popen(
            [dockerd, "--host", address, *places], env=env, stdout=log, stderr=log, start_new_session=True
        )
        try:
            end = time.monotonic() + 60
            while not _answers(reached):
                said = (place / "log").read_text()
                assert process.poll() is None, f"the engine ended: {said[-2000:]}"
                assert time.monotonic() < end, f"the engine does not answer: {said[-2000:]}"
                time.sleep(0.2)
            yield reached
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def python_image(env: dict[str, str], directory: Path) -> str:
    """An image of the Python that runs this, and nothing else but the libraries it needs; its name."""
    archive = directory / "python.tar"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    prefix = Path(sys.base_prefix)
    program, library = (prefix / "bin" / version).resolve(), prefix / "lib" / version
    with tarfile.open(archive, "w") as tar:
        tar.add(program, "usr/local/bin/python3")
        tar.add(library, f"usr/local/lib/{version}", filter=_needed)
        for name, path in _libraries([program, *library.glob("lib-dynload/*.so")]).items():
            tar.add(path, name)
    settings = ("ENV PATH=/usr/local/bin", "ENV LD_LIBRARY_PATH=/usr/local/lib")
    changes = [word for setting in settings for word in ("--change", setting)]
    name = f"hookci-test-python:{os.getpid()}"
    docker(env, "import", *changes, "-", name, stdin=archive)
    return name


def _needed(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    path = Path(member.name)
    return None if _NOT_NEEDED & set(path.parts) or path.suffix == ".a" else member


def _libraries(programs: Sequence[Path]) -> dict[str, Path]:
    """The shared libraries of programs by where they are to be; the loader has its place, the others are looked for."""
    found = {}
    for program in programs:
        for line in subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout.splitlines():
            words = line.split()
            if len(words) > 2 and words[1] == "=>" and words[2].startswith("/"):
                found[f"usr/local/lib/{words[0]}"] = Path(words[2]).resolve()
            elif words[0].startswith("/"):
                found[words[0].lstrip("/")] = Path(words[0]).resolve()
    return found
