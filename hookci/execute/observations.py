"""What a result depends on beside the snapshot: things of this machine that can be looked at, and looked at again."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.execute.environment import contained_environment, passed_environment
from hookci.model.digests import keyed_digest
from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hookci.model.pipeline import Job

__all__ = ["NOISE", "ON_ENGINE", "Observation", "Observatory", "tool_words"]

Observation = tuple[str, str, str]
"""What kind of thing, which one, and what it was: ``("tool", "gcc", "<digest>")``."""

ON_ENGINE = frozenset({"image", "engine"})
"""The kinds that an engine is asked for; an empty one says that it cannot be known now, so nothing holds under it."""

NOISE = frozenset({"TERM", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "XDG_SESSION_ID", "XDG_VTNR", "XDG_SEAT"})
"""Passed to jobs, but different in every terminal; a job whose result depends on them is not to be remembered."""

_WORD = pattern(r"[A-Za-z0-9_./+@~-]+")


def tool_words(texts: Iterable[str]) -> list[str]:
    """The words of a script that may name a program; that some do not costs nothing but a look."""
    words = {word for text in texts for word in _WORD.findall(text)}
    # what has a relative path is the snapshot's own, or came from a job it depends on
    return sorted(word for word in words if "/" not in word or word.startswith("/"))


def _no_image(_name: str, _platform: str | None) -> str:
    return ""


class Observatory(Struct, frozen=True, dict=True):
    """Looks at this machine.

    ``salt`` is secret and this clone's own: values of the environment are only ever stored as digests
    under it.  ``settings`` are git's, all of them; ``attributes`` the files beside the tree that say
    how a checkout is written, ``data`` hookci's directory among the user's data.  ``image_id`` tells which image a name
    (and platform) means: the one that this run has used under it, else the one on the engine, by its id; empty when it
    is not there.  ``engine`` says on what an engine's containers run, empty when it cannot be reached.  ``blob`` reads
    a file of git's.
    """

    user: Mapping[str, str]
    which: Callable[[str, str], str | None]
    salt: bytes
    settings: Mapping[str, list[str]]
    attributes: tuple[Path, ...]
    carried_from: Path | None
    umask: int
    data: Path
    image_id: Callable[[str, str | None], str] = _no_image
    engine: Callable[[], str] = str
    blob: Callable[[str], bytes] = str.encode

    def look(self, kind: str, subject: str) -> Observation:
        """How a thing is now.

        Args:
            kind: ``environment`` (subject: patterns of variable names beside those every job gets, as JSON),
                ``tool`` (a word that may name a program), ``carry`` (an untracked file), ``checkout`` (what
                changes how files are written), ``platform``, ``scanner``, ``advisories`` (the database that the
                scanner ``dependencies`` asks), ``given`` (what a container gets of the environment; as for
                ``environment``), ``engine``, or ``image`` (its name and platform, as JSON).
            subject: see there.
        """
        value = {
            "environment": self._environment,
            "tool": self._tool,
            "carry": self._carry,
            "checkout": self._checkout,
            "platform": self._platform,
            "scanner": _scanner,
            "advisories": self._advisories,
            "given": self._given,
            "engine": self._engine,
            "image": self._image,
        }[kind](subject)
        return (kind, subject, value)

    def of_job(
        self,
        job: Job,
        images: Sequence[tuple[str, str | None]] = (),
        look: Callable[[str, str], Observation] | None = None,
    ) -> list[Observation]:
        """All that a job's result depends on here.

        What runs in containers depends on images, not on the programs of this machine.

        Args:
            job: the job.
            images: the names and platforms of those it is started from.
            look: looks in the place of `look`, such as once for several jobs.
        """
        look = look or self.look
        texts = (*job.before_script, *job.script, *job.after_script)
        words = job.tools if job.tools is not None else tool_words(texts)
        patterns = json.dumps(sorted({*job.pass_env, *job.secrets}))
        if job.contained:
            return _of_container(job, patterns, images, look)
        looks = [look("platform", ""), look("checkout", ""), look("environment", patterns)]
        looks += [look("carry", name) for name in sorted(job.carry)]
        if job.scan is not None:
            looks += [look("scanner", job.scan.tool), look("advisories", job.scan.tool)]
            if not job.script:  # no shell runs
                return looks
        shells = (job.shell,) if job.shell else ("bash", "sh")
        # words that name no program are looked at too: when one comes to name one, the script does another thing
        return looks + [look("tool", word) for word in sorted({*words, *shells})]

    def variables(self, kind: str, patterns: str) -> dict[str, str]:
        """A digest of each variable that ``environment`` or ``given`` looks at, by its name."""
        names = tuple(json.loads(patterns))
        found = (contained_environment if kind == "given" else passed_environment)(self.user, names)
        return {
            name: self._digest(value.encode(errors="surrogateescape"))[:16]
            for name, value in sorted(found.items())
            if kind == "given" or name not in NOISE
        }

    def program(self, word: str) -> tuple[str, str, int] | None:
        """Where the program is that ``tool`` looks at, where that leads, and when it was written (ns)."""
        path = self._program(word)
        try:
            return (path, os.path.realpath(path), os.stat(path).st_mtime_ns) if path else None  # noqa: PTH116 (text)
        except OSError:
            return None

    def _digest(self, *parts: bytes) -> str:
        return keyed_digest(self.salt, *parts)

    def _environment(self, patterns: str) -> str:
        passed = passed_environment(self.user, tuple(json.loads(patterns)))
        rows = [f"{name}={value}" for name, value in sorted(passed.items()) if name not in NOISE]
        return self._digest(*(row.encode(errors="surrogateescape") for row in rows))

    def _engine(self, _subject: str) -> str:
        return self.engine()

    def _image(self, subject: str) -> str:
        name, platform = json.loads(subject)
        return self.image_id(name, platform)

    def _given(self, patterns: str) -> str:
        given = contained_environment(self.user, json.loads(patterns))
        rows = [f"{name}={value}" for name, value in sorted(given.items())]
        return self._digest(*(row.encode(errors="surrogateescape") for row in rows))

    def _program(self, word: str) -> str | None:
        path = word if word.startswith("/") else None if "/" in word else self.which(word, self._path)
        if path is None or not os.access(path, os.X_OK) or os.path.isdir(path):  # noqa: PTH112 (once for every word)
            return None
        return path

    def _tool(self, word: str) -> str:
        path = self._program(word)
        if path is None:
            return ""
        rows = [path, os.path.realpath(path)]
        for place in (Path(path), *self.version_files(Path(path))):
            with contextlib.suppress(OSError):
                info = place.stat()
                rows.append(f"{place} {info.st_size} {info.st_mtime_ns} {info.st_ino}")
        return self._digest(*(row.encode(errors="surrogateescape") for row in rows))[:32]

    @functools.cached_property
    def _path(self) -> str:
        return passed_environment(self.user, ()).get("PATH", os.defpath)

    def version_files(self, path: Path) -> list[Path]:
        """What decides which program a version manager's shim starts: pyenv's and rbenv's ``version``, asdf's file."""
        if path.parent.name != "shims":
            return []
        root = path.parent.parent
        return [root / "version", root / "versions", Path(self.user.get("HOME", "/"), ".tool-versions")]

    def _carry(self, name: str) -> str:
        if self.carried_from is None:
            return ""
        place = self.carried_from / name
        files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
        parts = []
        for path in files:
            with contextlib.suppress(OSError):
                relative = os.fsencode(path.relative_to(self.carried_from))
                parts += [relative, oct(path.stat().st_mode).encode(), path.read_bytes()]
        return self._digest(*parts)

    def _checkout(self, _subject: str) -> str:
        from hookci.workspace.gitdir import checkout_settings  # noqa: PLC0415 (not needed when nothing is looked up)

        parts = [repr(sorted(checkout_settings(self.settings).items())).encode(errors="surrogateescape")]
        for path in self.attributes:
            with contextlib.suppress(OSError):
                parts += [os.fsencode(path), path.read_bytes()]
        return self._digest(*parts, oct(self.umask).encode())

    def _advisories(self, tool: str) -> str:
        if tool != "dependencies":
            return ""
        from hookci.scan.advisories.database import fingerprint_of  # noqa: PLC0415 (only when it is asked)

        return fingerprint_of(self.data)

    def _platform(self, _subject: str) -> str:
        name = os.uname()
        return f"{sys.platform} {name.machine} {name.release}"


def _scanner(tool: str) -> str:
    from hookci.scan.scanners import scanner_version  # noqa: PLC0415 (only jobs that scan)

    return scanner_version(tool)


def _of_container(
    job: Job, patterns: str, images: Sequence[tuple[str, str | None]], look: Callable[[str, str], Observation]
) -> list[Observation]:
    looks = [look("engine", ""), look("checkout", ""), look("given", patterns)]
    looks += [look("carry", name) for name in sorted(job.carry)]
    looks += [look("image", subject) for subject in sorted({json.dumps(image) for image in images})]
    return looks + ([look("scanner", job.scan.tool)] if job.scan is not None else [])
