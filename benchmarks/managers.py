"""The programs that are compared: put into `.bench` by this benchmark, pinned, and installed as hooks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import EMPTY, NO_HOOK, OURS

__all__ = ["BENCH", "ROOT", "Manager", "install", "managers", "set_up", "set_up_own"]

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / ".bench"
"""Ignored by git; may be deleted at any time."""
_OTHERS, _OWN = BENCH / "others", BENCH / "hookci"
_PINS = Path(__file__).with_name("requirements.txt")

_PRE_COMMIT_CONFIG = """\
default_install_hook_types: [pre-commit, pre-push]
repos:
  - repo: local
    hooks:
      - id: trivial
        name: trivial
        language: system
        entry: "{command}"
        pass_filenames: false
        always_run: true
        stages: [pre-commit, pre-push]
"""
_LEFTHOOK_CONFIG = """\
pre-commit:
  jobs:
    - name: trivial
      run: "{command}"
pre-push:
  jobs:
    - name: trivial
      run: "{command}"
"""
_HOOKCI_CONFIG = """\
[jobs.trivial]
script = ["{command}"]

[hooks]
pre-commit = ["trivial"]
pre-push = ["trivial"]
"""


@dataclass(frozen=True, slots=True)
class Manager:
    """A way to have hooks.

    ``config`` runs the command put in the place of ``{command}`` on commit and on push; ``install`` is the command that
    makes git run it, ``path`` what comes first on the PATH.
    """

    name: str
    config_name: str = ""
    config: str = ""
    install: tuple[str, ...] = ()
    path: tuple[Path, ...] = field(default=())

    @property
    def judges(self) -> bool:
        """Whether it runs a command at all."""
        return bool(self.config)


def managers() -> list[Manager]:
    """Everything that is compared, after `set_up`."""
    others = _OTHERS / "bin"
    binary = next(_OTHERS.glob("lib/python*/site-packages/lefthook/bin/*/lefthook"))
    yaml = (".pre-commit-config.yaml", _PRE_COMMIT_CONFIG)
    lefthook = ("lefthook.yml", _LEFTHOOK_CONFIG, ("lefthook", "install"))
    return [
        Manager(NO_HOOK),
        Manager(EMPTY),
        Manager("prek", *yaml, ("prek", "install"), (others,)),
        Manager("lefthook", *lefthook, (others,)),
        Manager("lefthook binary", *lefthook, (binary.parent,)),
        Manager("pre-commit", *yaml, ("pre-commit", "install"), (others,)),
        Manager(OURS, "hookci.toml", _HOOKCI_CONFIG, ("hookci", "install"), (_OWN / "bin",)),
    ]


def set_up() -> None:
    """Install the pinned others once, and hookci as it is in this checkout anew."""
    wanted = _PINS.read_text(encoding="utf-8")
    stamp = _OTHERS / _PINS.name
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(_OTHERS, ignore_errors=True)
        install(_OTHERS, "-r", str(_PINS))
        stamp.write_text(wanted, encoding="utf-8")
    set_up_own()


def set_up_own() -> Path:
    """Install hookci as it is in this checkout anew; the result is where its programs are, and bandit's."""
    install(_OWN, str(ROOT))
    return _OWN / "bin"


def install(place: Path, *what: str) -> None:
    """Install packages of the Python index into an environment of their own, which is made if it is not there."""
    python = place / "bin" / "python"
    if not python.exists():
        print(f"making {place.relative_to(ROOT)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
    quiet = ("-q", "-q", "--disable-pip-version-check")
    subprocess.run([python, "-m", "pip", "install", *quiet, *what], check=True)
