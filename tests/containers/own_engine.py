"""An engine of a test's own: its socket, files and containers are its alone, and it can be stopped and run full."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil
import pytest
from wanted import needed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OwnEngine", "own_engine"]


class OwnEngine:
    """A ``dockerd`` without networks; ``small`` mebibytes are all its disk has (None: no limit)."""

    def __init__(self, place: Path, small: int | None = None) -> None:
        self.place = place
        self.url = f"unix://{place}/socket"
        self._small = small
        self._process: subprocess.Popen[bytes] | None = None
        (place / "data").mkdir()
        if small is not None:
            options = ["-t", "tmpfs", "-o", f"size={small}m", "none", str(place / "data")]
            subprocess.run(["mount", *options], check=True)

    def start(self) -> Self:
        """Start it, on the files it had before."""
        ways = {"data-root": "data", "exec-root": "exec", "pidfile": "pid", "host": "socket"}
        paths = [f"--{name}={'unix://' if name == 'host' else ''}{self.place}/{path}" for name, path in ways.items()]
        with (self.place / "log").open("ab") as log:
            self._process = subprocess.Popen([*self.apart(), *paths], stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 60
        while not self._answers():
            said = (self.place / "log").read_text()[-2000:]
            assert self._process.poll() is None, f"the engine ended: {said}"
            assert time.monotonic() < end, f"the engine does not answer: {said}"
            time.sleep(0.1)
        return self

    def apart(self) -> list[str]:
        """The command before its options: in a network namespace of its own, or it takes the usual engine's bridge."""
        return [needed("unshare"), "--net", needed("dockerd"), "--bridge=none", "--iptables=false"]

    def _answers(self) -> bool:
        asked = subprocess.run(["docker", "-H", self.url, "version"], capture_output=True, check=False, timeout=30)
        return asked.returncode == 0

    def give(self, image: str) -> None:
        """Have an image of the usual engine here too."""
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
            subprocess.run(["docker", "-H", self.url, "load"], stdin=saved.stdout, check=True, capture_output=True)

    def kill(self) -> None:
        """End it at once, with all that it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(30)
        for process in self._of_it():
            with suppress(psutil.Error):
                process.kill()
        # by its number, which may be a process's that nobody waits for, the next one would take it for running
        (self.place / "exec" / "containerd" / "containerd.pid").unlink(missing_ok=True)

    def _of_it(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter(["cmdline"]):
            if any(str(self.place) in word for word in process.info["cmdline"] or []):
                with suppress(psutil.Error):
                    yield from process.children(recursive=True)
                yield process

    def close(self) -> None:
        """End it and remove its files."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(30)
        self.kill()
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((path for path in mounts if path.startswith(f"{self.place}/")), reverse=True):
            subprocess.run(["umount", "-l", mount], check=False, capture_output=True)
        shutil.rmtree(self.place, ignore_errors=True)


@contextmanager
def own_engine(small: int | None = None) -> Iterator[OwnEngine]:
    """An engine for one test; only root can start one."""
    if os.geteuid() != 0:
        tell = pytest.fail if os.environ.get("TEST_HOOKCI_COMPLETE") == "1" else pytest.skip
        tell("only root can start an engine")
    # a short path, for the socket
    engine = OwnEngine(Path(tempfile.mkdtemp(prefix="hookci-own-", dir="/tmp")), small)
    try:
        yield engine.start()
    finally:
        engine.close()
