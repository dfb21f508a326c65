"""Installing through uv, poetry or pdm, where a lock file or the tests' requirements are theirs alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hookci.config.detect.parts import Line
from hookci.config.detect.python.needs import declared_sources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.detect.project import Project, Which
    from hookci.config.detect.python.metadata import Metadata
    from hookci.config.detect.python.suite import Suite

__all__ = ["Managed", "find_manager"]


@dataclass(frozen=True, slots=True)
class Managed:
    """A manager that makes ``.venv``: its lines, its lock file (if there is one), the variables it needs."""

    name: str
    lines: tuple[Line, ...]
    lock: str | None
    variables: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = (".venv",)


def find_manager(project: Project, metadata: Metadata, suite: Suite, which: Which) -> Managed | None:
    """The manager to use: one that is installed and has its lock file here, or one without which nothing is known."""
    if "uv.lock" in project.files and which("uv"):
        return Managed("uv", (Line(f"uv sync --frozen{_uv_choice(project, metadata, suite)}"),), "uv.lock")
    for name, only_its_own in (("poetry", _poetry_groups(metadata)), ("pdm", _pdm_groups(metadata))):
        lock = f"{name}.lock" if f"{name}.lock" in project.files else None
        elsewhere = any(suite.runner in source.declared for source in declared_sources(project, metadata))
        if (lock and which(name)) or (only_its_own and not elsewhere):
            return _managed(name, lock, installed=bool(which(name)), options=_options(name, metadata, lock))
    return None


def _uv_choice(project: Project, metadata: Metadata, suite: Suite) -> str:
    for source in declared_sources(project, metadata):
        if source.kind in {"group", "extra"} and suite.runner in source.declared:
            return f" --{source.kind} {source.name}"
    return ""


def _poetry_groups(metadata: Metadata) -> Mapping[str, object]:
    poetry = metadata.tool.get("poetry", {})
    groups = poetry.get("group", {}) if isinstance(poetry, dict) else {}
    return {**groups, **({"dev": {}} if isinstance(poetry, dict) and "dev-dependencies" in poetry else {})}


def _pdm_groups(metadata: Metadata) -> Mapping[str, object]:
    pdm = metadata.tool.get("pdm", {})
    found = pdm.get("dev-dependencies", {}) if isinstance(pdm, dict) else {}
    return found if isinstance(found, dict) else {}


def _options(name: str, metadata: Metadata, lock: str | None) -> str:
    if name == "pdm":
        return " --frozen-lockfile" if lock else ""
    optional = [
        group for group, table in _poetry_groups(metadata).items() if isinstance(table, dict) and table.get("optional")
    ]
    wanted = [group for group in optional if group in {"test", "tests", "testing", "dev"}]
    return "".join([" --no-interaction", f" --with {','.join(wanted)}" if wanted else ""])


def _managed(name: str, lock: str | None, *, installed: bool, options: str) -> Managed:
    """``.venv`` is made first, so that the manager uses it and every later line finds it."""
    program = name if installed else f".{name}/bin/{name}"
    lines = [Line("[ -x .venv/bin/python ] || python3 -m venv .venv")]
    if not installed:
        lines.append(Line(f"[ -x {program} ] || {{ python3 -m venv .{name}; .{name}/bin/pip install -q {name}; }}"))
    lines.append(Line(f"{program} install{options}"))
    variables = {"POETRY_VIRTUALENVS_IN_PROJECT": "true"} if name == "poetry" else {}
    return Managed(name, tuple(lines), lock, variables, (".venv",) if installed else (".venv", f".{name}"))
