"""What a remembered verdict depends on, in terms that the hooks' shim can look at before Python is started.

The shim may say green only where `Remembering.known_green` would.  So whatever a shell cannot tell makes this give up:
the verdict is remembered all the same, and Python looks it up.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

import hookci
from hookci.errors import HookciError
from hookci.execute.environment import PASSED, passed_environment
from hookci.execute.observations import NOISE
from hookci.model.globs import name_matches
from hookci.model.patterns import pattern
from hookci.model.snapshot import DEPLOYS
from hookci.store.green import ANSWERED, Conditions, GreenRecords, Tracked, UntellableError, track

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hookci.execute.observations import Observatory
    from hookci.git.repository import Repository
    from hookci.model.memory import RememberedVerdict
    from hookci.store.memory import Memory

__all__ = ["NAMES", "Shortcut"]

_TELLABLE = frozenset({"environment", "tool", "checkout", "platform"})
"""Kinds of observations that a shell can look at; of carried files it does not see the mode."""
_RELEASE = Path("/proc/sys/kernel/osrelease")
_IDENTIFIER = pattern(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_GLOB = pattern(r"[A-Za-z0-9_*]+", re.ASCII)
_CONFIG = "GIT_CONFIG*"
_HARMLESS = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TMPDIR", "TEMP", "TMP", "LANG", "LANGUAGE", "LC_*", "XDG_*",
    "CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "LD_LIBRARY_PATH", "PKG_CONFIG", "PKG_CONFIG_PATH",
    "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_GLOBAL",
)  # fmt: skip
"""Names (globs) of variables whose values may be written down; of others what says little: paths and small numbers."""
_SAYS_LITTLE = pattern(r"(?:/[\w.+/-]*(?::/[\w.+/-]*)*|[0-9]{1,6}|true|false|yes|no|on|off)?", re.ASCII)
NAMES = (_CONFIG, *PASSED)
"""Names (globs) that are the same in every job, and so stand in the shim itself."""


class Shortcut(Struct, frozen=True, kw_only=True):
    """Writes records for the shim.

    ``began`` is when the first look was taken at anything (unix seconds), ``settings`` hookci's own file of the user's.
    """

    repository: Repository
    observatory: Observatory
    memory: Memory
    green: GreenRecords
    settings: Path
    installation: str
    began: float

    def record(self, hook: str, tree: str, known: RememberedVerdict) -> None:
        """Write the record of a verdict that holds now, if a shell can tell for how long."""
        if hook not in ANSWERED or known.expires is not None or {name for name, _ in known.facts} - {DEPLOYS}:
            return
        if {kind for kind, _, _ in known.observations} - _TELLABLE:
            return
        # that there is none costs time and nothing else
        with suppress(UntellableError, OSError, HookciError):
            conditions = self._conditions(known)
            # what changed while it was looked at has changed for one of the two looks
            if any(self.observatory.look(kind, subject)[2] != value for kind, subject, value in known.observations):
                return
            with self.green.writing():
                if known in self.memory.verdicts(hook, tree, self.installation):
                    self.green.write(hook, tree, known.run, conditions)

    def _conditions(self, known: RememberedVerdict) -> Conditions:
        from hookci.git.configfiles import config_files, exec_path  # noqa: PLC0415 (only what is green is written)

        programs = exec_path(self.repository)
        config = config_files(self.repository, programs)
        release = os.uname().release
        if config is None or not _RELEASE.exists() or _RELEASE.read_text(encoding="ascii").strip() != release:
            raise UntellableError(self.repository.common_dir)
        patterns = sorted(
            {one for kind, each, _ in known.observations if kind == "environment" for one in json.loads(each)}
        )
        if not all(_GLOB.fullmatch(pattern) for pattern in patterns):
            raise UntellableError(patterns)
        found = _Programs(self._path, self.began)
        for kind, word, _ in known.observations:
            if kind == "tool":
                found.look(word, self.observatory)
        paths = [*_installed(), *config.paths, str(self.settings), *map(str, self.observatory.attributes)]
        paths += [str(path.parent) for path in self.observatory.attributes[:1]]
        return Conditions(
            python=sys.executable,
            main=str(Path(hookci.__file__).resolve().parent / "__main__.py"),
            exec_path=programs,
            umask=self.observatory.umask,
            release=release,
            variables=self._variables(patterns),
            more=patterns,
            tracked=[*(track(path, self.began) for path in dict.fromkeys(paths)), *found.tracked],
            programs=found.programs,
            no_programs=found.no_programs,
            git_dir=str(self.repository.git_dir) if config.own else None,
        )

    @property
    def _path(self) -> str:
        path = passed_environment(self.observatory.user, ()).get("PATH")
        if not path:
            raise UntellableError("PATH")
        return path

    def _variables(self, patterns: Iterable[str]) -> Mapping[str, str]:
        user = self.observatory.user
        found = {name: value for name, value in passed_environment(user, patterns).items() if name not in NOISE}
        found |= {name: value for name, value in user.items() if name_matches(_CONFIG, name)}
        if not all(_IDENTIFIER.fullmatch(name) and self._may_be_told(name, found[name], patterns) for name in found):
            raise UntellableError("environment")
        return found

    @staticmethod
    def _may_be_told(name: str, value: str, patterns: Iterable[str]) -> bool:
        """Whether the value of a variable may be written down: never that of one which a job asks for."""
        if any(name_matches(pattern, name) for pattern in patterns):
            return False
        return any(name_matches(glob, name) for glob in _HARMLESS) or _SAYS_LITTLE.fullmatch(value) is not None


class _Programs:
    """What words that may name programs come to mean, and everything that could give them another meaning."""

    def __init__(self, path: str, began: float) -> None:
        self._began = began
        self._directories = list(dict.fromkeys(path.split(os.pathsep)))
        self.tracked: list[Tracked] = []
        self.programs: list[str] = []
        self.no_programs: list[str] = []
        for directory in self._directories:
            self._track(directory)
            if os.path.exists(directory) and not os.access(directory, os.R_OK | os.X_OK):  # noqa: PTH110 (text)
                raise UntellableError(directory)

    def look(self, word: str, observatory: Observatory) -> None:
        """Note where ``word`` leads, and what of that name is no program."""
        if word in {".", ".."} or ("/" in word and not word.startswith("/")):
            return
        places = [word] if "/" in word else [posixpath.join(each, word) for each in self._directories]
        for place in places:
            if os.access(place, os.X_OK) and not os.path.isdir(place):  # noqa: PTH112 (text)
                self.programs.append(place)
                self._track(place)
                self._track(posixpath.dirname(os.path.realpath(place)))
                for path in observatory.version_files(Path(place)):
                    self._track(str(path))
                return
            if "/" in word or os.path.lexists(place):
                self.no_programs.append(place)

    def _track(self, path: str) -> None:
        self.tracked.append(track(path, self._began))


def _installed() -> Iterator[str]:
    """What this hookci and its interpreter are made of, as far as it says which they are."""
    package = Path(hookci.__file__).parent
    beside = Path(sys.executable).parent
    # where the interpreter itself looks (documentation of `site`); sys.prefix is not set with -S
    yield from (
        sys.executable,
        str(Path(os.__file__)),
        *(str(place / "pyvenv.cfg") for place in (beside, beside.parent)),
    )
    yield from (str(package), str(package / "__init__.py"), str(package / "__main__.py"))
    for entry in sys.path:
        place = Path(entry)
        # the directory that a checkout of hookci is in changes all the time, and has nothing else to be imported
        if place != package.parent or place.name in {"site-packages", "dist-packages"}:
            yield entry
            yield from (str(path) for path in sorted(place.glob("*.pth")))
