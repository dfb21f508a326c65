"""Installing through uv, poetry or pdm: where it is installed, and its lock file says what exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.config.detect.parts import Line
from hookci.config.detect.python.metadata import table
from hookci.config.detect.python.needs import declared_sources

if TYPE_CHECKING:
    from hookci.config.detect.project import Project, Which
    from hookci.config.detect.python.metadata import Metadata
    from hookci.config.detect.python.suite import Suite

__all__ = ["Managed", "find_manager"]


class Managed(Struct, frozen=True):
    """A manager that makes ``.venv``: the lines that do, and the lock file they go by."""

    name: str
    lines: tuple[Line, ...]
    lock: str


def find_manager(project: Project, metadata: Metadata, suite: Suite, which: Which) -> Managed | None:
    """The manager whose lock file is tracked, if this machine has it; pip does for everybody else."""
    name = next((name for name in ("uv", "poetry", "pdm") if f"{name}.lock" in project.files and which(name)), None)
    if name is None:
        return None
    make = Line("[ -x .venv/bin/python ] || python3 -m venv .venv")
    activate = Line("source .venv/bin/activate")  # poetry and pdm install into the active environment
    commands = {
        "uv": (Line(f"uv sync --frozen{_uv_choice(project, metadata, suite)}"), activate),
        "poetry": (make, activate, Line(f"poetry install --no-interaction{_optional_group(metadata)}")),
        "pdm": (make, activate, Line("pdm install --frozen-lockfile")),
    }
    return Managed(name, commands[name], f"{name}.lock")


def _uv_choice(project: Project, metadata: Metadata, suite: Suite) -> str:
    for source in declared_sources(project, metadata):
        if source.kind in {"group", "extra"} and suite.runner in source.declared:
            return f" --{source.kind} {source.name}"
    return ""


def _optional_group(metadata: Metadata) -> str:
    groups = table(table(metadata.tool.get("poetry")).get("group"))
    wanted = [name for name in ("test", "tests", "testing", "dev") if table(groups.get(name)).get("optional")]
    return f" --with {','.join(wanted)}" if wanted else ""
