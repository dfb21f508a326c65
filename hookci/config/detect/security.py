"""Security scans: of Python code, of what is declared or locked, and for secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.config.detect.parts import JobDraft
from hookci.config.detect.python.metadata import read_toml, table
from hookci.config.detect.python.suite import python_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.config.detect.project import Project

__all__ = ["security_jobs"]

_LOCKED = re.compile(
    r"(.*/)?(uv\.lock|poetry\.lock|Pipfile\.lock|package-lock\.json|[^/]*requirements[^/]*\.txt|requirements/[^/]+\.txt)"
)
_NEW = "What these scans find stops a push, unless the remote's default branch has it too."
_DATABASE = (
    "Known vulnerabilities of the dependencies, in a database that `hookci advisories update` fetches. Until it is "
    "there nothing is scanned, which allow_unscanned lets pass; every run says so."
)


def security_jobs(project: Project) -> list[JobDraft]:
    """The scans for which there is something to scan, with words above the first on when they are red."""
    first, *others = _scans(project)
    return [replace(first, comments=(_NEW, *first.comments)), *others]


def _scans(project: Project) -> Iterator[JobDraft]:
    if python_files(project):
        yield JobDraft(name="code", stage="security", scan='"bandit"')
    if any(_declares(project, path) for path in project.files):
        scan = '{ tool = "dependencies", allow_unscanned = true }'
        yield JobDraft(name="dependencies", stage="security", scan=scan, comments=(_DATABASE,))
    yield JobDraft(name="secrets", stage="security", scan='"secrets"')


def _declares(project: Project, path: str) -> bool:
    """Whether a file says what is installed, or may be."""
    if path.rpartition("/")[2] != "pyproject.toml":
        return bool(_LOCKED.fullmatch(path))
    everything = read_toml(project, path)
    own = table(everything.get("project"))
    poetry = table(table(everything.get("tool")).get("poetry"))
    return any(
        [
            own.get("dependencies"),
            own.get("optional-dependencies"),
            everything.get("dependency-groups"),
            poetry.get("dependencies"),
            poetry.get("group"),
        ]
    )
