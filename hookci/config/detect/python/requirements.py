"""Requirement files: which are there, what they are for, what they name."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hookci.config.detect.python.metadata import requirement_name, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.config.detect.project import Project

__all__ = ["DEV", "TEST", "included_files", "is_hashed", "named_in", "runtime_file", "with_purpose"]

TEST = ("test", "tests", "testing", "unittest", "unittests", "pytest", "unit", "check", "tests_require")
DEV = ("dev", "develop", "development", "devel", "local", "all")

_FILE = re.compile(r"(?:(?:requirements?|reqs?)/)?[\w.-]+\.txt")
_INCLUDES = re.compile(r"(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)")
_NOISE = {"requirements", "requirement", "reqs", "req", "txt", "deps"}
_RUNTIME = ("requirements.txt", "requirements/base.txt", "requirements/common.txt", "requirements/main.txt")
_RUNTIME_TOO = ("requirements/requirements.txt", "requirements/production.txt", "requirements/prod.txt")


def runtime_file(project: Project) -> str | None:
    """The requirement file of the program itself."""
    return project.first(*_RUNTIME, *_RUNTIME_TOO)


def with_purpose(project: Project, words: tuple[str, ...]) -> str | None:
    """The requirement file that is named for one of ``words``: ``requirements-dev.txt``, ``requirements/tests.txt``."""
    for word in words:
        for path in sorted(project.files, key=lambda path: (path.count("/"), path)):
            if _FILE.fullmatch(path) and "req" in path and set(re.split(r"[-_./]", path)) - _NOISE == {word}:
                return path
    return None


def _lines(project: Project, path: str) -> Iterator[str]:
    yield from strings((project.read(path) or "").replace("\\\n", " "))


def included_files(project: Project, path: str) -> tuple[str, ...]:
    """``path``, and what it includes with ``-r`` or ``-c``, each once."""
    seen: list[str] = []
    waiting = [path]
    while waiting:
        current = posixpath.normpath(waiting.pop(0))
        if current in seen or current not in project.files:
            continue
        seen.append(current)
        found = (_INCLUDES.match(line) for line in _lines(project, current))
        waiting += [posixpath.join(posixpath.dirname(current), match[1]) for match in found if match]
    return tuple(seen)


def named_in(project: Project, path: str) -> frozenset[str]:
    """The normalised names of all distributions that a requirement file asks for."""
    found = (requirement_name(line) for file in included_files(project, path) for line in _lines(project, file))
    return frozenset(name for name in found if name)


def is_hashed(project: Project, path: str) -> bool:
    """Whether pip would demand a hash for everything that is installed along with this file."""
    return any("--hash=" in (project.read(file) or "") for file in included_files(project, path))
